//! Lanes: logins that tenants share, at most `capacity` of them each. Tenants are spread evenly,
//! and a lane is added when all are full.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement, Value,
};
use secrecy::SecretString;
use uuid::Uuid;

use crate::role::RoleName;
use crate::{login_password, scram};

/// How wide a new lane is, and how many tenants it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneOptions {
    /// Connections that one server process opens on the lane, at most.
    pub width: u16,
    /// Tenants on the lane, 1 to 500: a login with more memberships pays for them at `SET ROLE`.
    pub capacity: u16,
}

impl Default for LaneOptions {
    fn default() -> Self {
        Self {
            width: 8,
            capacity: 500,
        }
    }
}

/// A lane that a tenant was placed on.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) id: Uuid,
    pub(crate) login: RoleName,
}

/// Why no login could be made or no lane chosen.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The directory has no node in this database.
    #[error("the directory names no node in this database")]
    NoNode,
    /// The directory holds a role name that we would not have made.
    #[error("the directory holds a lane with an impossible login")]
    Login(#[from] crate::role::RoleNameError),
    /// The role is there already and may do more than a server should.
    #[error(
        "role {0} exists and is a superuser or may create roles or databases, replicate or bypass \
         row security: take those rights away, or choose another name"
    )]
    TooMighty(RoleName),
    /// The operating system has no randomness to give.
    #[error("the operating system gave no randomness")]
    Random(#[from] getrandom::Error),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

/// Lanes of this database that still take a tenant, emptiest first. An archived tenant has no
/// role any more, so it takes no room.
const EMPTIEST: &str = "
    SELECT l.id
    FROM platform.lane l
    JOIN platform.node n ON n.id = l.node_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS held FROM platform.tenant t
        WHERE t.lane_id = l.id AND t.status <> 'archived') room
    WHERE NOT l.dedicated AND room.held < l.capacity
        AND n.host IS NULL AND n.port IS NULL AND n.database IS NULL
    ORDER BY room.held, l.created_at, l.id
    LIMIT 1";

const LOCK: &str = "SELECT login_role FROM platform.lane WHERE id = $1 FOR NO KEY UPDATE";

const HAS_ROOM: &str = "
    SELECT 1 AS yes FROM platform.lane l
    WHERE l.id = $1 AND l.capacity > (
        SELECT count(*) FROM platform.tenant t
        WHERE t.lane_id = l.id AND t.status <> 'archived')";

const OWN_NODE: &str = "
    SELECT id FROM platform.node
    WHERE host IS NULL AND port IS NULL AND database IS NULL
    ORDER BY created_at, id LIMIT 1";

/// Chooses the emptiest lane with room and holds its row until the transaction ends, so that two
/// creators can't both take the last place. Adds a lane when there is none.
pub(crate) async fn place(
    tx: &DatabaseTransaction,
    secret: &SecretString,
    options: LaneOptions,
) -> Result<Lane, LaneError> {
    if let Some(lane) = take_emptiest(tx).await? {
        return Ok(lane);
    }
    // Only one creator adds a lane; the others wait here and then find its room.
    lock(tx).await?;
    if let Some(lane) = take_emptiest(tx).await? {
        return Ok(lane);
    }
    let lane = add(tx, secret, options).await?;
    tracing::info!(lane.login = %lane.login, "all lanes were full, so one was added");
    Ok(lane)
}

/// Lets one transaction at a time add lanes or repair their logins.
pub(crate) async fn lock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    one(
        tx,
        "SELECT pg_advisory_xact_lock(hashtextextended('tubex lanes', 0))",
        [],
    )
    .await?;
    Ok(())
}

/// Ends: a lane is only met again while it has room, and then we hold it.
async fn take_emptiest(tx: &DatabaseTransaction) -> Result<Option<Lane>, LaneError> {
    while let Some(row) = one(tx, EMPTIEST, []).await? {
        if let Some(lane) = take(tx, row.try_get("", "id")?).await? {
            return Ok(Some(lane));
        }
    }
    Ok(None)
}

/// Holds a lane's row; nothing if it filled up while we waited for it.
async fn take(tx: &DatabaseTransaction, id: Uuid) -> Result<Option<Lane>, LaneError> {
    let Some(row) = one(tx, LOCK, [id.into()]).await? else {
        return Ok(None);
    };
    let login = RoleName::parse_lane(&row.try_get::<String>("", "login_role")?)?;
    // Counted again, in a statement of its own: the lock may have waited for other creators, and
    // a statement sees only what was committed before it began.
    let has_room = one(tx, HAS_ROOM, [id.into()]).await?.is_some();
    Ok(has_room.then_some(Lane { id, login }))
}

/// Adds a lane to this database's own node.
pub(crate) async fn add(
    tx: &DatabaseTransaction,
    secret: &SecretString,
    options: LaneOptions,
) -> Result<Lane, LaneError> {
    let node = one(tx, OWN_NODE, []).await?.ok_or(LaneError::NoNode)?;
    let node_id: Uuid = node.try_get("", "id")?;
    let lane = Lane {
        id: Uuid::now_v7(),
        login: RoleName::generate_for_lane()?,
    };
    tx.execute_raw(statement(
        "INSERT INTO platform.lane (id, node_id, login_role, width, capacity)
         VALUES ($1, $2, $3, $4, $5)",
        [
            lane.id.into(),
            node_id.into(),
            lane.login.as_str().into(),
            i32::from(options.width).into(),
            i32::from(options.capacity).into(),
        ],
    ))
    .await?;
    ensure_login(tx, &lane.login, secret, None).await?;
    Ok(lane)
}

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
    match find_login(tx, role).await? {
        None => {
            let verifier = scram::verifier(&password)?;
            tx.execute_unprepared(&format!(
                "CREATE ROLE {role} LOGIN NOINHERIT CONNECTION LIMIT {limit} \
                 PASSWORD '{verifier}'"
            ))
            .await?;
        }
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

async fn one<const N: usize>(
    tx: &DatabaseTransaction,
    sql: &str,
    values: [Value; N],
) -> Result<Option<QueryResult>, DbErr> {
    tx.query_one_raw(statement(sql, values)).await
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
