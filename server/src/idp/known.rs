//! What providers say of themselves, remembered for a while: addresses and keys.

use std::sync::Arc;

use moka::future::Cache;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, IssuerUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

use super::egress::Egress;
use super::error::IdpError;
use crate::config::Sso;
use crate::kernel::TenantKey;

/// Providers remembered.
const REMEMBERED: u64 = 10_000;

/// What a provider says of itself.
pub(super) type Metadata = ProviderMetadata<
    Rfc9207,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Whether it names itself when it sends somebody back (RFC 9207).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rfc9207 {
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Rfc9207 {}

/// A provider as it was when it was asked.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) metadata: Metadata,
    asked_at: OffsetDateTime,
    /// Of many who find its keys outdated, one asks for new ones.
    asking_anew: Mutex<()>,
}

/// All identity providers of all dealers.
#[derive(Clone)]
pub struct IdentityProviders {
    pub(super) egress: Egress,
    /// By dealer: what one dealer's provider says is nothing to another, even under the same name.
    known: Cache<(TenantKey, String), Arc<Known>>,
    key_refresh: Duration,
    /// Whether plain HTTP will do.
    pub(super) may_be_insecure: bool,
}

impl IdentityProviders {
    /// Knows nobody yet.
    ///
    /// # Errors
    ///
    /// When TLS can't be had.
    pub fn new(config: &Sso) -> Result<Self, anyhow::Error> {
        let believed = std::time::Duration::from_secs(u64::from(config.metadata_minutes) * 60);
        Ok(Self {
            egress: Egress::new(config)?,
            known: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(believed)
                .build(),
            key_refresh: Duration::seconds(config.key_refresh_seconds.into()),
            may_be_insecure: config.allow_insecure_issuers,
        })
    }

    /// A provider by its issuer. Many who ask at once make one question of it.
    pub(super) async fn find(
        &self,
        tenant: TenantKey,
        issuer: &str,
        now: OffsetDateTime,
    ) -> Result<Arc<Known>, IdpError> {
        let key = (tenant, issuer.to_owned());
        let found = self.known.try_get_with(key, self.ask(issuer, now)).await;
        found.map_err(|error| (*error).clone())
    }

    /// The same with new keys, if those that are known were not asked for just now: whoever makes up
    /// names of keys can't make us ask all the time.
    pub(super) async fn find_anew(
        &self,
        tenant: TenantKey,
        issuer: &str,
        outdated: &Arc<Known>,
        now: OffsetDateTime,
    ) -> Result<Arc<Known>, IdpError> {
        let _alone = outdated.asking_anew.lock().await;
        let key = (tenant, issuer.to_owned());
        if let Some(known) = self.known.get(&key).await
            && !Arc::ptr_eq(&known, outdated)
        {
            return Ok(known);
        }
        if now - outdated.asked_at < self.key_refresh {
            return Err(IdpError::Refused("signed with an unknown key".to_owned()));
        }
        let known = self.ask(issuer, now).await?;
        self.known.insert(key, known.clone()).await;
        Ok(known)
    }

    async fn ask(&self, issuer: &str, now: OffsetDateTime) -> Result<Arc<Known>, IdpError> {
        let unavailable = |error: String| IdpError::Unavailable(error);
        let url = IssuerUrl::new(issuer.to_owned());
        let url = url.map_err(|error| unavailable(error.to_string()))?;
        let asked = Metadata::discover_async(url, &self.egress).await;
        let metadata = asked.map_err(|error| unavailable(chain(&error)))?;
        Ok(Arc::new(Known {
            metadata,
            asked_at: now,
            asking_anew: Mutex::new(()),
        }))
    }
}

impl std::fmt::Debug for IdentityProviders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityProviders")
    }
}

/// An error with all that lies below it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        text = format!("{text}: {cause}");
        below = cause.source();
    }
    text
}
