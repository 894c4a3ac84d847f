//! The token of an invitation: opaque, high in entropy, kept only as a hash. It is made wherever a
//! tenant is, and read by whoever serves it.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A token as its holder has it.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationToken(String);

impl InvitationToken {
    /// A new one: 256 bits of the operating system's randomness.
    ///
    /// # Errors
    ///
    /// When the operating system has none to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Ok(Self(format!("tbxi_{text}")))
    }

    /// What came from somebody.
    pub fn from_wire(text: String) -> Self {
        Self(text)
    }

    /// What is stored. With 256 random bits a fast hash is enough.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }

    /// As it is told, once.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for InvitationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike_and_the_hash_is_the_same_for_the_same() {
        let token = InvitationToken::generate().unwrap();
        let read = InvitationToken::from_wire(token.as_str().to_owned());

        assert_eq!(read.hash(), token.hash());
        assert_ne!(InvitationToken::generate().unwrap(), token);
        assert!(!format!("{token:?}").contains(token.as_str()));
    }
}
