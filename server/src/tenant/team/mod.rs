//! The dealer's people: signing in, staying signed in, signing out.
//!
//! Invariants: a refresh token works once; reuse of a replaced one ends its session; whoever
//! asks learns nothing about which addresses exist.

mod credentials;
pub mod http;
pub mod sessions;
