//! Clones carry a mark, and whoever made them holds a lock of that name for as long as it lives.
//! A mark whose lock is free is a dead rehearsal's, and what carries it goes.

use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, RuntimeErr};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

use super::LIMITS;
use crate::SchemaName;
use crate::query::{all, column, one};
use crate::transaction::{act_as_owner, begin, finish};

/// What the comments of a clone's schema and role begin with; the rehearsal's id follows.
pub(crate) const MARK: &str = "tubex rehearsal ";

/// The mark of a rehearsal.
pub(super) fn mark(id: Uuid) -> String {
    format!("{MARK}{id}")
}

/// Says on a node that a rehearsal is alive, until it is dropped or its process dies.
#[derive(Debug)]
pub(super) struct Life(PgConnection);

impl Life {
    pub(super) async fn begin(node: &DatabaseConnection, mark: &str) -> Result<Self, DbErr> {
        #[expect(
            clippy::disallowed_methods,
            reason = "it leaves the pool at once, and its lock ends with it"
        )]
        let connection = node.get_postgres_connection_pool().acquire().await;
        let mut connection = connection.map_err(trouble)?.detach();
        // A mark is a word of ours and a number.
        let lock = format!("SELECT pg_advisory_lock(hashtextextended('{mark}', 0))");
        let lock = sqlx::raw_sql(sqlx::AssertSqlSafe(lock));
        connection.execute(lock).await.map_err(trouble)?;
        Ok(Self(connection))
    }

    pub(super) async fn end(self) {
        // Whether it heard us or not, the connection is gone.
        let _ = self.0.close().await;
    }
}

fn trouble(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Removes the clones of dead rehearsals from a node; says what could not be removed yet.
pub(super) async fn remove_dead(
    platform: &DatabaseConnection,
    node: &DatabaseConnection,
) -> Result<Vec<String>, DbErr> {
    let marked = all(
        node,
        "SELECT n.nspname::text AS schema, d.description AS mark
         FROM pg_catalog.pg_description d
         JOIN pg_catalog.pg_namespace n ON n.oid = d.objoid
         WHERE d.classoid = 'pg_catalog.pg_namespace'::regclass AND d.description LIKE $1 || '%'
         ORDER BY 1",
        [MARK.into()],
    );
    let mut notes = vec![];
    for row in marked.await? {
        let (schema, mark): (String, String) =
            (row.try_get("", "schema")?, row.try_get("", "mark")?);
        let Ok(schema) = SchemaName::parse(&schema) else {
            continue;
        };
        if is_somebodys(platform, &schema).await? {
            notes.push(format!(
                "schema {schema} is marked as a clone and is a tenant's: left alone"
            ));
            continue;
        }
        if let Err(error) = remove_if_dead(node, &schema, &mark).await {
            let error = crate::db_error::describe(&error);
            notes.push(format!(
                "the clone {schema} of a dead rehearsal is still there: {error}"
            ));
        }
    }
    Ok(notes)
}

async fn is_somebodys(platform: &DatabaseConnection, schema: &SchemaName) -> Result<bool, DbErr> {
    let found: Vec<i32> = column(
        platform,
        "SELECT 1 FROM platform.tenant WHERE schema_name = $1",
        [schema.as_str().into()],
    )
    .await?;
    Ok(!found.is_empty())
}

async fn remove_if_dead(
    node: &DatabaseConnection,
    schema: &SchemaName,
    mark: &str,
) -> Result<(), DbErr> {
    let tx = begin(node, LIMITS).await?;
    let outcome = async {
        let lock = one(
            &tx,
            "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_dead",
            [mark.into()],
        );
        let is_dead = lock.await?.map(|row| row.try_get::<bool>("", "is_dead"));
        if is_dead.transpose()?.unwrap_or_default() {
            drop_clone(&tx, schema).await?;
        }
        Ok(())
    };
    let outcome = outcome.await;
    finish(tx, outcome).await
}

/// Removes a clone.
pub(super) async fn remove(node: &DatabaseConnection, schema: &SchemaName) -> Result<(), DbErr> {
    let tx = begin(node, LIMITS).await?;
    let outcome = drop_clone(&tx, schema).await;
    finish(tx, outcome).await
}

async fn drop_clone(tx: &sea_orm::DatabaseTransaction, schema: &SchemaName) -> Result<(), DbErr> {
    act_as_owner(tx).await?;
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; DROP ROLE IF EXISTS {schema}");
    tx.execute_unprepared(&sql).await?;
    Ok(())
}
