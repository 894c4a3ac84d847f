//! Members: who they are, what they may do, and whether they still may.
//!
//! Invariants: there is always an owner who can sign in; only an owner makes or unmakes one; nobody
//! gives or takes more than they hold; who is deactivated is out within a second.

pub(super) mod http;
pub(super) mod service;
