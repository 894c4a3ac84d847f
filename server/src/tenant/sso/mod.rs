//! Single sign-on: identity providers that the dealer trusts, for people of domains that it has
//! proven to be its own.
//!
//! Invariants: a provider vouches only for addresses of its connection's proven domains, and only
//! for those it has seen to be their holders'; who came back belongs to the browser that left, and
//! comes back once; a client's secret is kept sealed and never told; while single sign-on is enforced
//! there is an owner who gets in without it.

mod connections;
mod domains;
mod entering;
mod error;
mod flow;
pub mod http;
mod journey;
mod service;
mod store;

pub use error::SsoError;
