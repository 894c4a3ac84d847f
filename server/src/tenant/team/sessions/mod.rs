//! Sessions as people see them: where they are signed in, and how to end that.
//!
//! Invariants: nobody sees or ends a session outside what their permission reaches; a session that
//! is out of reach is answered like one that nobody has; whatever ends one is known to all processes
//! within a second.

mod error;
pub mod http;
mod service;
