//! The end of a schema, a few tables at a time: dropping all at once takes hundreds of locks, and
//! Postgres has a fixed number of them for everybody.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr};

use crate::jobs;
use crate::query::column;
use crate::transaction::{Limits, act_as_owner, begin, finish};
use crate::{SchemaName, Trouble, db_trouble};

/// Tables at a time; each takes about ten locks with its indexes.
const BATCH: i64 = 16;
/// How often a batch that meets somebody's lock is tried, and how long it waits each time.
const TRIES: u32 = 30;

/// Short: whoever comes after us on a table would wait behind us.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(1),
    statement_timeout: Duration::from_secs(120),
    silence: None,
};

/// For writers, who are ended by their own limits.
const PATIENT: Limits = Limits {
    lock_timeout: Duration::from_secs(60),
    statement_timeout: Duration::from_secs(120),
    silence: None,
};

const TABLES: &str = "
    SELECT quote_ident(c.relname) FROM pg_catalog.pg_class c
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.oid = ANY (ARRAY(
        SELECT d.objid FROM pg_catalog.pg_depend d
        WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
            AND d.refobjid = to_regnamespace($1)::oid
            AND d.classid = 'pg_catalog.pg_class'::regclass))
    ORDER BY c.relname LIMIT $2";

/// Drops all tables of a schema, each batch in a transaction of its own.
pub(super) async fn dismantle(
    database: &DatabaseConnection,
    schema: &SchemaName,
) -> Result<(), DbErr> {
    let mut tries = 0;
    loop {
        match drop_some(database, schema).await {
            Ok(0) => return Ok(()),
            Ok(_) => tries = 0,
            // They wait a second for the lock each time, and so need no pause between.
            Err(error) if db_trouble(&error) == Trouble::Busy && tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Waits until all that was being written when we came is committed or undone.
pub(super) async fn wait_for_writers(
    database: &DatabaseConnection,
    schema: &SchemaName,
) -> Result<(), DbErr> {
    let tx = begin(database, PATIENT).await?;
    let outcome = async {
        act_as_owner(&tx).await?;
        let tables: Vec<String> =
            column(&tx, TABLES, [schema.as_str().into(), i64::MAX.into()]).await?;
        for table in tables {
            // Conflicts with writers, and not with readers.
            let sql = format!("LOCK TABLE {schema}.{table} IN SHARE MODE");
            tx.execute_unprepared(&sql).await?;
        }
        Ok(())
    };
    let outcome = outcome.await;
    finish(tx, outcome).await
}

async fn drop_some(database: &DatabaseConnection, schema: &SchemaName) -> Result<usize, DbErr> {
    let tx = begin(database, LIMITS).await?;
    let outcome = async {
        act_as_owner(&tx).await?;
        let tables: Vec<String> =
            column(&tx, TABLES, [schema.as_str().into(), BATCH.into()]).await?;
        let named: Vec<_> = tables
            .iter()
            .map(|name| format!("{schema}.{name}"))
            .collect();
        if !named.is_empty() {
            let sql = format!("DROP TABLE {} CASCADE", named.join(", "));
            tx.execute_unprepared(&sql).await?;
        }
        Ok(named.len())
    };
    let outcome = outcome.await;
    finish(tx, outcome).await
}

/// Drops what is left of a schema, and its role with all that it may become or be.
pub(super) async fn remove(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<(), DbErr> {
    let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; DROP ROLE IF EXISTS {schema}");
    tx.execute_unprepared(&sql).await?;
    jobs::forget(tx, schema).await
}
