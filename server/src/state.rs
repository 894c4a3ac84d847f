//! What every request may ask for. Built once by `startup`, shared by all threads.

use std::sync::Arc;

use actix_web::{HttpRequest, web};

use crate::auth::{
    Access, AccessTokens, Attempts, CursorSeals, KeyTrail, OfTenant, Passwords, Sealer, Sessions,
    Settings, SigningKeys,
};
use crate::cache::Caches;
use crate::config::Config;
use crate::db::{Directory, Memberships, SecurityLog};
use crate::deprecations::Deprecations;
use crate::doctor::Admission;
use crate::egress::Egress;
use crate::idp::IdentityProviders;
use crate::jobs;
use crate::kernel::Clock;
use crate::limits::RateLimits;
use crate::live::Hub;
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::redis::Redis;
use crate::storage::Storage;

/// The server's parts.
#[derive(Debug)]
pub struct AppState {
    /// What it was told.
    pub config: Config,
    /// What time it is.
    pub clock: Clock,
    /// Whether dealers may be served yet.
    pub admission: Admission,
    /// Who lives where.
    pub directory: Arc<Directory>,
    /// What access tokens are signed with.
    pub keys: SigningKeys,
    /// Signs and verifies access tokens.
    pub tokens: AccessTokens<OfTenant>,
    /// Who asks, and what they may do.
    pub access: Access,
    /// The dealers' settings.
    pub settings: Settings,
    /// Remembers what was looked up.
    pub caches: Caches,
    /// Notes what API keys do.
    pub key_trail: KeyTrail,
    /// Seals what is kept secret at rest.
    pub sealer: Sealer,
    /// Begins and ends sessions.
    pub sessions: Sessions,
    /// Seals the cursors of lists.
    pub cursors: CursorSeals,
    /// Asks identity providers of dealers.
    pub identity_providers: IdentityProviders,
    /// Goes to addresses that dealers name.
    pub egress: Egress,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Keeps uploads and exports.
    pub storage: Storage,
    /// The way to Redis, if there is one.
    pub redis: Redis,
    /// Knows what of the API will go away.
    pub deprecations: Deprecations,
    /// Keeps the budgets that requests are charged against.
    pub limits: RateLimits,
    /// Takes what happens to those who follow it.
    pub live: Hub,
    /// Counts failed attempts.
    pub attempts: Attempts,
    /// Seals, writes and sends messages to people.
    pub mailer: Mailer,
    /// Knows at which dealers an address was seen.
    pub memberships: Memberships,
    /// Keeps record of refused requests.
    pub security: SecurityLog,
    /// What was done here of background work.
    pub work: Arc<jobs::Stats>,
    /// Counts what is asked, and of whom.
    pub metrics: Arc<Metrics>,
}

impl AppState {
    /// The state behind a request.
    pub fn of(req: &HttpRequest) -> &Self {
        req.app_data::<web::Data<Self>>()
            .expect("startup puts the state into every app")
    }
}
