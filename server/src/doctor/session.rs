//! Whether anything of a dealer's transaction outlives it, through whatever pooler is in between.

use provisioner::SchemaName;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::fleet::Lane;
use super::report::Finding;
use super::topic::Topic;
use crate::config::Database;
use crate::db::probe::{Probe, tenant_start};

/// What a transaction sees.
#[derive(Debug, FromQueryResult, PartialEq, Eq)]
struct Seen {
    role: String,
    path: String,
    timeout: String,
}

/// What the login has of its own. The settings are put back to their defaults for this one look.
const OWN: &str = "BEGIN; SET LOCAL search_path TO DEFAULT; \
     SET LOCAL statement_timeout TO DEFAULT; SELECT session_user::text AS role, \
     current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout; \
     ROLLBACK";
const LOOK: &str = "BEGIN; SELECT current_user::text AS role, \
     current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout; \
     ROLLBACK";
/// A pooler may hand each transaction to another backend, so one look is not enough.
const LOOKS: usize = 2;

pub(super) async fn examine(
    probe: &Probe,
    second: Option<&Probe>,
    lane: &Lane,
    actor: &SchemaName,
    config: &Database,
) -> Result<Option<Finding>, DbErr> {
    let own: Seen = probe.row(OWN).await?;
    // A value that nobody else has, so that it can't be mistaken for the login's own.
    let start = tenant_start(actor, config.statement_timeout_ms + 1);
    for (end, when) in [
        ("COMMIT", "a commit"),
        ("ROLLBACK", "a rollback"),
        ("SELECT 1 / 0", "a failure"),
    ] {
        probe.execute_unprepared(&start).await?;
        let ended = probe.execute_unprepared(end).await;
        if ended.is_err() {
            probe.execute_unprepared("ROLLBACK").await?;
        }
        let also = second.map(|second| ("another", second));
        for (whose, connection) in [("its", probe)].into_iter().chain(also) {
            for _ in 0..LOOKS {
                let seen: Seen = connection.row(LOOK).await?;
                if seen != own {
                    return Ok(Some(leak(lane, when, whose, &own, &seen)));
                }
            }
        }
    }
    Ok(None)
}

fn leak(lane: &Lane, when: &str, whose: &str, own: &Seen, seen: &Seen) -> Finding {
    let left: Vec<_> = [
        ("role", &own.role, &seen.role),
        ("search_path", &own.path, &seen.path),
        ("statement_timeout", &own.timeout, &seen.timeout),
    ]
    .into_iter()
    .filter(|(_, own, seen)| own != seen)
    .map(|(name, own, seen)| format!("{name} is {seen} instead of {own}"))
    .collect();
    let detail = format!(
        "{}: after {when}, on {whose} connection, {}",
        lane.login,
        left.join(", ")
    );
    let remedy = "run the pooler in transaction mode, or go past it: one that takes single \
                  statements apart, or changes settings itself, can't keep dealers apart";
    Finding::failed(Topic::Sessions, detail, remedy)
}
