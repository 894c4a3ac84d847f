//! The fence around the database: takes from PUBLIC what lets one tenant disturb or watch another,
//! because every tenant role is part of PUBLIC.
//!
//! Taken:
//! * the database: `CONNECT` (given back to our logins one by one), `TEMPORARY` (a temporary table
//!   outlives the transaction on a pooled connection), `CREATE`; and everything on schema `public`;
//! * large objects: they belong to no schema, so they would be one shared cupboard;
//! * `pg_notify`: channels belong to the whole database;
//! * session-level advisory locks: they outlive the transaction on a pooled connection, and the
//!   next tenant there inherits them. Transaction-level ones stay: they end with their owner's
//!   work, and domain code has honest uses for them;
//! * signals to other backends: a lane's login may signal its own lane, where the neighbours are;
//! * statistics that show other tenants' row counts, sizes and activity: `pg_stat_*`,
//!   `pg_statio_*`, `pg_locks`, prepared statements, sizes of relations, and the estimates in
//!   `pg_class`;
//! * `set_limit` of pg_trgm, which changes a setting of the session.
//!
//! Not taken: `set_config`. `SET` does the same and has no permission to take, so it would only
//! break honest code; that wall is the lane (see the tenancy notes). `LISTEN` and `NOTIFY` as
//! statements have none either: whoever hears a message must take it for a hint and look for
//! itself, never for a fact. `pg_stats` guards itself.
//! Role and schema names stay visible in the catalogues; they are opaque on purpose.
//!
//! Monitoring keeps working: what statistics lose for PUBLIC, `pg_monitor` gets, and signals go to
//! `pg_signal_backend`.

mod catalogue;

use sea_orm::{ConnectionTrait, DbErr};

/// Something that PUBLIC may still do, because we lacked the right to take it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What stands open, such as `function pg_notify(text, text)`.
    pub object: String,
    /// Who could close it: the owner, or a superuser.
    pub owner: String,
    /// The statement that closes it.
    pub remedy: String,
}

/// What was done, and what is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FenceReport {
    /// What was open and is closed now.
    pub closed: Vec<String>,
    /// What is open still.
    pub gaps: Vec<Gap>,
}

impl FenceReport {
    /// A script for a superuser that closes all gaps.
    pub fn remedy(&self) -> String {
        self.gaps
            .iter()
            .map(|gap| format!("{}\n", gap.remedy))
            .collect()
    }
}

/// Closes what is open and can be closed, in the caller's transaction if it is one. Once the
/// fence is up this is one query that finds nothing.
///
/// # Errors
///
/// When a statement fails; lacking a right is no failure but a [`Gap`].
pub async fn apply(db: &impl ConnectionTrait) -> Result<FenceReport, DbErr> {
    let open = catalogue::open(db).await?;
    let ours: Vec<_> = open.iter().filter(|opening| opening.is_ours).collect();
    if ours.is_empty() {
        return Ok(report(&[], open));
    }
    let script: String = ours.iter().map(|opening| opening.remedy.as_str()).collect();
    db.execute_unprepared(&script).await?;
    let closed: Vec<_> = ours.iter().map(|opening| opening.object.clone()).collect();
    // Looked at again: a revoke that changes nothing is only a warning to Postgres.
    let left = catalogue::open(db).await?;
    Ok(report(&closed, left))
}

/// Looks at the fence and changes nothing; every opening is a [`Gap`].
///
/// # Errors
///
/// When the query fails.
pub async fn inspect(db: &impl ConnectionTrait) -> Result<FenceReport, DbErr> {
    Ok(report(&[], catalogue::open(db).await?))
}

fn report(closed: &[String], left: Vec<catalogue::Opening>) -> FenceReport {
    let is_left = |object: &String| left.iter().any(|opening| opening.object == *object);
    let closed = closed
        .iter()
        .filter(|object| !is_left(object))
        .cloned()
        .collect();
    let gaps = left
        .into_iter()
        .map(|opening| Gap {
            object: opening.object,
            owner: opening.owner,
            remedy: opening.remedy,
        })
        .collect();
    FenceReport { closed, gaps }
}
