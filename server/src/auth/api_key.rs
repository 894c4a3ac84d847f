//! API keys as machines send them: `tbx_live_<id>_<secret>_<checksum>`.
//!
//! Whoever looks for leaked keys in texts finds them by [`PATTERN`], and knows by the checksum that
//! it is one without asking anybody.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use uuid::Uuid;

use super::error::AuthError;
use crate::kernel::Sealer;

/// What every key begins with.
const PREFIX: &str = "tbx_live_";
/// What every key looks like.
pub const PATTERN: &str = "tbx_live_[0-9a-f]{32}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}";
/// Letters and digits: a key is one word in every editor.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 is just over 2^256.
const SECRET_LENGTH: usize = 43;
/// 62^6 is over 2^32.
const CHECKSUM_LENGTH: usize = 6;

/// A key that is well formed. Whether it is anybody's is for the database to say.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyText {
    /// Which key it claims to be.
    pub id: Uuid,
    secret: String,
}

impl ApiKeyText {
    /// A new secret for a key: 256 bits of the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`AuthError::Broken`] when the operating system has none.
    pub fn generate(id: Uuid) -> Result<Self, AuthError> {
        let mut secret = String::with_capacity(SECRET_LENGTH);
        while secret.len() < SECRET_LENGTH {
            let mut bytes = [0_u8; 64];
            getrandom::fill(&mut bytes).map_err(|error| AuthError::Broken(error.to_string()))?;
            // 248 is four times 62: what is above would make some letters likelier than others.
            let fair = bytes.iter().filter(|byte| **byte < 248);
            let letters = fair.map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
            secret.extend(letters.take(SECRET_LENGTH - secret.len()));
        }
        Ok(Self { id, secret })
    }

    /// Reads a key; `None` for anything else, and for one that was mistyped.
    pub fn parse(text: &str) -> Option<Self> {
        let (body, checksum) = text.rsplit_once('_')?;
        let (id, secret) = body.strip_prefix(PREFIX)?.split_once('_')?;
        let is_plain = secret.len() == SECRET_LENGTH
            && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let id = Uuid::try_parse(id)
            .ok()
            .filter(|parsed| parsed.simple().to_string() == id)?;
        (is_plain && checksum == checksum_of(body)).then(|| Self {
            id,
            secret: secret.to_owned(),
        })
    }

    /// What is kept of it: a keyed hash. With 256 random bits a fast one is enough.
    pub fn hash(&self, sealer: &Sealer) -> Vec<u8> {
        sealer.digest("api key", self.secret.as_bytes())
    }

    /// As it goes to its owner, once.
    pub fn into_wire(self) -> String {
        let body = format!("{PREFIX}{}_{}", self.id.simple(), self.secret);
        let checksum = checksum_of(&body);
        format!("{body}_{checksum}")
    }
}

/// Whether two hashes are the same, in a time that doesn't tell where they differ.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

impl fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyText")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The CRC-32 of all that stands before it, in six letters.
fn checksum_of(body: &str) -> String {
    let mut rest = crc32(body.as_bytes());
    let mut letters = [b'0'; CHECKSUM_LENGTH];
    for letter in letters.iter_mut().rev() {
        *letter = ALPHABET[usize::try_from(rest % 62).unwrap_or_default()];
        rest /= 62;
    }
    letters.iter().copied().map(char::from).collect()
}

/// The checksum of zip files and Ethernet (ISO 3309), as every language has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let polynomial = if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            (crc >> 1) ^ polynomial
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKeyText {
        ApiKeyText::generate(Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0001)).unwrap()
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = key();
        let text = key.clone().into_wire();

        assert_eq!(text.len(), 9 + 32 + 1 + SECRET_LENGTH + 1 + CHECKSUM_LENGTH);
        assert_eq!(ApiKeyText::parse(&text), Some(key));
    }

    #[test]
    fn the_checksum_is_the_one_that_every_language_has() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn one_letter_less_more_or_other_makes_it_no_key() {
        let text = key().into_wire();
        let mut broken = vec![
            String::new(),
            text[1..].to_owned(),
            text[..text.len() - 1].to_owned(),
            format!("{text}0"),
            format!(" {text}"),
            text.replace("tbx_live_", "tbx_test_"),
            text.to_uppercase(),
        ];
        for at in PREFIX.len()..text.len() {
            let other = if text.as_bytes()[at] == b'a' {
                "b"
            } else {
                "a"
            };
            broken.push(format!("{}{other}{}", &text[..at], &text[at + 1..]));
        }

        for text in broken {
            assert_eq!(ApiKeyText::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn no_two_secrets_are_alike_and_none_is_shown_by_accident() {
        let (one, other) = (key(), key());

        assert_ne!(one.secret, other.secret);
        assert!(!format!("{one:?}").contains(&one.secret));
    }
}
