//! The parts of a server: put together in the order of their needs, and closed in reverse.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio::task::JoinHandle;

use super::working::Working;
use crate::auth::{
    Access, AccessTokens, Attempts, CursorSeals, KeyTrail, Passwords, Sealer, Sessions, SigningKeys,
};
use crate::cache::Caches;
use crate::config::Config;
use crate::db::{Directory, Memberships, PlatformDb, SecurityLog};
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
use crate::platform::Platform;
use crate::presence::Presence;
use crate::redis::Redis;
use crate::state::AppState;
use crate::storage::Storage;

/// What must be closed after the last request.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) state: web::Data<AppState>,
    platform: PlatformDb,
    /// For operators' requests, if this server takes any.
    pub(super) operators: Option<web::Data<Platform>>,
    /// Who works on migration runs here.
    pub(super) runs: Option<JoinHandle<()>>,
    /// What the platform is told of this process, if it serves dealers.
    pub(super) presence: Option<Presence>,
    /// Who does background work here, if anybody.
    pub(super) worker: Option<Working>,
    keeper: JoinHandle<()>,
    /// Who keeps the signing keys as they should be.
    key_keeper: JoinHandle<()>,
    /// Who writes down what API keys did.
    trail_keeper: JoinHandle<()>,
    security_writer: JoinHandle<()>,
    /// Who wakes those who follow events.
    caller: JoinHandle<()>,
}

/// How long the last security events may take to be put on record.
const LAST_EVENTS: Duration = Duration::from_secs(2);

impl Parts {
    pub(super) fn assemble(config: Config, clock: Clock) -> Result<Self, anyhow::Error> {
        let platform = PlatformDb::connect_lazily(&config.database)?;
        let directory = Directory::new(platform.clone(), &config.database)?;
        let keeper = directory.keep_fresh(&config.database);
        let (security, security_writer) = SecurityLog::start(platform.clone(), clock.clone());
        let sealer = Sealer::new(&config.auth.token_secret);
        let keys = SigningKeys::new(
            platform.clone(),
            sealer.clone(),
            clock.clone(),
            &config.auth,
        );
        let key_keeper = keys.keep_fresh();
        let operators = Platform::connect_lazily(&config, &keys)?.map(web::Data::new);
        let redis = Redis::new(&config.redis)?;
        let caches = Caches::new(redis.clone(), sealer.clone());
        let access = Access::new(&caches);
        let mailer = Mailer::new(&config, sealer.clone())?;
        let (live, caller) = Hub::start(&directory, &access, &clock, &config.live);
        let deprecations = Deprecations::new(&config.api);
        let key_trail = KeyTrail::new();
        let trail_keeper = key_trail.keep(directory.clone());
        let (heard, told_at) = (key_trail.clone(), clock.clone());
        deprecations.tell(move |tenant, key, operation| {
            heard.called(tenant, key, operation, told_at.now());
        });
        let work = Arc::new(jobs::Stats::default());
        let metrics = Metrics::new(
            &config.metrics,
            &directory,
            (&redis, &caches),
            (&work, live.tally()),
            &deprecations,
        );
        let state = web::Data::new(AppState {
            metrics,
            work,
            admission: Admission::new(),
            tokens: AccessTokens::new(keys.clone(), config.auth.access_minutes),
            keys,
            settings: access.settings(&caches),
            access,
            caches,
            sessions: Sessions::new(&config.auth, &sealer),
            key_trail,
            cursors: CursorSeals::new(&sealer),
            sealer,
            passwords: Passwords::new(&config.auth)?,
            attempts: Attempts::new(redis.clone(), clock.clone(), &config.auth),
            mailer,
            memberships: Memberships::new(platform.clone()),
            identity_providers: IdentityProviders::new(&config.sso)?,
            storage: Storage::open(&config.storage)?,
            egress: Egress::new(&config.webhooks)?,
            deprecations,
            limits: RateLimits::new(redis.clone(), &config.database),
            redis,
            live,
            security,
            directory,
            clock,
            config,
        });
        Ok(Self {
            state,
            platform,
            operators,
            runs: None,
            presence: None,
            worker: None,
            keeper,
            key_keeper,
            trail_keeper,
            security_writer,
            caller,
        })
    }

    pub(super) fn presence(&self) -> Presence {
        let state = self.state.clone();
        let every = Duration::from_secs(state.config.metrics.publish_seconds);
        let (platform, metrics) = (self.platform.clone(), state.metrics.clone());
        Presence::start(platform, metrics, every, async move {
            state.admission.opened().await;
        })
    }

    pub(super) fn work_on_runs(&self) -> Option<JoinHandle<()>> {
        let operators = self.operators.clone()?;
        let works = self.state.config.platform.works;
        works.then(|| tokio::spawn(async move { operators.work().await }))
    }

    pub(super) async fn close(self) {
        // First: what it does needs all the rest.
        if let Some(worker) = self.worker {
            worker.end().await;
        }
        self.trail_keeper.abort();
        let last = self.state.key_trail.write(&self.state.directory);
        if tokio::time::timeout(LAST_EVENTS, last).await.is_err() {
            tracing::warn!("the last uses of API keys may be missing");
        }
        self.state.live.close();
        self.caller.abort();
        self.keeper.abort();
        self.key_keeper.abort();
        if let Some(presence) = self.presence {
            presence.leave().await;
        }
        self.state.directory.close();
        // The writer ends by itself once nobody can send to it any more.
        drop(self.state);
        if tokio::time::timeout(LAST_EVENTS, self.security_writer)
            .await
            .is_err()
        {
            tracing::warn!("the last security events may be missing from the record");
        }
        if let Some(operators) = &self.operators {
            operators.wind_up();
            wait_for_runs(self.runs).await;
            operators.close().await;
        }
        self.platform.close().await;
    }
}

/// Whoever has a tenant in hand finishes it; a longer one is taken up by somebody else.
async fn wait_for_runs(task: Option<JoinHandle<()>>) {
    if let Some(mut task) = task
        && tokio::time::timeout(LAST_EVENTS, &mut task).await.is_err()
    {
        tracing::warn!("work on a migration run is left to others");
        task.abort();
    }
}
