//! What every request may ask for. Built once by `startup`, shared by all threads.

use std::sync::Arc;

use actix_web::{HttpRequest, web};

use crate::auth::{Access, AccessTokens, Attempts, OfTenant, Passwords, Sealer, Sessions};
use crate::config::Config;
use crate::db::{Directory, SecurityLog};
use crate::doctor::Admission;
use crate::kernel::Clock;
use crate::metrics::Metrics;

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
    /// Signs and verifies access tokens.
    pub tokens: AccessTokens<OfTenant>,
    /// Who asks, and what they may do.
    pub access: Access,
    /// Seals what is kept secret at rest.
    pub sealer: Sealer,
    /// Begins and ends sessions.
    pub sessions: Sessions,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Counts failed attempts.
    pub attempts: Attempts,
    /// Keeps record of refused requests.
    pub security: SecurityLog,
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
