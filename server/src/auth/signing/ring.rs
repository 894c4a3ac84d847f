//! The keys that are good right now, as one process holds them.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::auth::AuthError;

/// Characters of a key's name.
const NAME_LENGTH: usize = 16;

/// Keys, the one that signs from the latest time on first.
#[derive(Debug, Clone, Default)]
pub(in crate::auth) struct Ring(Vec<Key>);

/// One key. What it signs with never leaves this process unsealed.
#[derive(Clone)]
pub(in crate::auth) struct Key {
    pub(super) kid: String,
    pub(super) signs_from: OffsetDateTime,
    pub(super) verifies_until: Option<OffsetDateTime>,
    pub(super) public: Vec<u8>,
    signs: EncodingKey,
    verifies: DecodingKey,
}

/// A key that nobody has seen yet.
pub(super) struct NewKey {
    pub(super) kid: String,
    pub(super) public: Vec<u8>,
    /// PKCS #8.
    pub(super) private: Vec<u8>,
}

impl Ring {
    pub(super) fn of(mut keys: Vec<Key>) -> Self {
        keys.sort_by_key(|key| std::cmp::Reverse(key.signs_from));
        Self(keys)
    }

    /// The key to sign with. Where clocks are apart, no key may sign yet: then the oldest does.
    pub(in crate::auth) fn signer(&self, now: OffsetDateTime) -> Option<(&str, &EncodingKey)> {
        let due = self.0.iter().find(|key| key.signs_from <= now);
        let key = due.or(self.0.last())?;
        Some((&key.kid, &key.signs))
    }

    /// The key of this name, if it is still good.
    pub(in crate::auth) fn verifier(&self, kid: &str, now: OffsetDateTime) -> Option<&DecodingKey> {
        let key = self.0.iter().find(|key| key.kid == kid)?;
        key.is_good(now).then_some(&key.verifies)
    }

    pub(super) fn newest(&self) -> Option<&Key> {
        self.0.first()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a JSON Web Key Set (RFC 7517, RFC 8037).
    pub(super) fn published(&self, now: OffsetDateTime) -> Value {
        let good = self.0.iter().filter(|key| key.is_good(now));
        let keys: Vec<_> = good
            .map(|key| {
                json!({
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "alg": "EdDSA",
                    "use": "sig",
                    "kid": key.kid,
                    "x": URL_SAFE_NO_PAD.encode(&key.public),
                })
            })
            .collect();
        json!({ "keys": keys })
    }
}

impl Key {
    /// A key as it was kept; `None` unless the private half is one and belongs to the public half:
    /// whoever can write into the table can't have us trust a key of theirs.
    pub(super) fn opened(
        (kid, public): (String, Vec<u8>),
        private: &[u8],
        (signs_from, verifies_until): (OffsetDateTime, Option<OffsetDateTime>),
    ) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(private).ok()?;
        let is_whole = pair.public_key().as_ref() == public && kid == name_of(&public);
        is_whole.then(|| Self {
            signs: EncodingKey::from_ed_der(private),
            verifies: DecodingKey::from_ed_der(&public),
            kid,
            signs_from,
            verifies_until,
            public,
        })
    }

    fn is_good(&self, now: OffsetDateTime) -> bool {
        self.verifies_until.is_none_or(|until| now < until)
    }
}

impl NewKey {
    /// Makes one.
    pub(super) fn generate() -> Result<Self, AuthError> {
        let broken = |_| AuthError::Broken("no signing key could be made".to_owned());
        let pair = Ed25519KeyPair::generate().map_err(broken)?;
        let private = pair.to_pkcs8v1().map_err(broken)?.as_ref().to_vec();
        let public = pair.public_key().as_ref().to_vec();
        Ok(Self {
            kid: name_of(&public),
            public,
            private,
        })
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// A key's name follows from the key.
fn name_of(public: &[u8]) -> String {
    let mut name = URL_SAFE_NO_PAD.encode(Sha256::digest(public));
    name.truncate(NAME_LENGTH);
    name
}

#[cfg(test)]
pub(in crate::auth) mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-21 12:00 UTC);

    pub(in crate::auth) fn key(from: OffsetDateTime, until: Option<OffsetDateTime>) -> Key {
        let new = NewKey::generate().unwrap();
        Key::opened((new.kid, new.public), &new.private, (from, until)).unwrap()
    }

    pub(in crate::auth) fn ring(keys: Vec<Key>) -> Ring {
        Ring::of(keys)
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_verifies_after_it_has_signed() {
        let overlap = Duration::minutes(10);
        let old = key(NOW - Duration::days(30), Some(NOW + overlap));
        let new = key(NOW, None);
        let (old_kid, new_kid) = (old.kid.clone(), new.kid.clone());
        let ring = Ring::of(vec![old, new]);
        let signer = |now| ring.signer(now).unwrap().0.to_owned();

        assert_eq!(signer(NOW - Duration::SECOND), old_kid);
        assert_eq!(signer(NOW), new_kid);
        assert!(ring.verifier(&new_kid, NOW - Duration::SECOND).is_some());
        assert!(
            ring.verifier(&old_kid, NOW + overlap - Duration::SECOND)
                .is_some()
        );
        assert!(ring.verifier(&old_kid, NOW + overlap).is_none());
        let published = |now| ring.published(now)["keys"].as_array().unwrap().len();
        assert_eq!((published(NOW), published(NOW + overlap)), (2, 1));
    }

    #[test]
    fn halves_that_do_not_belong_together_are_no_key() {
        let (ours, theirs) = (NewKey::generate().unwrap(), NewKey::generate().unwrap());
        let times = (NOW, None);

        assert!(Key::opened((theirs.kid, theirs.public), &ours.private, times).is_none());
        let renamed = ("another".to_owned(), ours.public.clone());
        assert!(Key::opened(renamed, &ours.private, times).is_none());
        assert!(Key::opened((ours.kid, ours.public), b"nothing", times).is_none());
    }
}
