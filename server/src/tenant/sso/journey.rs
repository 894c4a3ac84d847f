//! What somebody carries who is on their way to a provider: sealed in a cookie, so that it belongs to
//! their browser and costs the dealer no row until they are back.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::error::SsoError;
use super::service::Keeper;
use crate::auth::Client;
use crate::idp::Departure;

/// How long it may take to sign in at a provider.
pub(super) const LONGEST: Duration = Duration::minutes(10);
/// Bytes of a path to go back to.
const LONGEST_PATH: usize = 500;

/// Somebody on their way.
#[derive(Serialize, Deserialize)]
pub(super) struct Journey {
    pub(super) connection: Uuid,
    state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) redirect_uri: String,
    /// Where their browser is to go afterwards, if tokens are kept in cookies.
    pub(super) return_to: Option<String>,
    /// Unix seconds.
    ends_at: i64,
}

impl Journey {
    pub(super) fn of(
        departure: &Departure,
        (connection, redirect_uri): (Uuid, String),
        return_to: Option<String>,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            connection,
            state: departure.state.clone(),
            nonce: departure.nonce.clone(),
            verifier: departure.verifier.clone(),
            redirect_uri,
            return_to,
            ends_at: (now + LONGEST).unix_timestamp(),
        }
    }

    /// Packs it for a cookie.
    ///
    /// # Errors
    ///
    /// Never in practice.
    pub(super) fn seal(&self, keeper: Keeper<'_>) -> Result<Vec<u8>, SsoError> {
        let text = serde_json::to_vec(self).map_err(|error| SsoError::Broken(error.to_string()))?;
        Ok(keeper.sealer.seal(&place(keeper), &text))
    }

    /// Unpacks one that this dealer packed, that fits the state that came back, and is not too old.
    ///
    /// # Errors
    ///
    /// [`SsoError::StateInvalid`].
    pub(super) fn open(
        keeper: Keeper<'_>,
        sealed: &[u8],
        state: &str,
        now: OffsetDateTime,
    ) -> Result<Self, SsoError> {
        let text = keeper.sealer.open(&place(keeper), sealed);
        let text = text.map_err(|_| SsoError::StateInvalid)?;
        let journey: Self = serde_json::from_slice(&text).map_err(|_| SsoError::StateInvalid)?;
        // Digests, so that the time it takes tells nothing.
        let is_same = Sha256::digest(state) == Sha256::digest(&journey.state);
        if is_same && now.unix_timestamp() < journey.ends_at {
            Ok(journey)
        } else {
            Err(SsoError::StateInvalid)
        }
    }

    /// What is kept when it is over.
    pub(super) fn hash(&self, keeper: Keeper<'_>) -> Vec<u8> {
        let text = keeper.tenant.scoped(&self.state);
        keeper.sealer.digest("sso state", text.as_bytes())
    }

    /// How the tokens at its end are kept.
    pub(super) fn client(&self) -> Client {
        match self.return_to {
            Some(_) => Client::Browser,
            None => Client::Bearer,
        }
    }
}

fn place(keeper: Keeper<'_>) -> String {
    keeper.tenant.scoped("sso-journey")
}

/// Whether a text is a path of the dealer's own host, and leads to no other however a browser reads
/// it.
pub(super) fn is_own_path(path: &str) -> bool {
    let is_plain = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    path.len() <= LONGEST_PATH && is_plain && path.starts_with('/') && !path.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ones_own_host_are_gone_back_to() {
        for own in ["/", "/orders?open=1", "/a//b", "/a#b"] {
            assert!(is_own_path(own), "{own}");
        }
        for other in [
            "",
            "orders",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: a=b",
            "/\tevil",
        ] {
            assert!(!is_own_path(other), "{other}");
        }
    }
}
