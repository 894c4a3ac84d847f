//! What happens at a dealer, for whoever follows it: as server-sent events, through a WebSocket, or
//! page by page.
//!
//! Invariants: all three have one cursor, the id of an event; what somebody is told of is what they
//! may see; a stream ends within two seconds after they may no more, and says why.

pub mod http;
mod patience;
mod socket;
mod sse;
mod wire;
