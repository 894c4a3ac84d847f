//! The harness: an app on a database of its own, actors who use it, canaries among them, and the
//! local stack behind `make dev`, `make test`, `make bench` and `make soak`.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the harness looks from outside: it is where real clocks and raw connections belong"
)]

pub mod canary;
pub mod errands;
pub mod errands_survive;
mod harness;
pub mod local;

pub use harness::{
    Actor, Asked, Browser, Dealer, EventSocket, EventStream, Heard, OidcClient, OidcProvider,
    OldKeys, OlderDealers, PgBouncer, Reply, Scratch, ServerProcess, SignedBy, TestApp, Wire,
    eventually, node_urls, server_binary, token_in, tubex, tubex_command,
};
