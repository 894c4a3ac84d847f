//! One's own account: password and mail address, and how one gets back in.
//!
//! Invariants: whoever asks about an address learns nothing about who has it, neither by the answer
//! nor by its time; a link works once and for a while; the address that is being left is told; who
//! changes a password ends what was begun with the old one.

mod email;
pub(super) mod http;
mod password;
mod service;
