//! The dealer's half: people, settings, catalogue, price files, the trail of what was done. It knows
//! nothing of the platform.

pub mod api_keys;
pub mod audit;
pub mod catalog;
pub mod events;
pub mod exports;
pub mod imports;
pub mod jobs;
pub mod notifications;
pub mod organisation;
pub mod permissions;
pub mod roles;
pub mod second_factor;
pub mod settings;
pub mod sso;
pub mod team;
pub mod webhooks;
