//! The database that migrations are tried in: made and removed by the check, or given to it empty
//! and left empty.

mod name;
mod remains;

use std::str::FromStr as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, SqlxPostgresConnector};
use sea_orm_migration::MigratorTraitSelf;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

pub use self::name::ScratchName;
pub use self::remains::discard;
use self::remains::{drop_database, mark_role};
use super::error::{CheckError, place};
use crate::SchemaName;
use crate::platform::OLDEST_POSTGRES;
use crate::query::column;
use crate::transaction::{Limits, begin, finish};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What connections of the check are called, so that those of migrations are told from them.
pub(super) const APPLICATION: &str = "tubex check";

const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(10),
    statement_timeout: Duration::from_secs(120),
    silence: None,
};

/// Where migrations are tried.
#[derive(Clone, Debug)]
pub enum ScratchAt {
    /// In a database of the check's own, on the server of this address; removed at the end.
    Made {
        /// The address of any database there; the role needs CREATEDB and CREATEROLE.
        server: SecretString,
        /// What it is to be called.
        name: ScratchName,
    },
    /// In this database, which must be empty, and is again at the end.
    Given {
        /// Its address; the role needs CREATE on it, and CREATEROLE.
        database: SecretString,
    },
}

impl ScratchAt {
    /// A database that nobody has thought of a name for.
    pub fn made(server: SecretString) -> Self {
        let name = ScratchName::generate();
        Self::Made { server, name }
    }
}

/// The database.
pub(super) struct Scratch {
    pub(super) db: DatabaseConnection,
    pub(super) options: PgConnectOptions,
    /// The server's other database, where ours was made.
    server: Option<PgConnectOptions>,
    name: String,
    schemas: Mutex<Vec<SchemaName>>,
}

impl Scratch {
    /// Makes the database, or looks at the one that was given.
    pub(super) async fn open(at: &ScratchAt) -> Result<Self, CheckError> {
        let scratch = match at {
            ScratchAt::Made { server, name } => {
                let server = options(server)?;
                let mut connection = connect(&server).await?;
                let name = name.as_str().to_owned();
                // Those of checks that were killed.
                remains::remove_old(&mut connection, Duration::from_secs(3600)).await;
                let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
                let made = connection.execute(sqlx::raw_sql(sql)).await;
                made.map_err(|error| CheckError::of(error, &server))?;
                let _ = connection.close().await;
                let options = server.clone().database(&name);
                Self::at(options, Some(server), name)
            }
            ScratchAt::Given { database } => {
                let options = options(database)?;
                connect(&options).await?.close().await.ok();
                let name = options.get_database().unwrap_or_default().to_owned();
                Self::at(options, None, name)
            }
        };
        match scratch.begin().await {
            Ok(()) => Ok(scratch),
            Err(error) => {
                scratch.remove().await;
                Err(error)
            }
        }
    }

    fn at(options: PgConnectOptions, server: Option<PgConnectOptions>, name: String) -> Self {
        // One for all questions, counted at once: another that began while a migration is watched
        // would be taken for its own.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(PATIENCE)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    let flush = sqlx::raw_sql("SELECT pg_stat_force_next_flush()");
                    connection.execute(flush).await.map(drop)
                })
            })
            .connect_lazy_with(options.clone());
        Self {
            db: SqlxPostgresConnector::from_sqlx_postgres_pool(pool),
            options,
            server,
            name,
            schemas: Mutex::default(),
        }
    }

    async fn begin(&self) -> Result<(), CheckError> {
        let version: Vec<i32> = column(
            &self.db,
            "SELECT current_setting('server_version_num')::integer",
            [],
        )
        .await
        .map_err(|error| self.trouble(error))?;
        if let Some(version) = version.first()
            && *version < OLDEST_POSTGRES
        {
            return Err(CheckError::TooOld(*version));
        }
        let there: Vec<String> = column(&self.db, STRANGERS, [])
            .await
            .map_err(|error| self.trouble(error))?;
        match there.is_empty() {
            true => Ok(()),
            false => Err(CheckError::NotEmpty(there)),
        }
    }

    /// Makes the platform's schema and `shared`, which tenants' migrations rely on.
    pub(super) async fn lay_ground(
        &self,
        platform: &impl MigratorTraitSelf,
    ) -> Result<(), CheckError> {
        let laid = async {
            let tx = begin(&self.db, LIMITS).await?;
            let outcome = async {
                tx.execute_unprepared(
                    "CREATE SCHEMA platform; SET LOCAL search_path = platform, pg_temp",
                )
                .await?;
                platform.up(&tx, None).await
            };
            let outcome = outcome.await;
            finish(tx, outcome).await
        };
        laid.await.map_err(|error: DbErr| self.trouble(error))
    }

    /// A schema name of our own, remembered to be removed; its role is marked once it is there.
    pub(super) fn name_schema(&self) -> Result<SchemaName, CheckError> {
        let schema = SchemaName::generate().map_err(CheckError::Randomness)?;
        let mut schemas = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        schemas.push(schema.clone());
        Ok(schema)
    }

    /// What marks a schema's role as this check's, to be said where it is made.
    pub(super) fn mark(&self, schema: &SchemaName) -> String {
        mark_role(schema, &self.name)
    }

    /// A failure of the scratch database itself.
    pub(super) fn trouble(&self, error: DbErr) -> CheckError {
        CheckError::of_db(error, &self.options)
    }

    /// Removes all that was made. What can't be removed now is removed by the next check.
    pub(super) async fn remove(self) {
        let schemas =
            std::mem::take(&mut *self.schemas.lock().unwrap_or_else(PoisonError::into_inner));
        if self.server.is_none() {
            for schema in &schemas {
                let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
                quietly(self.db.execute_unprepared(&sql).await);
            }
            let sql =
                "DROP SCHEMA IF EXISTS platform CASCADE; DROP SCHEMA IF EXISTS shared CASCADE";
            quietly(self.db.execute_unprepared(sql).await);
            for schema in &schemas {
                let sql = format!("DROP OWNED BY {schema}; DROP ROLE {schema}");
                quietly(self.db.execute_unprepared(&sql).await);
            }
        }
        let _ = tokio::time::timeout(PATIENCE, self.db.close()).await;
        if let Some(server) = &self.server {
            match connect(server).await {
                Ok(mut connection) => {
                    drop_database(&mut connection, &self.name).await;
                    let _ = connection.close().await;
                }
                Err(error) => {
                    tracing::warn!(error = %error, database = self.name, "left behind");
                }
            }
        }
    }
}

/// Relations that are no part of Postgres or of an extension.
const STRANGERS: &str = "
    SELECT n.nspname || '.' || c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                AND d.deptype = 'e')
    ORDER BY 1 LIMIT 3";

fn quietly<T>(outcome: Result<T, DbErr>) {
    if let Err(error) = outcome {
        tracing::debug!(error = %error, "something of a check was left behind");
    }
}

pub(super) fn options(url: &SecretString) -> Result<PgConnectOptions, CheckError> {
    let options = PgConnectOptions::from_str(url.expose_secret());
    // The parser's own words may quote the text, and the password is in it.
    let options = options.map_err(|_| CheckError::Address)?;
    Ok(options
        .application_name(APPLICATION)
        .disable_statement_logging())
}

pub(super) async fn connect(options: &PgConnectOptions) -> Result<sqlx::PgConnection, CheckError> {
    match tokio::time::timeout(PATIENCE, options.connect()).await {
        Ok(connected) => connected.map_err(|error| CheckError::of(error, options)),
        Err(_) => Err(CheckError::Silent(place(options))),
    }
}
