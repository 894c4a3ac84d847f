//! Teams: people who work together, at one branch or across them.

pub mod http;
pub mod places;
mod service;
