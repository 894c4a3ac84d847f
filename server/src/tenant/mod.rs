//! The dealer's half: people, settings, catalogue, price files, the trail of what was done. It knows
//! nothing of the platform.

pub mod audit;
pub mod catalog;
pub mod imports;
pub mod second_factor;
pub mod settings;
pub mod sso;
pub mod team;
