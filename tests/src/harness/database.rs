//! A database for each test, cloned from a template that holds ready dealers.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinSet;
use url::Url;
use uuid::Uuid;

use super::programs::tubex;
use crate::local::account::Account;
use crate::local::place::ThrowAway;
use crate::local::{Durability, Postgres};

/// What login passwords are derived from, in every test database.
pub(super) const SECRET: &str = "a secret for tests, long enough to be one";
/// The dealers of the template: slug and name. Their owners are `owner@<slug>.example`.
pub(super) const READY: [(&str, &str); 3] = [
    ("acme", "Acme Baustoffe"),
    ("bolt", "Bolt Building Supplies"),
    ("core", "Core Stone"),
];
/// The password of every owner.
pub(crate) const PASSWORD: &str = "a fine password for tests";
const TEMPLATE: &str = "tubex_template";
/// How long the end of a test may wait for its database to go.
const PATIENCE: Duration = Duration::from_secs(2);
/// Any number of ours: two makers of the template wait for each other.
const LOCK: i64 = 0x7475_6265_7801;

/// A database of a test's own; it goes when the test ends.
#[derive(Debug)]
pub struct Scratch {
    server: Url,
    name: String,
    /// Its databases on other clusters.
    elsewhere: Vec<(Url, String)>,
}

impl Scratch {
    /// A clone of the template, with its ready dealers.
    ///
    /// # Panics
    ///
    /// Without a test server: run `make test`.
    pub async fn with_dealers() -> Self {
        let scratch = Self::named(&format!("tubex_test_{}", Uuid::now_v7().simple()));
        let mut connection = scratch.server_connection().await;
        prepare_template(&mut connection, &scratch.server).await;
        let create = format!("CREATE DATABASE {} TEMPLATE {TEMPLATE}", scratch.name);
        run(&mut connection, &create).await;
        scratch.close_to_public(&mut connection).await;
        scratch
    }

    /// A clone doesn't inherit the rights on the database itself, so the fence around it is put up
    /// again: nothing for PUBLIC, and our logins may connect.
    async fn close_to_public(&self, connection: &mut PgConnection) {
        let lanes: Vec<String> = sqlx::query_scalar("SELECT login_role FROM platform.lane")
            .fetch_all(&mut self.connect().await)
            .await
            .expect("the clone has lanes");
        let name = &self.name;
        let logins = lanes.join(", ");
        let rights = format!(
            "REVOKE ALL ON DATABASE {name} FROM PUBLIC;
             GRANT CONNECT ON DATABASE {name} TO tubex_server, tubex_jobs, {logins}"
        );
        run(connection, &rights).await;
    }

    /// The same with so many connections in the lane of the ready dealers.
    ///
    /// # Panics
    ///
    /// Without a test server: run `make test`.
    pub async fn with_lane_of(width: i32) -> Self {
        let scratch = Self::with_dealers().await;
        sqlx::query("UPDATE platform.lane SET width = $1")
            .bind(width)
            .execute(&mut scratch.connect().await)
            .await
            .expect("the lane can be narrowed");
        scratch
    }

    /// An empty database.
    ///
    /// # Panics
    ///
    /// Without a test server: run `make test`.
    pub async fn empty() -> Self {
        Self::create_empty(Self::named(&format!(
            "tubex_test_{}",
            Uuid::now_v7().simple()
        )))
        .await
    }

    /// An empty database on a Postgres of its own, which may be stopped. What was committed is there
    /// after a crash; all of it goes with the folder.
    ///
    /// # Panics
    ///
    /// When there can be no such Postgres.
    pub async fn on_its_own_postgres() -> (ThrowAway, Postgres, Self) {
        let account = Account::detect().expect("there is an account for Postgres");
        let folder = ThrowAway::create(&account).expect("there is room for a folder");
        let dir = folder.path().join("postgres");
        let starting = tokio::task::spawn_blocking(move || Postgres::start(&dir, Durability::Kept));
        let started = starting.await.expect("starting it doesn't panic");
        let postgres = started.expect("Postgres starts");
        let server = postgres.url("postgres").parse();
        let scratch = Self::empty_on(&server.expect("its address is one")).await;
        (folder, postgres, scratch)
    }

    /// An empty database on a server of one's own, by its owner's address.
    ///
    /// # Panics
    ///
    /// When the server is gone.
    pub async fn empty_on(server: &Url) -> Self {
        Self::create_empty(Self {
            server: server.clone(),
            name: "tubex_canaries".to_owned(),
            elsewhere: Vec::new(),
        })
        .await
    }

    async fn create_empty(scratch: Self) -> Self {
        let mut connection = scratch.server_connection().await;
        run(
            &mut connection,
            &format!("CREATE DATABASE {}", scratch.name),
        )
        .await;
        scratch
    }

    /// Makes dealers beside those that are there, two at a time. Lanes take so many each.
    ///
    /// # Panics
    ///
    /// When `tubex` fails.
    pub async fn add_dealers(&self, slugs: &[&str], dealers_per_lane: u16) {
        let mut connection = self.connect().await;
        let all_lanes = async |connection: &mut PgConnection, capacity: u16| {
            let capacity = format!("UPDATE platform.lane SET capacity = {capacity}");
            run(connection, &capacity).await;
        };
        for two in slugs.chunks(2) {
            all_lanes(&mut connection, dealers_per_lane).await;
            let mut creating = JoinSet::new();
            for slug in two {
                let (url, slug) = (self.owner_url(), (*slug).to_owned());
                creating.spawn_blocking(move || create_dealer(&url, &slug, &slug, &[]));
            }
            creating.join_all().await;
        }
        // Room for dealers that move.
        all_lanes(&mut connection, 500).await;
    }

    /// Makes the platform and these dealers in an empty database, on lanes of which every other has
    /// one connection only.
    ///
    /// # Panics
    ///
    /// When `tubex` fails.
    pub async fn settle(&self, slugs: &[&str], dealers_per_lane: u16) {
        must(tubex(&self.owner_url(), &["platform", "migrate"], &[]));
        self.add_dealers(slugs, dealers_per_lane).await;
        let narrow = "UPDATE platform.lane SET width = 1 WHERE id IN
             (SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) FROM platform.lane) l
              WHERE row_number % 2 = 0)";
        run(&mut self.connect().await, narrow).await;
    }

    /// Where all servers of this database keep files; gone with it.
    pub fn storage(&self) -> String {
        let folder = std::env::temp_dir()
            .join("tubex_test_storage")
            .join(&self.name);
        folder.to_string_lossy().into_owned()
    }

    fn named(name: &str) -> Self {
        let server = std::env::var("TUBEX_TEST_DATABASE_URL")
            .expect("TUBEX_TEST_DATABASE_URL is set by `make test`; run that");
        let server = Url::parse(&server).expect("TUBEX_TEST_DATABASE_URL is an address");
        Self {
            server,
            name: name.to_owned(),
            elsewhere: Vec::new(),
        }
    }

    /// Adds an empty database on another cluster, which goes with this one, and returns its name.
    pub(super) async fn add_database_on(&mut self, server: &Url) -> String {
        let mut connection = PgConnection::connect(server.as_str())
            .await
            .expect("the clusters of TUBEX_TEST_NODE_URLS are there; run `make test`");
        run(&mut connection, &format!("CREATE DATABASE {}", self.name)).await;
        self.elsewhere.push((server.clone(), self.name.clone()));
        self.name.clone()
    }

    /// Address with the owner's login, for `tubex`.
    pub fn owner_url(&self) -> String {
        self.url_of(&self.server)
    }

    /// Address with the server's login; its password is derived.
    ///
    /// # Panics
    ///
    /// Never: the address was parsed before.
    pub fn server_url(&self) -> String {
        let mut url = self.server.clone();
        url.set_username("tubex_server")
            .expect("postgres addresses have logins");
        url.set_password(None)
            .expect("postgres addresses have logins");
        self.url_of(&url)
    }

    /// The secret of login passwords.
    pub fn secret(&self) -> &'static str {
        SECRET
    }

    /// A connection as the owner, who may do anything: to look from outside.
    ///
    /// # Panics
    ///
    /// When the server is gone.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.owner_url())
            .await
            .expect("the test server is there")
    }

    /// The schema of a dealer.
    ///
    /// # Panics
    ///
    /// When there is no such dealer.
    pub async fn schema_of(&self, slug: &str) -> String {
        sqlx::query_scalar("SELECT schema_name FROM platform.tenant WHERE slug = $1")
            .bind(slug)
            .fetch_one(&mut self.connect().await)
            .await
            .expect("the dealer exists")
    }

    fn url_of(&self, server: &Url) -> String {
        let mut url = server.clone();
        url.set_path(&self.name);
        url.into()
    }

    async fn server_connection(&self) -> PgConnection {
        PgConnection::connect(self.server.as_str())
            .await
            .expect("the server of TUBEX_TEST_DATABASE_URL is there; run `make test`")
    }
}

impl Drop for Scratch {
    /// On a thread of its own, because a runtime can't wait within itself, and not for long:
    /// Postgres drops nothing while a connection is half-way through its sign-in, and such a one
    /// of our own runtime only ends when this process does. The statement ends without us.
    fn drop(&mut self) {
        // Most have none.
        let _none = std::fs::remove_dir_all(self.storage());
        let mut databases = std::mem::take(&mut self.elsewhere);
        databases.push((self.server.clone(), self.name.clone()));
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                for (server, name) in databases {
                    let mut connection = PgConnection::connect(server.as_str()).await?;
                    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    connection.execute(sqlx::AssertSqlSafe(drop)).await?;
                }
                anyhow::Ok(())
            })?;
            anyhow::Ok(done.send(())?)
        });
        // A database left behind goes with the throw-away server.
        let _ = is_done.recv_timeout(PATIENCE);
    }
}

/// Makes the template unless somebody has. It is made under another name and renamed, so that
/// one that is there is whole.
async fn prepare_template(connection: &mut PgConnection, server: &Url) {
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut *connection)
        .await
        .expect("lock");
    let there: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
        .bind(TEMPLATE)
        .fetch_optional(&mut *connection)
        .await
        .expect("the catalogue can be read");
    if there.is_none() {
        let unfinished = format!("{TEMPLATE}_unfinished");
        run(
            connection,
            &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"),
        )
        .await;
        run(connection, &format!("CREATE DATABASE {unfinished}")).await;
        let mut url = server.clone();
        url.set_path(&unfinished);
        fill(url.as_str());
        run(
            connection,
            &format!("ALTER DATABASE {unfinished} RENAME TO {TEMPLATE}"),
        )
        .await;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(LOCK)
        .execute(connection)
        .await
        .expect("lock");
}

fn fill(url: &str) {
    must(tubex(url, &["platform", "migrate"], &[]));
    for (slug, name) in READY {
        create_dealer(url, slug, name, &[]);
    }
}

/// Creates a dealer with an owner who can sign in.
pub(super) fn create_dealer(url: &str, slug: &str, name: &str, more: &[&str]) {
    let email = format!("owner@{slug}.example");
    let arguments = [
        "tenant",
        "create",
        slug,
        "--name",
        name,
        "--owner-email",
        &email,
    ];
    must(tubex(
        url,
        &[&arguments[..], more].concat(),
        &[("TUBEX_OWNER_PASSWORD", PASSWORD)],
    ));
}

/// Shows what a program said when it failed.
pub(super) fn must(output: std::process::Output) {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn run(connection: &mut PgConnection, sql: &str) {
    connection
        .execute(sqlx::AssertSqlSafe(sql))
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}
