//! Webhooks on the wire.

mod deliveries;
mod endpoints;

pub(super) use deliveries::*;
pub(super) use endpoints::*;
