//! The platform's own schema: made, migrated and fenced in one transaction, so that it is either
//! as this build wants it or as it was.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbErr};
use sea_orm_migration::MigratorTraitSelf;
use secrecy::SecretString;
use uuid::Uuid;

use crate::db_error;
use crate::fence::{self, FenceReport};
use crate::jobs;
use crate::lanes::{self, LaneError, LaneOptions, MendedMemberships};
use crate::login::{WeakSecret, check_secret};
use crate::nodes::{self, Site};
use crate::query::{column, one, run};
use crate::role::RoleName;
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};

/// The oldest Postgres that we know, as `server_version_num` counts.
pub(crate) const OLDEST_POSTGRES: i32 = 15_00_00;

/// How often a clash with another database of the cluster is tried again.
pub(crate) const ATTEMPTS: u32 = 8;

/// A second `platform migrate` waits for the first, and a first one on a busy database for its
/// locks; both should end in an error some day.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(60),
    statement_timeout: Duration::from_secs(300),
    silence: None,
};

/// What to do about parts of the fence that we lack the right to put up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceRule {
    /// Undo everything and say what is missing.
    Complete,
    /// Go on, and report what is missing.
    Partial,
}

impl FenceRule {
    /// The rule of somebody who says whether gaps are fine.
    pub fn allowing_gaps(is_allowed: bool) -> Self {
        if is_allowed {
            Self::Partial
        } else {
            Self::Complete
        }
    }
}

/// How the platform should be.
#[derive(Clone, Debug)]
pub struct PlatformOptions {
    /// What login passwords are derived from.
    pub secret: SecretString,
    /// The role that servers log in as to read the directory.
    pub server_role: RoleName,
    /// How many connections that role may have in the whole cluster.
    pub server_connections: u16,
    /// The first lane, if there is none yet.
    pub lane: LaneOptions,
    /// Whether the fence may have gaps.
    pub fence: FenceRule,
}

impl PlatformOptions {
    /// The defaults: role `tubex_server` with 50 connections, lanes 4 wide for 500 tenants, a
    /// complete fence.
    pub fn new(secret: SecretString) -> Self {
        Self {
            secret,
            server_role: RoleName::parse("tubex_server").expect("a plain name is a role's name"),
            server_connections: 50,
            lane: LaneOptions::default(),
            fence: FenceRule::Complete,
        }
    }
}

/// What was done.
#[derive(Clone, Debug)]
pub struct PlatformReport {
    /// Migrations that were applied now, oldest first.
    pub applied: Vec<String>,
    /// The role that servers log in as.
    pub server_role: RoleName,
    /// Login roles of all lanes of the directory.
    pub lanes: Vec<String>,
    /// What the fence closed and what is open still.
    pub fence: FenceReport,
    /// Memberships on the platform's own node that did not agree with the directory.
    pub memberships: MendedMemberships,
    /// Change marks of another cluster, from a restored dump, that were set anew.
    pub marks_mended: u64,
}

/// Why the platform was left as it was.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The server is too old.
    #[error("Postgres 15 or newer is needed, and this server's version number is {0}")]
    OldPostgres(i32),
    /// Passwords can't be derived from this secret.
    #[error("the secret for login passwords is too weak")]
    Secret(#[from] WeakSecret),
    /// The fence would have gaps, and [`FenceRule::Complete`] was asked for.
    #[error("{} rights could not be taken from PUBLIC", .0.gaps.len())]
    Fence(Box<FenceReport>),
    /// A login could not be made.
    #[error("the logins could not be made")]
    Lane(#[source] LaneError),
    /// A migration or another statement failed.
    #[error("the database failed")]
    Db(#[from] DbErr),
}

impl From<LaneError> for PlatformError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Db(cause) => Self::Db(cause),
            other => Self::Lane(other),
        }
    }
}

impl PlatformError {
    /// Whether the server has no files of an extension that we need.
    pub fn is_missing_extension(&self) -> bool {
        matches!(self, Self::Db(cause) if db_error::is_missing_extension(cause))
    }

    /// Whether the role that we are lacks a right.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Db(cause)
            if db_error::sqlstate(cause).as_deref() == Some(db_error::INSUFFICIENT_PRIVILEGE))
    }
}

/// Brings the platform to head: schema, history, fence, the server's login, a first node and lane.
///
/// One transaction, and then one for each tenant whose membership is not what the directory says.
/// Doing it again changes nothing; two at once queue up. Logins that are missing from the cluster
/// (a restored dump) are made again, and passwords follow the secret. Other nodes are not touched,
/// see [`crate::Provisioner::migrate_nodes`].
///
/// # Errors
///
/// [`PlatformError`]; the platform is then as it was.
pub async fn migrate<M>(
    db: &DatabaseConnection,
    migrator: M,
    options: PlatformOptions,
) -> Result<PlatformReport, PlatformError>
where
    M: MigratorTraitSelf + 'static,
{
    check_secret(&options.secret)?;
    let db = db.clone();
    to_the_end(async move {
        let mut attempt = 1;
        let mut report = loop {
            let tx = begin(&db, LIMITS).await?;
            let outcome = migrate_in(&tx, &migrator, &options).await;
            match finish(tx, outcome).await {
                Err(PlatformError::Db(cause))
                    if db_error::is_cluster_race(&cause) && attempt < ATTEMPTS =>
                {
                    tracing::debug!(attempt, error = %cause, "met another database at a role");
                    tokio::time::sleep(Duration::from_millis(50) * attempt).await;
                    attempt += 1;
                }
                outcome => break outcome?,
            }
        };
        // Tenant by tenant, each under its own lock: whoever moves one just now goes on.
        let own = nodes::find_own(&db).await?.ok_or(LaneError::NoNode)?;
        let site = Site::own(own);
        report.memberships = lanes::mend(&db, &site).await?;
        let finished = lanes::finish_retired(&db, &site).await?;
        report.lanes.retain(|lane| !finished.contains(lane));
        Ok(report)
    })
    .await
}

async fn migrate_in<M: MigratorTraitSelf>(
    tx: &DatabaseTransaction,
    migrator: &M,
    options: &PlatformOptions,
) -> Result<PlatformReport, PlatformError> {
    check_version(tx).await?;
    tx.execute_unprepared("SELECT pg_advisory_xact_lock(hashtextextended('tubex platform', 0))")
        .await?;
    lanes::lock(tx).await?;
    tx.execute_unprepared(SCHEMA).await?;
    act_as_owner(tx).await?;
    tx.execute_unprepared("SET LOCAL search_path = platform, pg_temp")
        .await?;
    let pending = migrator.get_pending_migrations(tx).await?;
    let applied: Vec<_> = pending.iter().map(|step| step.name().to_owned()).collect();
    migrator.up(tx, None).await?;
    tx.execute_unprepared("SET LOCAL search_path = pg_catalog, pg_temp")
        .await?;

    // Before the logins: it takes CONNECT from everybody, and they get it back one by one.
    let fence = fence::apply(tx).await?;
    if options.fence == FenceRule::Complete && !fence.gaps.is_empty() {
        return Err(PlatformError::Fence(Box::new(fence)));
    }
    add_server_login(tx, options).await?;
    jobs::ensure_login(tx, &options.secret).await?;
    // Before the lanes: what is written there is marked anew by itself.
    let marks_mended = mend_marks(tx).await?;
    let lanes = add_lanes(tx, options).await?;
    for name in &applied {
        tracing::info!(migration.name = name, "applied a migration of the platform");
    }
    Ok(PlatformReport {
        applied,
        server_role: options.server_role.clone(),
        lanes,
        fence,
        memberships: MendedMemberships::default(),
        marks_mended,
    })
}

/// Not `CREATE SCHEMA IF NOT EXISTS`: that needs the right to create even where nothing is to do.
const SCHEMA: &str = "
    DO $body$ BEGIN
        IF to_regnamespace('platform') IS NULL THEN
            CREATE SCHEMA platform;
        END IF;
    END $body$";

async fn check_version(tx: &DatabaseTransaction) -> Result<(), PlatformError> {
    let version = server_version(tx).await?;
    if version < OLDEST_POSTGRES {
        Err(PlatformError::OldPostgres(version))
    } else {
        Ok(())
    }
}

/// The server's version, as `server_version_num` counts.
pub(crate) async fn server_version(tx: &DatabaseTransaction) -> Result<i32, DbErr> {
    let sql = "SELECT current_setting('server_version_num')::integer AS version";
    let row = one(tx, sql, []).await?;
    row.map_or(Ok(0), |row| row.try_get("", "version"))
}

/// Change marks are transaction ids, and those of a restored dump are another cluster's: one that
/// is ahead of this cluster would look like a change for ever. Answers with how many there were.
async fn mend_marks(tx: &DatabaseTransaction) -> Result<u64, DbErr> {
    let tenants = run(
        tx,
        "UPDATE platform.tenant SET changed_xid = pg_current_xact_id()
         WHERE changed_xid > pg_current_xact_id()",
        [],
    )
    .await?;
    let directory = run(
        tx,
        "UPDATE platform.directory_mark SET changed_xid = pg_current_xact_id()
         WHERE changed_xid > pg_current_xact_id()",
        [],
    )
    .await?;
    Ok(tenants + directory)
}

/// The server reads the directory, reports what it notices and tells of itself, and may do nothing
/// else here. What an older build granted and this one doesn't is taken back.
async fn add_server_login(
    tx: &DatabaseTransaction,
    options: &PlatformOptions,
) -> Result<(), PlatformError> {
    let role = &options.server_role;
    lanes::ensure_login(tx, role, &options.secret, Some(options.server_connections)).await?;
    tx.execute_unprepared(&format!(
        "REVOKE ALL ON ALL TABLES IN SCHEMA platform FROM {role};
         REVOKE ALL ON SCHEMA platform FROM {role};
         GRANT USAGE ON SCHEMA platform TO {role};
         GRANT SELECT ON platform.node, platform.lane, platform.tenant, platform.tenant_domain,
             platform.plan, platform.directory_mark TO {role};
         GRANT INSERT ON platform.security_event TO {role};
         GRANT SELECT (id, seen_at), INSERT (id, build, knows, needs), UPDATE (seen_at), DELETE
             ON platform.server_process TO {role};
         GRANT SELECT (server_id, tenant_id, requests, failures, slow_ms),
             INSERT (server_id, tenant_id, requests, failures, slow_ms),
             UPDATE (requests, failures, slow_ms, ended_at)
             ON platform.tenant_traffic TO {role};
         GRANT SELECT (tenant_id), INSERT (tenant_id, last_active_at), UPDATE (last_active_at)
             ON platform.tenant_vitals TO {role};
         GRANT SELECT, INSERT, UPDATE (verifies_until), DELETE ON platform.signing_key TO {role};
         GRANT SELECT, INSERT, UPDATE (seen_at), DELETE ON platform.membership TO {role};
         GRANT SELECT, INSERT ON platform.audit_checkpoint TO {role};"
    ))
    .await?;
    Ok(())
}

/// Makes the first node and lane, and the logins of this node's lanes that the cluster does not
/// have. Other nodes have their own logins, in their own clusters.
async fn add_lanes(
    tx: &DatabaseTransaction,
    options: &PlatformOptions,
) -> Result<Vec<String>, PlatformError> {
    // Asked first: even an insert of nothing tells all servers that the nodes changed.
    let any = one(tx, "SELECT 1 AS yes FROM platform.node LIMIT 1", []).await?;
    if any.is_none() {
        run(
            tx,
            "INSERT INTO platform.node (id, name) VALUES ($1, 'main')",
            [Uuid::now_v7().into()],
        )
        .await?;
    }
    let node = nodes::find_own(tx).await?.ok_or(LaneError::NoNode)?;
    let known: Vec<String> = column(
        tx,
        "SELECT login_role FROM platform.lane WHERE node_id = $1 ORDER BY created_at, id",
        [node.id.into()],
    )
    .await?;
    if known.is_empty() {
        let ground = lanes::Ground {
            tx,
            site: &Site::own(node),
            secret: &options.secret,
            options: options.lane,
        };
        let first = lanes::add(ground, lanes::Shape::Shared(options.lane)).await?;
        return Ok(vec![first.lane.login.to_string()]);
    }
    for login in &known {
        let login = RoleName::parse_lane(login).map_err(LaneError::Login)?;
        lanes::ensure_login(tx, &login, &options.secret, None).await?;
    }
    Ok(known)
}
