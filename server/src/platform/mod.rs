//! The API of operators: the admin's door to the provisioner. It answers at `admin.<base domain>`
//! of servers that were given the owner's address, and is nowhere else.
//!
//! Invariants: no token of a dealer opens it, and none of its tokens opens a dealer; every route
//! names its permission; what was done stands in the tenant's history under the operator's id, and
//! in the tenant's own audit trail.

mod bounces;
mod dealers;
mod directory;
mod door;
mod jobs;
mod operator;
mod permission;
mod problem;
mod record;
mod runs;
mod sessions;
mod sign_in;
mod signing;
mod tenants;
mod wire;

pub use dealers::Dealers;
pub use door::{admin_host, nothing_here};

use std::future::pending;

use actix_web::{HttpRequest, web};
use provisioner::{Label, SpareError};
use tokio::sync::{Notify, watch};
use utoipa_actix_web::service_config::ServiceConfig;

use self::sessions::OperatorSessions;
use crate::auth::{AccessTokens, OfPlatform, SigningKeys};
use crate::config::Config;
use crate::db::OwnerDb;

/// What operators' requests are served with.
#[derive(Debug)]
pub struct Platform {
    db: OwnerDb<Dealers>,
    tokens: AccessTokens<OfPlatform>,
    keys: SigningKeys,
    sessions: OperatorSessions,
    /// Whether this process is about to end: what would go on for ever ends then.
    closing: watch::Sender<bool>,
    /// Rung when there may be something to do for who works on runs.
    bell: Notify,
}

impl Platform {
    /// Prepares it, if the configuration names the owner's address.
    ///
    /// # Errors
    ///
    /// When the address can't be read.
    pub fn connect_lazily(
        config: &Config,
        keys: &SigningKeys,
    ) -> Result<Option<Self>, anyhow::Error> {
        let db = OwnerDb::connect_lazily(&config.platform, &config.database, Dealers)?;
        Ok(db.map(|db| Self {
            db,
            tokens: AccessTokens::new(keys.clone(), config.auth.access_minutes),
            keys: keys.clone(),
            sessions: OperatorSessions::new(config),
            closing: watch::Sender::new(false),
            bell: Notify::new(),
        }))
    }

    /// Works on migration runs until this process ends.
    pub async fn work(&self) {
        runs::work(self).await;
    }

    /// Brings a node's spares to its goal, if somebody has set one.
    ///
    /// # Errors
    ///
    /// Why one could not be made; those that were made stay.
    pub async fn fill_spares(&self, node: &str) -> Result<(), SpareError> {
        let name = node.to_owned();
        self.db
            .work(|library| async move {
                let nodes = library.spares().await?;
                let is_kept = nodes.iter().any(|it| it.node == name && it.keep.is_some());
                let Some(label) = Label::parse(&name).ok().filter(|_| is_kept) else {
                    return Ok(());
                };
                let tell = |moved| tracing::info!(moved = ?moved, "spares have changed");
                library.fill_spares(Some(&label), pending(), tell).await
            })
            .await
    }

    /// Ends what would go on for as long as somebody listens or there is work.
    pub fn wind_up(&self) {
        self.closing.send_replace(true);
    }

    /// Closes its connections.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// What serves this request; nothing where the server has no such API.
    fn behind(req: &HttpRequest) -> Option<&web::Data<Self>> {
        req.app_data::<web::Data<Self>>()
    }
}

/// The routes of this API.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    sign_in::routes(cfg);
    tenants::routes(cfg);
    directory::routes(cfg);
    runs::routes(cfg);
    signing::routes(cfg);
    bounces::routes(cfg);
    jobs::routes(cfg);
}
