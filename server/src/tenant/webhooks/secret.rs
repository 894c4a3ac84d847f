//! Secrets, keys and signatures, as the Standard Webhooks specification has them.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::WebhookError;
use crate::auth::Sealer;
use crate::kernel::TenantKey;

/// Bytes of a secret; the specification asks for 24 to 64. A private key has as many.
const LENGTH: usize = 32;

/// How something is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// HMAC-SHA256.
    V1,
    /// Ed25519.
    V1a,
}

/// A secret or a private key. It can't be printed.
pub(super) struct Secret {
    scheme: Scheme,
    bytes: Vec<u8>,
}

/// Seals for one dealer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keeper<'a> {
    pub(super) sealer: &'a Sealer,
    pub(super) tenant: TenantKey,
}

impl Scheme {
    /// As it is kept, and as it begins a signature.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1a => "v1a",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::V1, Self::V1a]
            .into_iter()
            .find(|scheme| scheme.as_str() == name)
    }
}

impl Secret {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Secret`] when the machine has no randomness.
    pub(super) fn generate(scheme: Scheme) -> Result<Self, WebhookError> {
        let mut bytes = vec![0; LENGTH];
        getrandom::fill(&mut bytes).map_err(|error| WebhookError::Secret(error.to_string()))?;
        Ok(Self { scheme, bytes })
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// What the receiver verifies with: `whsec_…`, which is to be kept secret, or `whpk_…`, which
    /// isn't.
    pub(super) fn for_the_receiver(&self) -> Result<String, WebhookError> {
        Ok(match self.scheme {
            Scheme::V1 => format!("whsec_{}", STANDARD.encode(&self.bytes)),
            Scheme::V1a => format!("whpk_{}", STANDARD.encode(self.pair()?.public_key())),
        })
    }

    /// Signs a message, as it goes into the header.
    pub(super) fn sign(
        &self,
        id: &str,
        at: OffsetDateTime,
        payload: &str,
    ) -> Result<String, WebhookError> {
        let content = format!("{id}.{}.{payload}", at.unix_timestamp());
        let signature = match self.scheme {
            Scheme::V1 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &self.bytes);
                STANDARD.encode(hmac::sign(&key, content.as_bytes()))
            }
            Scheme::V1a => STANDARD.encode(self.pair()?.sign(content.as_bytes())),
        };
        Ok(format!("{},{signature}", self.scheme.as_str()))
    }

    fn pair(&self) -> Result<Ed25519KeyPair, WebhookError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&self.bytes);
        pair.map_err(|error| WebhookError::Secret(error.to_string()))
    }
}

impl Keeper<'_> {
    pub(super) fn seal(&self, row: Uuid, secret: &Secret) -> Vec<u8> {
        self.sealer.seal(&self.place(row), &secret.bytes)
    }

    pub(super) fn open(
        &self,
        row: Uuid,
        scheme: &str,
        sealed: &[u8],
    ) -> Result<Secret, WebhookError> {
        let unknown = || WebhookError::Secret(format!("there is no scheme {scheme}"));
        Ok(Secret {
            scheme: Scheme::named(scheme).ok_or_else(unknown)?,
            bytes: self.sealer.open(&self.place(row), sealed)?,
        })
    }

    fn place(&self, row: Uuid) -> String {
        self.tenant.scoped(format_args!("webhook-secret:{row}"))
    }
}

/// A message's id, however often it is sent.
pub(super) fn message_id(delivery: Uuid) -> String {
    format!("msg_{}", delivery.simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        let bytes = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secret = Secret {
            scheme: Scheme::V1,
            bytes,
        };
        let at = OffsetDateTime::from_unix_timestamp(1_614_265_330).unwrap();

        let signed = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            r#"{"test": 2432232314}"#,
        );

        assert_eq!(
            signed.unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn what_the_receiver_gets_has_the_length_and_beginning_of_the_specification() {
        for (scheme, beginning) in [(Scheme::V1, "whsec_"), (Scheme::V1a, "whpk_")] {
            let text = Secret::generate(scheme)
                .unwrap()
                .for_the_receiver()
                .unwrap();

            let key = STANDARD.decode(text.strip_prefix(beginning).unwrap());
            assert_eq!(key.unwrap().len(), LENGTH);
        }
    }
}
