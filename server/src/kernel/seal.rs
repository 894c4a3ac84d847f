//! Encrypts what must be kept secret at rest and read again: AES-256-GCM under keys that the
//! database never sees.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

/// Seals and opens.
#[derive(Clone)]
pub struct Sealer {
    secret: SecretString,
}

/// What was to be opened was not sealed here, or for another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was not sealed with this server's secret, or not for this place")]
pub struct Unsealable;

impl Sealer {
    /// Keys are derived from `secret`.
    pub fn new(secret: &SecretString) -> Self {
        Self {
            secret: secret.clone(),
        }
    }

    /// A key for one use alone, such as `"cursor"`: 32 bytes.
    pub fn key_for(&self, purpose: &str) -> [u8; 32] {
        let root = hmac::Key::new(hmac::HMAC_SHA256, self.secret.expose_secret().as_bytes());
        let tag = hmac::sign(&root, format!("tubex {purpose}").as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(tag.as_ref());
        key
    }

    /// A keyed hash of something random, so that whoever reads it in the database can't try values.
    pub fn digest(&self, purpose: &str, value: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key_for(purpose));
        hmac::sign(&key, value).as_ref().to_vec()
    }

    /// Encrypts. `place` names where it is kept, such as `t:<id>:totp:<member>`: it can be opened
    /// for no other.
    ///
    /// # Panics
    ///
    /// Never: the key's length is right, and the value far shorter than the algorithm's limit.
    pub fn seal(&self, place: &str, value: &[u8]) -> Vec<u8> {
        let mut text = value.to_vec();
        let nonce = self
            .key()
            .seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut text)
            .expect("the value is short");
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend(text);
        sealed
    }

    /// Decrypts.
    ///
    /// # Errors
    ///
    /// [`Unsealable`].
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(Unsealable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
        let mut text = text.to_vec();
        let opened = self
            .key()
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut text)
            .map_err(|_| Unsealable)?;
        Ok(opened.to_vec())
    }

    fn key(&self) -> RandomizedNonceKey {
        RandomizedNonceKey::new(&AES_256_GCM, &self.key_for("seal"))
            .expect("the key has the algorithm's length")
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(secret: &str) -> Sealer {
        Sealer::new(&secret.to_owned().into())
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_with_its_secret_only() {
        let ours = sealer("one secret");
        let sealed = ours.seal("t:1:totp", b"value");

        assert_eq!(ours.open("t:1:totp", &sealed).as_deref(), Ok(&b"value"[..]));
        assert_eq!(ours.open("t:2:totp", &sealed), Err(Unsealable));
        assert_eq!(sealer("another").open("t:1:totp", &sealed), Err(Unsealable));
        assert_eq!(ours.open("t:1:totp", b"short"), Err(Unsealable));
        assert_ne!(sealed, ours.seal("t:1:totp", b"value"));
    }
}
