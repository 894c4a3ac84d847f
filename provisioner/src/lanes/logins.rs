//! Login roles: made with a derived password, mended when they drifted, dropped when nobody needs
//! them.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};
use secrecy::SecretString;

use super::LaneError;
use crate::db_error::is_cluster_race;
use crate::query::one;
use crate::role::RoleName;
use crate::{login_password, scram};

/// Makes a login role if the cluster has none of that name, and gives it the password of this
/// secret and the right to connect to this database. It inherits nothing from what it is a member
/// of; `SET ROLE` is its only way to anything.
pub(crate) async fn ensure_login(
    tx: &DatabaseTransaction,
    role: &RoleName,
    secret: &SecretString,
    connection_limit: Option<u16>,
) -> Result<(), LaneError> {
    let password = login_password(secret, role.as_str());
    let limit = connection_limit.map_or(-1, i32::from);
    let found = match find_login(tx, role).await? {
        None if create(tx, role, &password, limit).await? => None,
        None => find_login(tx, role).await?,
        found => found,
    };
    match found {
        None => {}
        Some(found) if found.is_mighty => return Err(LaneError::TooMighty(role.clone())),
        // Left alone when right: roles are the cluster's, and two databases that alter one at the
        // same time disturb each other.
        Some(found) if found.fits(&password, limit) => {}
        Some(_) => {
            let verifier = scram::verifier(&password)?;
            tx.execute_unprepared(&format!(
                "ALTER ROLE {role} LOGIN NOINHERIT CONNECTION LIMIT {limit} \
                 PASSWORD '{verifier}'"
            ))
            .await?;
        }
    }
    tx.execute_unprepared(&GRANT_CONNECT.replace("{role}", role.as_str()))
        .await?;
    Ok(())
}

/// Answers with whether it was this one: roles are the cluster's, and a platform in another of its
/// databases may have made it a moment ago.
async fn create(
    tx: &DatabaseTransaction,
    role: &RoleName,
    password: &SecretString,
    limit: i32,
) -> Result<bool, LaneError> {
    let verifier = scram::verifier(password)?;
    let sql = format!(
        "CREATE ROLE {role} LOGIN NOINHERIT CONNECTION LIMIT {limit} PASSWORD '{verifier}'"
    );
    tx.execute_unprepared("SAVEPOINT making_login").await?;
    match tx.execute_unprepared(&sql).await {
        Ok(_) => {
            tx.execute_unprepared("RELEASE making_login").await?;
            Ok(true)
        }
        Err(error) if is_cluster_race(&error) => {
            tx.execute_unprepared("ROLLBACK TO making_login").await?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Granted only where it is missing, so that a second run writes nothing.
const GRANT_CONNECT: &str = "
    DO $body$ BEGIN
        IF NOT EXISTS (
            SELECT FROM pg_database d, aclexplode(d.datacl) a
            WHERE d.datname = current_database() AND a.grantee = '{role}'::regrole
                AND a.privilege_type = 'CONNECT')
        THEN
            EXECUTE format('GRANT CONNECT ON DATABASE %I TO {role}', current_database());
        END IF;
    END $body$";

struct FoundLogin {
    is_mighty: bool,
    is_plain_login: bool,
    limit: i32,
    /// Only superusers may see it.
    verifier: Option<String>,
}

impl FoundLogin {
    fn fits(&self, password: &SecretString, limit: i32) -> bool {
        self.is_plain_login
            && self.limit == limit
            && self
                .verifier
                .as_ref()
                .is_some_and(|stored| scram::matches(stored, password))
    }
}

async fn find_login(
    tx: &DatabaseTransaction,
    role: &RoleName,
) -> Result<Option<FoundLogin>, DbErr> {
    // `pg_authid` is read only where that is allowed: a plain view would be refused as a whole.
    let may_read = one(
        tx,
        "SELECT has_table_privilege('pg_authid', 'SELECT') AS yes",
        [],
    )
    .await?
    .map(|row| row.try_get::<bool>("", "yes"))
    .transpose()?
    .unwrap_or(false);
    let source = if may_read { "pg_authid" } else { "pg_roles" };
    let verifier = if may_read {
        "rolpassword"
    } else {
        "NULL::text"
    };
    let row = one(
        tx,
        &format!(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
                 AS is_mighty,
             rolcanlogin AND NOT rolinherit AS is_plain_login,
             rolconnlimit AS connection_limit, {verifier} AS verifier
             FROM {source} WHERE rolname = $1"
        ),
        [role.as_str().into()],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(FoundLogin {
        is_mighty: row.try_get("", "is_mighty")?,
        is_plain_login: row.try_get("", "is_plain_login")?,
        limit: row.try_get("", "connection_limit")?,
        verifier: row.try_get("", "verifier")?,
    }))
}

/// What became of a login role that was to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// It is gone, or was never there.
    Gone,
    /// It may no longer connect here, but another database of the cluster knows it: a clone of
    /// this one, which has the same lanes.
    Kept,
}

/// Drops a login role, unless another database of the cluster needs it.
pub(crate) async fn drop_login(
    tx: &DatabaseTransaction,
    role: &RoleName,
) -> Result<Dropped, DbErr> {
    let name = role.as_str();
    let is_there = one(
        tx,
        "SELECT 1 AS yes FROM pg_roles WHERE rolname = $1",
        [name.into()],
    );
    if is_there.await?.is_none() {
        return Ok(Dropped::Gone);
    }
    tx.execute_unprepared(&REVOKE_CONNECT.replace("{role}", name))
        .await?;
    // Memberships go with the role by themselves, so they are no reason to keep it.
    let needed = one(
        tx,
        "SELECT 1 AS yes FROM pg_shdepend
         WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1::regrole
             AND classid <> 'pg_auth_members'::regclass
         LIMIT 1",
        [name.into()],
    );
    if needed.await?.is_some() {
        return Ok(Dropped::Kept);
    }
    tx.execute_unprepared(&format!("DROP ROLE {role}")).await?;
    Ok(Dropped::Gone)
}

const REVOKE_CONNECT: &str = "
    DO $body$ BEGIN
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM {role}', current_database());
    END $body$";
