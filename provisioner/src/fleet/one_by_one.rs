//! What cannot be part of the message: an index that is built beside traffic, and rows that are
//! changed batch by batch. Both can be cut anywhere and are gone on with: an index that was left
//! invalid is dropped and built again, and a batch finds only rows that are still to be done.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr, RuntimeErr};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _, Row as _};

use super::apply::{Cut, Shift, hold};
use super::claim::Claimed;
use crate::query::{one, run};
use crate::transaction::{Limits, act_as_owner, begin, enter, finish, to_the_end};
use crate::{Inner, Product, SchemaName};

/// Building an index beside traffic waits for everybody who was there before, and holds nothing
/// meanwhile that others need: it may wait longer than a lock.
const BUILD_LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Session locks of those who build in a schema; another class than the one of messages, which
/// would otherwise wait for a whole build.
const BUILD_LOCK: i32 = 0x7ab4;

/// The session form of `act_as_owner`.
const BECOME_OWNER: &str = "
    DO $body$
    DECLARE
        owner name := (SELECT pg_get_userbyid(nspowner) FROM pg_namespace
            WHERE nspname IN ('platform', 'shared') ORDER BY nspname LIMIT 1);
    BEGIN
        IF owner <> current_user THEN
            EXECUTE format('SET ROLE %I', owner);
        END IF;
    END $body$";

/// Builds an index, if it isn't there yet.
pub(super) async fn build_index<P: Product>(
    inner: &Arc<Inner<P>>,
    shift: &Shift,
    name: &str,
    statement: &str,
    tenant: &Claimed,
) -> Result<(), Cut> {
    {
        // Only a look: the build itself can't be part of a transaction that holds anything.
        let tx = begin(&inner.db, shift.limits()).await?;
        let held = hold(&tx, shift, &tenant.version, std::slice::from_ref(tenant)).await;
        finish(tx, held).await?;
    }
    let pool = shift
        .site
        .database(&inner.db)
        .get_postgres_connection_pool();
    #[expect(
        clippy::disallowed_methods,
        reason = "it leaves the pool at once, and whatever is set on it ends with it"
    )]
    let connection = pool.acquire().await.map_err(db)?;
    // What is set on this session ends with it.
    let mut connection = connection.detach();
    let built = build(
        &mut connection,
        shift.limits(),
        name,
        statement,
        &tenant.schema,
    )
    .await;
    let _ = connection.close().await;
    built
}

/// Builds an index in a schema, on a session of its own.
pub(crate) async fn build(
    connection: &mut PgConnection,
    limits: Limits,
    name: &str,
    statement: &str,
    schema: &SchemaName,
) -> Result<(), Cut> {
    for setting in [
        BECOME_OWNER.to_owned(),
        format!("SET search_path = {schema}, shared, pg_temp"),
        format!("SET lock_timeout = {}", BUILD_LOCK_TIMEOUT.as_millis()),
        format!(
            "SET statement_timeout = {}",
            limits.statement_timeout.as_millis()
        ),
    ] {
        say(connection, setting).await?;
    }
    let lock = format!("SELECT pg_try_advisory_lock({BUILD_LOCK}, hashtext('{schema}'))");
    let is_alone: bool = ask(connection, lock).await?.unwrap_or_default();
    if !is_alone {
        return Err(Cut::Lost);
    }
    let name = name.replace('"', "\"\"");
    let look = format!(
        "SELECT (SELECT i.indisvalid FROM pg_catalog.pg_index i
                 WHERE i.indexrelid = to_regclass('{schema}.\"{}\"'))",
        name.replace('\'', "''")
    );
    match ask::<Option<bool>>(connection, look).await?.flatten() {
        Some(true) => return Ok(()),
        Some(false) => {
            let drop = format!("DROP INDEX CONCURRENTLY {schema}.\"{name}\"");
            say(connection, drop).await?;
        }
        None => {}
    }
    say(connection, statement.to_owned()).await
}

async fn say(connection: &mut PgConnection, sql: String) -> Result<(), Cut> {
    let text = sqlx::AssertSqlSafe(sql);
    connection.execute(sqlx::raw_sql(text)).await.map_err(db)?;
    Ok(())
}

async fn ask<T>(connection: &mut PgConnection, sql: String) -> Result<Option<T>, Cut>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let text = sqlx::AssertSqlSafe(sql);
    let row = connection
        .fetch_optional(sqlx::query(text))
        .await
        .map_err(db)?;
    row.map(|row| row.try_get(0)).transpose().map_err(db)
}

fn db(error: sqlx::Error) -> Cut {
    Cut::Db(DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))))
}

/// Changes rows until none is left to change, each batch in a transaction of its own.
pub(super) async fn fill<P: Product>(
    inner: &Arc<Inner<P>>,
    shift: &Shift,
    statement: &str,
    tenant: &Claimed,
) -> Result<(), Cut> {
    loop {
        let (inner, shift, tenant) = (Arc::clone(inner), shift.clone(), tenant.clone());
        let statement = statement.to_owned();
        let filled = to_the_end(async move {
            let tx = begin(&inner.db, shift.limits()).await?;
            let outcome = fill_batch(&tx, &shift, &statement, &tenant).await;
            finish(tx, outcome).await
        });
        if filled.await? == 0 {
            return Ok(());
        }
    }
}

async fn fill_batch(
    tx: &DatabaseTransaction,
    shift: &Shift,
    statement: &str,
    tenant: &Claimed,
) -> Result<u64, Cut> {
    act_as_owner(tx).await?;
    let running = one(
        tx,
        "SELECT 1 AS yes FROM platform.migration_run WHERE id = $1 AND state = 'running'",
        [shift.run.into()],
    );
    if running.await?.is_none() {
        return Err(Cut::Lost);
    }
    hold(tx, shift, &tenant.version, std::slice::from_ref(tenant)).await?;
    let node = shift.site.begin(tx, shift.limits()).await?;
    let filled = batch(&node, &tenant.schema, statement, shift.options.batch_rows).await;
    let filled = node.finish(filled).await?;
    tx.execute_unprepared("SET LOCAL search_path = pg_catalog, pg_temp")
        .await?;
    run(
        tx,
        "UPDATE platform.migration_run_tenant SET rows_filled = rows_filled + $4
         WHERE run_id = $1 AND lease = $2 AND tenant_id = $3",
        [
            shift.run.into(),
            shift.lease.into(),
            tenant.id.into(),
            (filled as i64).into(),
        ],
    )
    .await?;
    Ok(filled)
}

/// One batch of a back-fill in a schema; says how many rows were changed.
pub(crate) async fn batch(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    statement: &str,
    rows: u32,
) -> Result<u64, DbErr> {
    enter(tx, schema).await?;
    run(tx, statement, [i64::from(rows).into()]).await
}
