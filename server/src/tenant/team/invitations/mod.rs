//! Invitations: how people join the team.
//!
//! Invariants: at most one open invitation to an address; its token is told to the mailbox alone,
//! works once, and no longer than the invitation stands; nobody invites to more than they hold.

mod acceptance;
pub(super) mod http;
mod service;
