//! Branches: the places where the dealer does business.

pub mod http;
mod service;
