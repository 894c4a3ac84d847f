//! The connection of the command line, and clear words when there is none.

use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use super::failure::Failure;

/// Enough for all that may work on a run at once, and for looking at it meanwhile.
const CONNECTIONS: u32 = 20;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects, and says precisely why if that fails. Never shows the password.
pub(super) async fn open(url: &SecretString) -> Result<DatabaseConnection, Failure> {
    let options = PgConnectOptions::from_str(url.expose_secret())
        .map_err(|_| {
            // The parser's own words may quote the text, and the password is in it.
            Failure::usage("the database URL cannot be read")
                .hint("it looks like postgres://user:password@host:5432/database")
        })?
        .application_name("tubex")
        // A statement that makes a login carries its verifier; nothing of it belongs in a log.
        .disable_statement_logging();
    // A single connection first: a pool hides the reason behind its time-out.
    let first = tokio::time::timeout(PATIENCE, options.connect())
        .await
        .map_err(|_| unreachable(&options, "it did not answer in time"))?
        .map_err(|error| explain(&options, &error))?;
    // Only a farewell; if it fails the server hangs up for us.
    let _ = first.close().await;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options);
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

fn explain(options: &PgConnectOptions, error: &sqlx::Error) -> Failure {
    let code = match error {
        sqlx::Error::Database(refusal) => refusal.code().map(|code| code.into_owned()),
        _ => None,
    };
    match code.as_deref() {
        Some("28P01" | "28000") => Failure::stuck(
            "login_refused",
            format!(
                "{} refused the login of {:?}",
                target(options),
                options.get_username()
            ),
        )
        .hint("check user and password in the database URL"),
        Some("3D000") => {
            Failure::stuck("no_database", format!("{} does not exist", target(options)))
                .hint("create it first, with: createdb, or CREATE DATABASE")
        }
        Some("42501") => Failure::stuck(
            "denied",
            format!(
                "{:?} may not connect to {}",
                options.get_username(),
                target(options)
            ),
        )
        .hint("connect as the role that owns the platform"),
        Some("53300") => Failure::stuck(
            "too_many_connections",
            format!("{} takes no more connections", target(options)),
        )
        .hint("try again later, or raise max_connections"),
        _ => unreachable(options, &error.to_string()),
    }
}

fn unreachable(options: &PgConnectOptions, reason: &str) -> Failure {
    Failure::stuck(
        "no_connection",
        format!("{} cannot be reached: {reason}", target(options)),
    )
    .hint("is the server running there, and does it take connections from here?")
}

/// Where we tried to go, without the password.
fn target(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    format!(
        "database {database:?} at {}:{}",
        options.get_host(),
        options.get_port()
    )
}
