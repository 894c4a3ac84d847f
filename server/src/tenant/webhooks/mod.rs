//! Webhooks by the Standard Webhooks specification: what happened at the dealer, sent to addresses
//! that the dealer names.
//!
//! Invariants: a delivery is there if what it tells of was committed, and not otherwise; it is sent at
//! least once, always the same text under the same id, until the endpoint takes it or the schedule is
//! over; a secret is shown once and kept sealed; nothing is sent but to where `egress` goes; a receiver
//! that hangs or fails keeps neither the dealer's other work nor other dealers waiting.

mod attempt;
mod deliveries;
mod endpoints;
mod error;
pub mod http;
mod jobs;
mod model;
mod secret;
mod service;
mod store;
mod wire;

pub use error::WebhookError;
pub use jobs::register;
pub use store::forget;
