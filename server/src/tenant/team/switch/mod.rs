//! One person at several dealers: they see which, and go over without signing in again.
//!
//! Whoever runs one dealer decides who its members are, yet nobody gets into another dealer by being
//! put into one: both dealers must have proven, each for itself by a message, that the address is the
//! member's. So a switch opens no more than what control of that mailbox opens anyhow, by a reset of
//! the password. It asks for more where the other dealer does: a member there who has a second
//! factor, or a dealer that insists on its own identity provider, is signed in there and nowhere
//! else; and a session that was begun by single sign-on or by another switch leads nowhere, as what
//! it proves is another's word. What was proven lately was proven here: there it has to be again.
//!
//! The platform knows at which dealers an address was seen, by a keyed digest, and is believed in
//! nothing: each dealer's own rows are asked.

pub(super) mod http;
mod passage;
mod places;
mod service;

pub(in crate::tenant) use places::remember;
