//! Puts the server together: the same way for `main` and for the tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use anyhow::Context;
use tokio::task::JoinHandle;

use crate::auth::{AccessTokens, Attempts, Passwords, Sessions};
use crate::config::Config;
use crate::db::{Directory, PlatformDb, SecurityLog};
use crate::doctor::{self, Admission};
use crate::http;
use crate::kernel::Clock;
use crate::metrics::{self, Metrics};
use crate::platform::Platform;
use crate::routes;
use crate::state::AppState;
use crate::telemetry;

/// Looks at what only using a value can tell: addresses, the log filter, the cost of passwords.
/// Asks nobody; to be called on a runtime.
///
/// # Errors
///
/// The section at fault, and why.
pub fn check(config: &Config) -> Result<(), anyhow::Error> {
    PlatformDb::connect_lazily(&config.database).context("database.url")?;
    Platform::connect_lazily(config).context("platform.database_url")?;
    Attempts::new(&config.redis, &config.auth).context("redis.url")?;
    Passwords::new(&config.auth).context("auth.password_memory_kib and auth.password_passes")?;
    telemetry::filter(&config.log).context("log.filter")?;
    Ok(())
}

/// A server that listens but doesn't serve yet.
pub struct Application {
    addresses: Vec<SocketAddr>,
    server: Server,
    internal: Option<Internal>,
    parts: Parts,
}

/// The port for machines within: metrics and health, nothing of the dealers.
struct Internal {
    address: SocketAddr,
    server: Server,
}

/// What must be closed after the last request.
#[derive(Debug)]
struct Parts {
    state: web::Data<AppState>,
    platform: PlatformDb,
    /// For operators' requests, if this server takes any.
    operators: Option<web::Data<Platform>>,
    keeper: JoinHandle<()>,
    security_writer: JoinHandle<()>,
}

/// How long the last security events may take to be put on record.
const LAST_EVENTS: Duration = Duration::from_secs(2);

impl Application {
    /// Opens the port and begins to read the directory. It doesn't wait for the database: a
    /// server that starts before its database answers 503 until it is there.
    ///
    /// # Errors
    ///
    /// When the port is taken, or a part can't be made from its configuration.
    pub async fn build(config: Config, clock: Clock) -> Result<Self, anyhow::Error> {
        let listen = config.http.listen;
        let workers = config.http.workers;
        let shutdown_seconds = config.http.shutdown_seconds;
        let parts = Parts::assemble(config, clock)?;
        let state = parts.state.clone();
        let operators = parts.operators.clone();
        let mut server = HttpServer::new(move || {
            let app = App::new()
                .app_data(state.clone())
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
        let server = server
            .bind(listen)
            .map_err(|error| anyhow::anyhow!("cannot listen on {listen}: {error}"))?;
        let internal = Internal::bind(&parts.state)?;
        let addresses = server.addrs();
        Ok(Self {
            addresses,
            server: server.run(),
            internal,
            parts,
        })
    }

    /// The same without the dealers' routes: a worker only tells how it is.
    ///
    /// # Errors
    ///
    /// As [`Application::build`].
    pub async fn build_worker(config: Config, clock: Clock) -> Result<Self, anyhow::Error> {
        let listen = config.http.listen;
        let parts = Parts::assemble(config, clock)?;
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
        let internal = Internal::bind(&parts.state)?;
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

    /// Stops it; with `graceful` requests in progress may end first.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
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

impl Internal {
    /// Opens the port, unless the configuration wants none. It doesn't go through
    /// [`http::each_request`]: scrapes and probes would drown what people look for in the log.
    fn bind(state: &web::Data<AppState>) -> Result<Option<Self>, anyhow::Error> {
        let Some(listen) = state.config.metrics.listen else {
            return Ok(None);
        };
        let state = state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .configure(metrics::http::routes)
                .configure(http::health::routes)
        })
        .disable_signals()
        .workers(1)
        .bind(listen)
        .map_err(|error| anyhow::anyhow!("metrics.listen: cannot listen on {listen}: {error}"))?;
        let address = server.addrs()[0];
        let server = server.run();
        Ok(Some(Self { address, server }))
    }
}

impl Parts {
    fn assemble(config: Config, clock: Clock) -> Result<Self, anyhow::Error> {
        let platform = PlatformDb::connect_lazily(&config.database)?;
        let directory = Directory::new(platform.clone(), &config.database)?;
        let keeper = directory.keep_fresh(&config.database);
        let (security, security_writer) = SecurityLog::start(platform.clone(), clock.clone());
        let operators = Platform::connect_lazily(&config)?.map(web::Data::new);
        let metrics = Metrics::new(&config.metrics, &directory);
        let state = web::Data::new(AppState {
            metrics,
            admission: Admission::new(),
            tokens: AccessTokens::new(&config.auth.token_secret, config.auth.access_minutes),
            sessions: Sessions::new(&config.auth),
            passwords: Passwords::new(&config.auth)?,
            attempts: Attempts::new(&config.redis, &config.auth)?,
            security,
            directory,
            clock,
            config,
        });
        Ok(Self {
            state,
            platform,
            operators,
            keeper,
            security_writer,
        })
    }

    async fn close(self) {
        self.keeper.abort();
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
            operators.close().await;
        }
        self.platform.close().await;
    }
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}
