//! The dealer's half: people, catalogue, price files. It knows nothing of the platform.

pub mod api_keys;
pub mod catalog;
pub mod imports;
pub mod organisation;
pub mod permissions;
pub mod roles;
pub mod team;
