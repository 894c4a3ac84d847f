//! The shapes of all tables, as the server and the provisioner read them. No behaviour.

pub mod platform;
pub mod tenant;
