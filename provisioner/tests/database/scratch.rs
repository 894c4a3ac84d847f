//! A database of its own for each test, removed with its roles when the test ends, well or not.

use std::panic::resume_unwind;
use std::process::Command;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex};

use migration::{NodeMigrator, PlatformMigrator};
use provisioner::nodes::NewNode;
use provisioner::platform::{self, FenceRule, PlatformOptions, PlatformReport};
use provisioner::{
    Label, LaneOptions, NodeConnector, Product, Provisioner, RoleName, login_password,
};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, SqlxPostgresConnector, Statement,
    TryGetable,
};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection};
use uuid::Uuid;

use crate::toy::Toy;

/// A database, and the role that owns the platform in it.
pub(crate) struct Scratch {
    pub(crate) name: String,
    pub(crate) db: DatabaseConnection,
    pub(crate) server_role: RoleName,
    options: PgConnectOptions,
    others: Mutex<Vec<String>>,
}

/// Another database of the same cluster, which can be a node.
pub(crate) struct Other {
    pub(crate) name: String,
    pub(crate) db: DatabaseConnection,
}

/// Runs a test on an empty database.
pub(crate) async fn empty<T: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce(Arc<Scratch>) -> T,
) {
    let scratch = Arc::new(Scratch::new().await);
    let outcome = tokio::spawn(test(Arc::clone(&scratch))).await;
    scratch.remove().await;
    if let Err(join) = outcome {
        resume_unwind(join.into_panic());
    }
}

/// Runs a test on a database with a platform.
pub(crate) async fn ready<T: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce(Arc<Scratch>) -> T + Send + 'static,
) {
    empty(|scratch| async move {
        scratch.migrate_platform().await;
        test(scratch).await;
    })
    .await;
}

/// What all logins of the tests are derived from.
pub(crate) fn secret() -> SecretString {
    "only for tests, and long enough for them".into()
}

impl Scratch {
    async fn new() -> Self {
        let options = base();
        let id = Uuid::now_v7().simple().to_string();
        let name = format!("tubex_p_{id}");
        let admin = pool(options.clone(), 1);
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let options = options.database(&name);
        Self {
            db: pool(options.clone(), 8),
            // Roles are the cluster's: a name of our own keeps the tests apart.
            server_role: RoleName::parse(&format!("server_{id}")).unwrap(),
            name,
            options,
            others: Mutex::default(),
        }
    }

    /// An empty database beside this one, removed with it.
    pub(crate) async fn other_database(&self) -> Other {
        let name = format!("tubex_n_{}", Uuid::now_v7().simple());
        pool(base(), 1)
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        self.others.lock().unwrap().push(name.clone());
        Other {
            db: pool(self.options.clone().database(&name), 4),
            name,
        }
    }

    /// Another database that is a node by the name of `n2`, and a provisioner that knows the way.
    pub(crate) async fn second_node(&self) -> Other {
        let other = self.other_database().await;
        self.provisioner(Toy::first())
            .with_nodes(self.connector())
            .add_node(self.node("n2", &other), NodeMigrator, FenceRule::Complete)
            .await
            .unwrap();
        other
    }

    /// The other database as a node to be added.
    pub(crate) fn node(&self, name: &str, other: &Other) -> NewNode {
        NewNode {
            name: Label::parse(name).unwrap(),
            host: self.options.get_host().to_owned(),
            port: None,
            database: Some(other.name.clone()),
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.options.get_host()
    }

    /// The way to other nodes.
    pub(crate) fn connector(&self) -> NodeConnector {
        NodeConnector::new(self.url().into())
    }

    /// A provisioner that knows the way to other nodes.
    pub(crate) fn provisioner_with_nodes(&self, toy: Toy) -> Provisioner<Toy> {
        self.provisioner(toy).with_nodes(self.connector())
    }

    /// Brings the platform to head.
    pub(crate) async fn migrate_platform(&self) -> PlatformReport {
        platform::migrate(&self.db, PlatformMigrator, self.platform_options())
            .await
            .unwrap()
    }

    pub(crate) fn platform_options(&self) -> PlatformOptions {
        PlatformOptions {
            server_role: self.server_role.clone(),
            fence: FenceRule::Complete,
            ..PlatformOptions::new(secret())
        }
    }

    pub(crate) fn provisioner(&self, toy: Toy) -> Provisioner<Toy> {
        Provisioner::new(self.db.clone(), secret(), toy)
    }

    /// A provisioner of another product than the toy.
    pub(crate) fn provisioner_of<P: Product>(&self, product: P) -> Provisioner<P> {
        Provisioner::new(self.db.clone(), secret(), product)
    }

    pub(crate) fn provisioner_with_lanes(&self, toy: Toy, lanes: LaneOptions) -> Provisioner<Toy> {
        Provisioner::with_lanes(self.db.clone(), secret(), toy, lanes)
    }

    /// The database's address, for another process.
    fn url(&self) -> String {
        let mut url = self.options.to_url_lossy();
        url.set_path(&self.name);
        url.to_string()
    }

    /// The command line, pointed at this database.
    pub(crate) fn tubex(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tubex"));
        command
            .env("TUBEX_DATABASE__URL", self.url())
            .env("TUBEX_DATABASE__SECRET", secret().expose_secret())
            .env_remove("TUBEX_OWNER_PASSWORD")
            .env_remove("TUBEX_LOG");
        command
    }

    /// A pool of one connection.
    pub(crate) fn single_connection(&self) -> DatabaseConnection {
        pool(self.options.clone(), 1)
    }

    /// Logs in as a role of ours, with the password that a server would derive.
    pub(crate) async fn log_in(&self, role: &str) -> Result<PgConnection, sqlx::Error> {
        let password = login_password(&secret(), role);
        self.options
            .clone()
            .username(role)
            .password(password.expose_secret())
            .connect()
            .await
    }

    /// The same as a pool, for what comes through sea-orm.
    pub(crate) fn log_in_pooled(&self, role: &str) -> DatabaseConnection {
        let password = login_password(&secret(), role);
        pool(
            self.options
                .clone()
                .username(role)
                .password(password.expose_secret()),
            1,
        )
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.db.execute_unprepared(sql).await.unwrap();
    }

    /// The first column of all rows.
    pub(crate) async fn column<T: TryGetable>(&self, sql: &str) -> Vec<T> {
        Self::column_of(&self.db, sql).await
    }

    /// The same in another database.
    pub(crate) async fn column_of<T: TryGetable>(db: &DatabaseConnection, sql: &str) -> Vec<T> {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let rows = db.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.column(&format!("SELECT count(*) FROM ({sql}) counted"))
            .await[0]
    }

    /// Says that schemas, roles and directory agree: nothing stands alone.
    pub(crate) async fn assert_no_orphans(&self) {
        let listed: Vec<String> = self
            .column(
                "SELECT schema_name FROM platform.tenant
                 WHERE status NOT IN ('archived', 'gone') ORDER BY 1",
            )
            .await;
        let schemas: Vec<String> = self
            .column(r"SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_' ORDER BY 1")
            .await;
        let members: Vec<String> = self
            .column(
                "SELECT m.roleid::regrole::text FROM pg_auth_members m
                 JOIN platform.lane l ON m.member = l.login_role::regrole
                 ORDER BY 1",
            )
            .await;
        let born: Vec<String> = self
            .column(
                "SELECT t.schema_name FROM platform.tenant t
                 JOIN platform.tenant_event e ON e.tenant_id = t.id AND e.kind = 'created'
                 WHERE t.status NOT IN ('provisioning', 'archived', 'gone') ORDER BY 1",
            )
            .await;

        assert_eq!(schemas, listed);
        assert_eq!(members, listed);
        assert_eq!(born, listed);
    }

    /// Says that each tenant's role is open to the lane of its entry and to no other, on whichever
    /// node, and that nobody is on a lane that is full.
    pub(crate) async fn assert_memberships(&self) {
        let listed: Vec<String> = self
            .column(
                "SELECT t.schema_name || ' ' || l.login_role FROM platform.tenant t
                 JOIN platform.lane l ON l.id = t.lane_id
                 WHERE t.status NOT IN ('archived', 'gone', 'provisioning') ORDER BY 1",
            )
            .await;
        let real: Vec<String> = self
            .column(
                "SELECT t.schema_name || ' ' || m.member::regrole::text
                 FROM platform.tenant t
                 JOIN pg_auth_members m ON m.roleid = to_regrole(t.schema_name)
                 WHERE t.status NOT IN ('archived', 'gone', 'provisioning') ORDER BY 1",
            )
            .await;
        assert_eq!(real, listed);
        assert_eq!(self.most_over_capacity().await, 0);
    }

    /// By how many members a lane's login exceeds its capacity at most.
    pub(crate) async fn most_over_capacity(&self) -> i64 {
        self.column(
            "SELECT coalesce(max(greatest(held - capacity, 0)), 0)::bigint
             FROM platform.lane l CROSS JOIN LATERAL (
                 SELECT count(*) AS held FROM pg_auth_members m
                 WHERE m.member = to_regrole(l.login_role)) room",
        )
        .await[0]
    }

    async fn remove(&self) {
        let mut roles = vec![self.server_role.as_str().to_owned()];
        let has_platform = self
            .count("SELECT WHERE to_regclass('platform.lane') IS NOT NULL")
            .await;
        if has_platform == 1 {
            let known = "SELECT schema_name FROM platform.tenant
                         UNION ALL SELECT login_role FROM platform.lane";
            roles.extend(self.column::<String>(known).await);
        }
        self.db.get_postgres_connection_pool().close().await;
        let admin = pool(base(), 1);
        admin
            .execute_unprepared(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await
            .unwrap();
        let others = std::mem::take(&mut *self.others.lock().unwrap());
        for other in others {
            admin
                .execute_unprepared(&format!("DROP DATABASE {other} WITH (FORCE)"))
                .await
                .unwrap();
        }
        for role in roles {
            admin
                .execute_unprepared(&format!("DROP ROLE IF EXISTS {role}"))
                .await
                .unwrap();
        }
    }
}

/// The superuser's connection that the tests were given.
fn base() -> PgConnectOptions {
    let url = std::env::var("TUBEX_TEST_DATABASE_URL")
        .expect("TUBEX_TEST_DATABASE_URL is not set: run `make test`, which starts a Postgres");
    PgConnectOptions::from_str(&url)
        .unwrap()
        .disable_statement_logging()
}

fn pool(options: PgConnectOptions, width: u32) -> DatabaseConnection {
    let pool = PgPoolOptions::new()
        .max_connections(width)
        .connect_lazy_with(options);
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}
