//! From which web pages a dealer's API may be asked: a list of the dealer's own, known to every
//! request within a second of its change.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ::entity::tenant::setting;
use moka::future::Cache;
use sea_orm::{DbErr, EntityTrait};
use url::{Origin, Url};

use crate::db::TenantDb;
use crate::kernel::TenantKey;

/// The setting that holds the list.
pub const CORS_ORIGINS: &str = "cors_origins";
/// Dealers whose lists are remembered.
const REMEMBERED: u64 = 20_000;
/// How long a list is believed. Together with the reading of it, less than a second.
const BELIEVED: Duration = Duration::from_millis(700);

/// The lists of all dealers, as far as anybody asked from a web page.
#[derive(Debug, Clone)]
pub struct Origins(Cache<TenantKey, Arc<HashSet<String>>>);

impl Default for Origins {
    fn default() -> Self {
        let lists = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(BELIEVED);
        Self(lists.build())
    }
}

impl Origins {
    /// Whether pages of this origin may ask this dealer's API. Many who want to know at once wait
    /// for one reading of the list.
    ///
    /// # Errors
    ///
    /// When the list can't be read.
    pub async fn may_ask(&self, db: &TenantDb, origin: &str) -> Result<bool, Arc<DbErr>> {
        let list = self.0.try_get_with(db.tenant().key(), read(db));
        Ok(list.await?.contains(origin))
    }

    /// Forgets a dealer's list, so that this process reads the changed one at once.
    pub async fn forget(&self, tenant: TenantKey) {
        self.0.invalidate(&tenant).await;
    }
}

async fn read(db: &TenantDb) -> Result<Arc<HashSet<String>>, DbErr> {
    let find = async |tx: &_| {
        let setting = setting::Entity::find_by_id(CORS_ORIGINS);
        setting.one(tx).await
    };
    let list = db.read(find).await?;
    let origins = list.map(|setting| serde_json::from_value(setting.value).unwrap_or_default());
    Ok(Arc::new(origins.unwrap_or_default()))
}

/// Whether a text is an origin exactly as browsers send it: scheme, host, a port that isn't the
/// scheme's own, and nothing else. A wildcard and `null` are none.
pub fn is_exact(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let is_web = matches!(url.scheme(), "http" | "https");
    let origin = url.origin();
    // A parser of addresses lets a star pass, which no browser sends.
    is_web
        && !text.contains('*')
        && matches!(origin, Origin::Tuple(..))
        && origin.ascii_serialization() == text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_would_send_is_an_origin() {
        for good in [
            "https://shop.example",
            "http://localhost:5173",
            "https://[::1]:8443",
        ] {
            assert!(is_exact(good), "{good}");
        }
        for bad in [
            "*",
            "null",
            "https://*.shop.example",
            "https://shop.example/",
            "https://shop.example:443",
            "https://Shop.example",
            "https://user@shop.example",
            "https://shop.example/path",
            "shop.example",
            "file:///etc/passwd",
            "ftp://shop.example",
            "",
        ] {
            assert!(!is_exact(bad), "{bad}");
        }
    }
}
