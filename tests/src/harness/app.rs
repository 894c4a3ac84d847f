//! The app under test: the real server in this process, on a port and a database of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use reqwest::Client;
use server::config::Config;
use server::db::{Address, Found, TenantDb};
use server::kernel::Clock;
use server::{AppState, Application};
use time::OffsetDateTime;
use uuid::Uuid;

use super::actor::{Actor, Dealer};
use super::database::{self, PASSWORD, READY, Scratch};
use super::eventually::eventually;
use super::mails::Postman;

/// A running server and everything around it.
#[derive(Debug)]
pub struct TestApp {
    /// Its database; another app may share it.
    pub database: Arc<Scratch>,
    /// Its inner parts, for what HTTP can't reach.
    pub state: Arc<AppState>,
    base: String,
    metrics_base: String,
    client: Client,
    handle: server::startup::Handle,
    next_dealer: AtomicUsize,
    clock_offset_ms: Arc<AtomicI64>,
    pub(super) postman: Postman,
}

impl TestApp {
    /// A server with the usual configuration.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A server that does background work, too.
    pub async fn start_working() -> Self {
        Self::start_with(&[("TUBEX_JOBS__INSIDE", "true")]).await
    }

    /// A server with some keys of its configuration set, such as
    /// `("TUBEX_AUTH__ACCESS_MINUTES", "1")`.
    pub async fn start_with(keys: &[(&str, &str)]) -> Self {
        Self::start_on(Scratch::with_dealers().await, keys).await
    }

    /// A server on a given database.
    ///
    /// # Panics
    ///
    /// When it doesn't become ready.
    pub async fn start_on(database: impl Into<Arc<Scratch>>, keys: &[(&str, &str)]) -> Self {
        let app = Self::start_unready(database, keys).await;
        let anybody = app.stranger("localhost");
        eventually("the server is ready", async || {
            anybody.get("/readyz").await.status.is_success()
        })
        .await;
        app
    }

    /// A server that may not be ready yet, or ever.
    ///
    /// # Panics
    ///
    /// When it can't be built.
    pub async fn start_unready(database: impl Into<Arc<Scratch>>, keys: &[(&str, &str)]) -> Self {
        let database = database.into();
        let config = Config::from_environment(environment(&database, keys))
            .expect("the test's configuration is fine");
        // What it complains of is printed with the test that fails; the first app of a process starts it.
        server::telemetry::start(&config.log).unwrap_or_default();
        let clock_offset_ms = Arc::new(AtomicI64::new(0));
        let offset = clock_offset_ms.clone();
        let clock = Clock::new(move || {
            OffsetDateTime::now_utc() + time::Duration::milliseconds(offset.load(Ordering::Relaxed))
        });
        let application = Application::build(config, clock)
            .await
            .expect("the app can be built");
        let base = format!("http://{}", application.address());
        let metrics_base = application
            .metrics_address()
            .map_or_else(String::new, |address| format!("http://{address}"));
        let (state, handle) = (application.state(), application.handle());
        actix_web::rt::spawn(application.run());
        Self {
            database,
            state,
            base,
            metrics_base,
            client: Client::new(),
            handle,
            next_dealer: AtomicUsize::new(0),
            clock_offset_ms,
            postman: Postman::default(),
        }
    }

    /// The next of the ready dealers (there are three), with its owner signed in.
    ///
    /// # Panics
    ///
    /// At the fourth.
    pub async fn dealer(&self) -> Dealer {
        let (slug, _) = READY[self.next_dealer.fetch_add(1, Ordering::Relaxed)];
        self.enter(slug).await
    }

    /// A new dealer, made by `tubex`, with its owner signed in.
    ///
    /// # Panics
    ///
    /// When it can't be made.
    pub async fn new_dealer(&self) -> Dealer {
        let slug = format!("d{}", &Uuid::new_v4().simple().to_string()[..12]);
        let (url, name) = (self.database.owner_url(), slug.clone());
        tokio::task::spawn_blocking(move || {
            database::create_dealer(&url, &name, "New Dealer", &[])
        })
        .await
        .expect("tubex creates the dealer");
        self.enter(&slug).await
    }

    /// Somebody at a host who has not signed in.
    pub fn stranger(&self, host: &str) -> Actor {
        Actor::stranger(self.client.clone(), &self.base, host)
    }

    /// A member of a dealer's team with this role, signed in.
    ///
    /// # Panics
    ///
    /// When they can't be made.
    pub async fn member(&self, dealer: &Dealer, role: &str) -> Actor {
        let schema = self.database.schema_of(&dealer.slug).await;
        let email = format!("{role}@{}.example", dealer.slug);
        let insert = format!(
            "INSERT INTO {schema}.member (id, email, name, role, status, password_hash)
             SELECT $1, $2, $3, $3, 'active', password_hash
             FROM {schema}.member WHERE role = 'owner'"
        );
        sqlx::query(sqlx::AssertSqlSafe(insert))
            .bind(Uuid::now_v7())
            .bind(&email)
            .bind(role)
            .execute(&mut self.database.connect_to_home_of(&dealer.slug).await)
            .await
            .expect("the member is new");
        let anybody = dealer.owner.signed_out();
        let reply = anybody.sign_in(&email, PASSWORD).await.expect(200);
        anybody.with_token(reply.json["access_token"].as_str().expect("a token"))
    }

    /// The door to a dealer's rows, as a request gets it.
    ///
    /// # Panics
    ///
    /// When it is shut.
    pub async fn door(&self, dealer: &Dealer) -> TenantDb {
        let address = Address::Slug(dealer.slug.clone());
        let Found::Tenant(tenant) = self.state.directory.find(&address).await else {
            panic!("{} is not in the directory", dealer.slug);
        };
        let door = self.state.directory.enter(&tenant);
        door.expect("an active dealer's door is open")
    }

    /// Runs a statement as the database's owner, beside the server.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub async fn sql(&self, statement: &str) {
        let mut connection = self.database.connect().await;
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// The same for a change of who a dealer's people are or what they may do: with the dealer's
    /// access epoch, as the server's own code does it.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub async fn sql_on_access(&self, schema: &str, statement: &str) {
        self.sql(&format!(
            "BEGIN; {statement};
             INSERT INTO {schema}.access_state AS state (is_only, epoch) VALUES (true, 1)
             ON CONFLICT (is_only) DO UPDATE SET epoch = state.epoch + 1;
             COMMIT"
        ))
        .await;
    }

    /// Waits until so many refusals of a kind are on record for a dealer.
    ///
    /// # Panics
    ///
    /// When they don't come to be.
    pub async fn recorded(&self, kind: &str, dealer: &Dealer, times: i64) {
        let mut connection = self.database.connect().await;
        let count = "SELECT count(*) FROM platform.security_event e
             JOIN platform.tenant t ON t.id = e.tenant_id WHERE e.kind = $1 AND t.slug = $2";
        eventually(kind, async || {
            let count = sqlx::query_scalar::<_, i64>(count)
                .bind(kind)
                .bind(&dealer.slug)
                .fetch_one(&mut connection)
                .await;
            count.expect("events can be counted") == times
        })
        .await;
    }

    /// Lets time pass for the server, but not for the database.
    pub fn advance(&self, by: time::Duration) {
        let by_ms = i64::try_from(by.whole_milliseconds()).expect("a test doesn't take ages");
        self.clock_offset_ms.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// Where it listens, as `http://127.0.0.1:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Where it tells metrics and health, as `http://127.0.0.1:port`; empty when nowhere.
    pub fn metrics_base(&self) -> &str {
        &self.metrics_base
    }

    /// Stops the server once its requests have ended.
    pub async fn stop(&self) {
        self.handle.stop(true).await;
    }

    /// A dealer by its slug, with its owner signed in.
    ///
    /// # Panics
    ///
    /// When it is not one whose owner has the usual password.
    pub async fn enter(&self, slug: &str) -> Dealer {
        let stranger = self.stranger(&format!("{slug}.localhost"));
        let email = format!("owner@{slug}.example");
        let reply = stranger.sign_in(&email, PASSWORD).await.expect(200);
        let token = reply.json["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        let owner = stranger.with_token(&token);
        Dealer {
            slug: slug.to_owned(),
            email,
            password: PASSWORD.to_owned(),
            owner,
        }
    }
}

fn environment(database: &Scratch, keys: &[(&str, &str)]) -> Vec<(String, String)> {
    let redis = std::env::var("TUBEX_TEST_REDIS_URL").unwrap_or_default();
    let url = database.server_url();
    let storage = database.storage();
    // All tests share one Redis, and the ready dealers have the same ids in all of them.
    let prefix = url.rsplit('/').next().unwrap_or_default();
    let usual = [
        ("TUBEX_HTTP__LISTEN", "127.0.0.1:0"),
        ("TUBEX_HTTP__WORKERS", "1"),
        ("TUBEX_METRICS__LISTEN", "127.0.0.1:0"),
        ("TUBEX_DATABASE__URL", url.as_str()),
        ("TUBEX_DATABASE__SECRET", database.secret()),
        ("TUBEX_REDIS__URL", redis.as_str()),
        ("TUBEX_REDIS__PREFIX", prefix),
        ("TUBEX_LOG__FILTER", "warn"),
        ("TUBEX_LOG__FORMAT", "text"),
        ("TUBEX_MAIL__TRANSPORT", "memory"),
        ("TUBEX_STORAGE__DIRECTORY", storage.as_str()),
        // A busy machine is no outage; a test of outages says how long it waits.
        ("TUBEX_DATABASE__ACQUIRE_TIMEOUT_MS", "20000"),
        ("TUBEX_REDIS__TIMEOUT_MS", "5000"),
        (
            "TUBEX_AUTH__TOKEN_SECRET",
            "a token secret for tests, long enough",
        ),
    ];
    let pairs = usual.iter().chain(keys);
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}
