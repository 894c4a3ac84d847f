//! Puts the server together: the same way for `main` and for the tests.

mod listening;
mod parts;
mod working;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use anyhow::Context;

use self::listening::listen_at;
use self::parts::Parts;
use self::working::Working;
use crate::auth::{Passwords, Sealer, SigningKeys};
use crate::config::Config;
use crate::db::PlatformDb;
use crate::doctor;
use crate::http;
use crate::jobs::Registry;
use crate::kernel::Clock;
use crate::live::Hub;
use crate::mail::Mailer;
use crate::metrics;
use crate::platform::Platform;
use crate::redis::Redis;
use crate::routes;
use crate::state::AppState;
use crate::storage::Storage;
use crate::telemetry;
use crate::worker;

/// Looks at what only using a value can tell: addresses, the log filter, the cost of passwords.
/// Asks nobody; to be called on a runtime.
///
/// # Errors
///
/// The section at fault, and why.
pub fn check(config: &Config) -> Result<(), anyhow::Error> {
    let platform = PlatformDb::connect_lazily(&config.database).context("database.url")?;
    let sealer = Sealer::new(&config.auth.token_secret);
    // Nothing is signed here, so it is never looked at.
    let clock = Clock::new(|| time::OffsetDateTime::UNIX_EPOCH);
    let keys = SigningKeys::new(platform, sealer, clock, &config.auth);
    Platform::connect_lazily(config, &keys).context("platform.database_url")?;
    Redis::new(&config.redis).context("redis.url")?;
    Mailer::check(config)?;
    Storage::check(&config.storage).context("storage")?;
    Passwords::new(&config.auth).context("auth.password_memory_kib and auth.password_passes")?;
    http::acceptor(&config.http)?;
    telemetry::filter(&config.log).context("log.filter")?;
    Ok(())
}

/// A server that listens but doesn't serve yet.
pub struct Application {
    addresses: Vec<SocketAddr>,
    server: Server,
    internal: Option<metrics::Port>,
    parts: Parts,
}

/// Stops an application.
#[derive(Debug, Clone)]
pub struct Handle {
    server: ServerHandle,
    live: Hub,
    operators: Option<web::Data<Platform>>,
}

impl Handle {
    /// Stops it; with `graceful` requests in progress may end first, except for those that would
    /// go on for ever.
    pub async fn stop(&self, graceful: bool) {
        self.live.close();
        if let Some(operators) = &self.operators {
            operators.wind_up();
        }
        self.server.stop(graceful).await;
    }
}

impl Application {
    /// Opens the port and begins to read the directory. It doesn't wait for the database: a
    /// server that starts before its database answers 503 until it is there.
    ///
    /// # Errors
    ///
    /// When the port is taken, a part can't be made from its configuration, or a route asks for
    /// no permission.
    pub async fn build(config: Config, clock: Clock) -> Result<Self, anyhow::Error> {
        routes::examine()?;
        let listen = config.http.listen;
        let workers = config.http.workers;
        let shutdown_seconds = config.http.shutdown_seconds;
        let tls = http::acceptor(&config.http)?;
        let mut parts = Parts::assemble(config, clock)?;
        parts.presence = Some(parts.presence());
        parts.runs = parts.work_on_runs();
        if parts.state.config.jobs.inside {
            let operators = parts.operators.clone();
            let registry = worker::registry(&parts.state.config, operators);
            parts.worker = Some(Working::start(&parts.state, registry));
        }
        let state = parts.state.clone();
        let operators = parts.operators.clone();
        let mut server = HttpServer::new(move || {
            let app = App::new()
                .app_data(state.clone())
                .wrap(from_fn(http::represent))
                .wrap(Compress::default())
                .wrap(from_fn(http::cross_origin))
                .wrap(from_fn(http::each_request));
            let app = match &operators {
                Some(operators) => app.app_data(operators.clone()),
                None => app,
            };
            routes::mount(app)
        })
        .disable_signals()
        .shutdown_timeout(shutdown_seconds)
        .client_request_timeout(Duration::from_secs(10));
        if workers > 0 {
            server = server.workers(workers);
        }
        let unread = Duration::from_secs(parts.state.config.http.unread_seconds);
        let server = listen_at(listen, unread)
            .and_then(|socket| match tls {
                Some(tls) => server.listen_rustls_0_23(socket, tls),
                None => server.listen(socket),
            })
            .map_err(|error| anyhow::anyhow!("cannot listen on {listen}: {error}"))?;
        let internal = metrics::Port::bind(&parts.state)?;
        let addresses = server.addrs();
        Ok(Self {
            addresses,
            server: server.run(),
            internal,
            parts,
        })
    }

    /// The same without the dealers' routes: a worker does the jobs that `kinds` knows, and tells how it
    /// is.
    ///
    /// # Errors
    ///
    /// As [`Application::build`].
    pub async fn build_worker(
        config: Config,
        clock: Clock,
        kinds: impl FnOnce(&Config, Option<web::Data<Platform>>) -> Registry<AppState>,
    ) -> Result<Self, anyhow::Error> {
        let listen = config.http.listen;
        let mut parts = Parts::assemble(config, clock)?;
        let registry = kinds(&parts.state.config, parts.operators.clone());
        parts.worker = Some(Working::start(&parts.state, registry));
        let state = parts.state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .wrap(from_fn(http::each_request))
                .configure(http::health::routes)
        })
        .disable_signals()
        .workers(1)
        .bind(listen)
        .map_err(|error| anyhow::anyhow!("cannot listen on {listen}: {error}"))?;
        let internal = metrics::Port::bind(&parts.state)?;
        let addresses = server.addrs();
        Ok(Self {
            addresses,
            server: server.run(),
            internal,
            parts,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Where it tells metrics and health, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.internal.as_ref().map(|internal| internal.address)
    }

    /// What requests see.
    pub fn state(&self) -> Arc<AppState> {
        self.parts.state.clone().into_inner()
    }

    /// Stops it, from wherever.
    pub fn handle(&self) -> Handle {
        Handle {
            server: self.server.handle(),
            live: self.parts.state.live.clone(),
            operators: self.parts.operators.clone(),
        }
    }

    /// Serves until it is stopped, then closes every connection. Dealers are served once the walls
    /// between them were seen to stand.
    ///
    /// # Errors
    ///
    /// When the walls don't stand or connections won't suffice, or when the server itself fails.
    pub async fn run(self) -> Result<(), anyhow::Error> {
        let internal = self.internal.map(|internal| {
            let handle = internal.server.handle();
            (handle, actix_web::rt::spawn(internal.server))
        });
        let served = serve_unless_refused(self.server, &self.parts.state).await;
        // Last, so that machines within can watch the end.
        if let Some((handle, task)) = internal {
            handle.stop(false).await;
            if let Ok(Err(error)) = task.await {
                tracing::warn!(error = %error, "the internal port ended badly");
            }
        }
        self.parts.close().await;
        served
    }
}

async fn serve_unless_refused(
    mut server: Server,
    state: &web::Data<AppState>,
) -> Result<(), anyhow::Error> {
    let examination = doctor::admit(&state.config.database, &state.clock, &state.admission);
    let refused = tokio::select! {
        served = &mut server => return Ok(served?),
        refused = examination => refused,
    };
    let stopped = server.handle().stop(false);
    let (served, ()) = tokio::join!(server, stopped);
    served?;
    Err(refused.into())
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}
