//! The keys that access tokens are signed with: Ed25519, made by whichever process first finds that
//! one is due, known to all before it signs, and trusted until the last token of theirs is over.

mod keep;
mod ring;
mod store;

pub use keep::SigningKeys;
pub use store::{Because, Rotated};

pub(super) use ring::Ring;

/// Keys that are in no table.
#[cfg(test)]
pub(super) mod testing {
    pub(in crate::auth) use super::ring::tests::{key, ring};
}
