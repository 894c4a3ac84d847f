//! The dealer's half: people, catalogue, price files, the trail of what was done. It knows nothing of the platform.

pub mod audit;
pub mod catalog;
pub mod imports;
pub mod team;
