//! Background work of tenants: the login that keeps its books on every node, and what becomes of
//! the work of a tenant that is dropped.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};
use secrecy::SecretString;

use crate::SchemaName;
use crate::lanes::{self, LaneError};
use crate::query::run;
use crate::role::RoleName;

/// The login that workers look for jobs with. It sees the table of jobs, and no tenant's rows.
pub const LOGIN: &str = "tubex_jobs";

/// Makes the login where it is missing, with its rights and no others.
pub(crate) async fn ensure_login(
    tx: &DatabaseTransaction,
    secret: &SecretString,
) -> Result<(), LaneError> {
    let role = RoleName::parse(LOGIN).expect("a plain name is a role's name");
    lanes::ensure_login(tx, &role, secret, None).await?;
    tx.execute_unprepared(&format!(
        "REVOKE ALL ON ALL TABLES IN SCHEMA jobs FROM {role};
         REVOKE ALL ON SCHEMA jobs FROM {role};
         GRANT USAGE ON SCHEMA jobs TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO {role}"
    ))
    .await?;
    Ok(())
}

/// Removes what a tenant had handed over: there is nothing left to do it on. A database from before
/// there were jobs has none.
pub(crate) async fn forget(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<(), DbErr> {
    let has_jobs = crate::query::one(
        tx,
        "SELECT 1 AS yes WHERE to_regclass('jobs.job') IS NOT NULL",
        [],
    );
    if has_jobs.await?.is_none() {
        return Ok(());
    }
    for table in ["job", "unique_key", "pause"] {
        let sql = format!("DELETE FROM jobs.{table} WHERE tenant = $1");
        run(tx, &sql, [schema.as_str().into()]).await?;
    }
    Ok(())
}
