//! Seals of cursors: proof that one which a client brings back was made here, for the same list.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

use crate::kernel::Sealer;

/// Enough that nobody guesses one.
const SEAL_BYTES: usize = 16;

/// Makes and checks the seals of cursors.
pub struct CursorSeals(SecretBox<[u8; 32]>);

impl CursorSeals {
    /// Seals under a key of their own.
    pub fn new(sealer: &Sealer) -> Self {
        Self(SecretBox::new(Box::new(sealer.key_for("cursor"))))
    }

    /// `content` with a seal behind it, which fits this `context` only.
    pub fn seal(&self, context: &[&str], content: &[u8]) -> Vec<u8> {
        let seal = self.of(context, content).finalize().into_bytes();
        [content, &seal[..SEAL_BYTES]].concat()
    }

    /// The content, if its seal was made here for this context.
    pub fn open<'a>(&self, context: &[&str], sealed: &'a [u8]) -> Option<&'a [u8]> {
        let length = sealed.len().checked_sub(SEAL_BYTES)?;
        let (content, seal) = sealed.split_at(length);
        let expected = self.of(context, content);
        expected.verify_truncated_left(seal).ok()?;
        Some(content)
    }

    fn of(&self, context: &[&str], content: &[u8]) -> Hmac<Sha256> {
        let mut parts: Vec<_> = context.iter().map(|part| part.as_bytes()).collect();
        parts.push(content);
        mac(self.0.expose_secret(), &parts)
    }
}

impl std::fmt::Debug for CursorSeals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorSeals")
    }
}

/// Each part goes in with its length, so that no two lists of parts are the same bytes.
fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seals(secret: &str) -> CursorSeals {
        CursorSeals::new(&Sealer::new(&secret.into()))
    }

    #[test]
    fn a_seal_fits_its_content_its_context_and_its_secret() {
        let ours = seals("a secret");
        let sealed = ours.seal(&["acme", "/items"], b"key");
        let mut forged = sealed.clone();
        forged[0] ^= 1;

        assert_eq!(ours.open(&["acme", "/items"], &sealed), Some(&b"key"[..]));
        assert_eq!(ours.open(&["bolt", "/items"], &sealed), None);
        assert_eq!(ours.open(&["acme/items"], &sealed), None);
        assert_eq!(ours.open(&["acme", "/items"], &forged), None);
        assert_eq!(ours.open(&["acme", "/items"], &sealed[1..]), None);
        assert_eq!(ours.open(&["acme", "/items"], b"short"), None);
        assert_eq!(
            seals("another secret").open(&["acme", "/items"], &sealed),
            None
        );
    }
}
