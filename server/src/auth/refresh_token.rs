//! Refresh tokens: opaque, high in entropy, kept only as a hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::error::AuthError;
use crate::kernel::Sealer;

/// What every token begins with.
const PREFIX: &str = "tbxr_";

/// A token as the client has it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// A new one: 256 bits of the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`AuthError::Broken`] when the operating system has none.
    pub fn generate() -> Result<Self, AuthError> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| AuthError::Broken(error.to_string()))?;
        Ok(Self::of(&bytes))
    }

    /// The one token that this one is replaced by. It follows from this one and a secret of the
    /// server, so that it can be told again to a client that lost the answer, though only its hash
    /// is kept; nobody else can tell it from what they have.
    pub fn successor(&self, sealer: &Sealer) -> Self {
        Self::of(&sealer.digest("refresh successor", self.0.as_bytes()))
    }

    fn of(bytes: &[u8]) -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// What came from a client.
    pub fn from_wire(text: String) -> Self {
        Self(text)
    }

    /// What is stored. With 256 random bits a fast hash is enough.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }

    /// As it goes to the client, once.
    pub fn into_wire(self) -> String {
        self.0
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}
