//! What checks leave behind that are killed, and how it is told from what is in use: a database by
//! its name, which holds the moment it was made and has no connections; a role by its comment.

use std::time::Duration;

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use super::{ScratchName, connect, options};
use crate::SchemaName;
use crate::check::CheckError;
use crate::history::now;

/// Removes a check's database, and the roles of its schemas, whatever became of the check. Doing it
/// again changes nothing.
///
/// # Errors
///
/// [`CheckError`] when the server can't be reached.
pub async fn discard(server: &SecretString, name: &ScratchName) -> Result<(), CheckError> {
    let mut connection = connect(&options(server)?).await?;
    drop_database(&mut connection, name.as_str()).await;
    let _ = connection.close().await;
    Ok(())
}

/// The statement that marks a schema's role as a check's.
pub(super) fn mark_role(schema: &SchemaName, database: &str) -> String {
    format!("COMMENT ON ROLE {schema} IS 'tubex check {database}'")
}

/// Removes a database and the roles of its schemas.
pub(super) async fn drop_database(connection: &mut PgConnection, name: &str) {
    say(
        connection,
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )
    .await;
    drop_roles(connection, name).await;
}

/// Removes databases of checks that nobody is connected to, and roles whose database is gone.
pub(super) async fn remove_old(connection: &mut PgConnection, age: Duration) {
    let now = now().unix_timestamp();
    for name in texts(connection, IDLE.to_owned()).await {
        let made = ScratchName::parse(&name).and_then(|name| name.made_at());
        // Ages below zero are another machine's clock: theirs are not for us to judge.
        if made.is_some_and(|made| now - made >= age.as_secs() as i64) {
            drop_database(connection, &name).await;
        }
    }
    for name in texts(connection, HOMELESS.to_owned()).await {
        drop_roles(connection, &name).await;
    }
}

const IDLE: &str = "
    SELECT d.datname::text FROM pg_catalog.pg_database d
    WHERE d.datname LIKE 'tubex\\_check\\_%'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datname = d.datname)";

const HOMELESS: &str = "
    SELECT DISTINCT substr(s.description, 13) FROM pg_catalog.pg_shdescription s
    WHERE s.classoid = 'pg_catalog.pg_authid'::regclass
        AND s.description LIKE 'tubex check tubex\\_check\\_%'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_database d
            WHERE d.datname = substr(s.description, 13))";

async fn drop_roles(connection: &mut PgConnection, database: &str) {
    let marked = format!(
        "SELECT r.rolname::text FROM pg_catalog.pg_roles r
         WHERE shobj_description(r.oid, 'pg_authid') = 'tubex check {}'",
        database.replace('\'', "''")
    );
    for role in texts(connection, marked).await {
        // Nobody else's comment can name what is no name of ours.
        if SchemaName::parse(&role).is_ok() {
            say(connection, format!("DROP ROLE IF EXISTS {role}")).await;
        }
    }
}

async fn texts(connection: &mut PgConnection, sql: String) -> Vec<String> {
    match connection.fetch_all(sqlx::query(AssertSqlSafe(sql))).await {
        Ok(rows) => rows.iter().filter_map(|row| row.try_get(0).ok()).collect(),
        Err(error) => {
            tracing::debug!(error = %error, "what checks left behind can't be listed");
            vec![]
        }
    }
}

async fn say(connection: &mut PgConnection, sql: String) {
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
    if let Err(error) = done {
        tracing::debug!(error = %error, "something of a check was left behind");
    }
}
