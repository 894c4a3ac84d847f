//! The server that all dealers share. `README.md` beside this crate draws its inner arrows.

pub mod audit;
pub mod auth;
pub mod cache;
pub mod config;
pub mod db;
mod declared;
pub mod deprecations;
mod dev_mail;
pub mod doctor;
pub mod egress;
pub mod events;
pub mod http;
pub mod idp;
pub mod jobs;
pub mod kernel;
mod leftovers;
pub mod limits;
pub mod live;
pub mod mail;
pub mod metrics;
pub mod openapi;
pub mod origins;
pub mod platform;
mod presence;
pub mod redis;
mod routes;
pub mod startup;
mod state;
pub mod storage;
pub mod telemetry;
pub mod tenant;
pub mod worker;

pub use startup::Application;
pub use state::AppState;
