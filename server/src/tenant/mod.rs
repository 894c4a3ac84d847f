//! The dealer's half: people, settings, catalogue, price files. It knows nothing of the platform.

pub mod catalog;
pub mod imports;
pub mod settings;
pub mod team;
