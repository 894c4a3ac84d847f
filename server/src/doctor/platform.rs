//! The platform itself: its tables, its clock, its voice, and whom this build can serve.

use std::time::Duration;

use ::entity::platform::tenant::Status;
use provisioner::describe_db_error;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::fleet::Fleet;
use super::report::{Finding, Proof};
use super::topic::Topic;
use crate::config::Database;
use crate::db::probe::{self, Doors, Probe};
use crate::db::{Directory, PlatformDb};
use crate::kernel::Clock;

/// The newest tenant migration that this build was made with. A test holds it to that.
pub const NEWEST: &str = "m0015_item_updated_at_idx";
/// How long a notification may take.
const HEARING: Duration = Duration::from_secs(1);
const MIGRATE: &str = "run `tubex platform migrate` with this build's `tubex`";

/// The fleet, and whether the directory's own queries work.
pub(super) async fn fleet(server: &Probe, config: &Database) -> Result<Fleet, DbErr> {
    let platform = PlatformDb::connect_lazily(&Database {
        platform_connections: 1,
        ..config.clone()
    })
    .map_err(|error| DbErr::Custom(error.to_string()))?;
    let tried = Directory::try_queries(&platform).await;
    platform.close().await;
    tried?;
    Fleet::read(server).await
}

/// The directory can't be read, so there is nothing else to look at.
pub(super) fn unreadable(error: &DbErr) -> Finding {
    let detail = format!("the directory can't be read: {}", describe_db_error(error));
    Finding::failed(Topic::Platform, detail, MIGRATE).leaving(Proof::Lacking)
}

pub(super) async fn examine(
    doors: &Doors,
    server: &Probe,
    fleet: &Fleet,
    clock: &Clock,
) -> Result<Vec<Finding>, DbErr> {
    let mut findings = vec![examine_clock(server, clock).await?];
    findings.extend(examine_notifications(doors, server).await);
    findings.extend(examine_tenants(fleet));
    Ok(findings)
}

#[derive(FromQueryResult)]
struct Now {
    now_ms: i64,
}

async fn examine_clock(server: &Probe, clock: &Clock) -> Result<Finding, DbErr> {
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms";
    let theirs: Now = server.row(sql).await?;
    let ours_ms = clock.now().unix_timestamp_nanos() / 1_000_000;
    let apart_ms = (i128::from(theirs.now_ms) - ours_ms).unsigned_abs();
    let detail = format!("the database's clock and ours are {apart_ms} ms apart");
    let remedy = "let both machines keep the time by NTP";
    Ok(match apart_ms {
        0..=5_000 => Finding::fine(Topic::Clock, detail),
        5_001..=60_000 => Finding::warning(Topic::Clock, detail, remedy),
        _ => Finding::failed(Topic::Clock, detail, remedy),
    })
}

/// Changes are found by polling too, so silence is no failure.
async fn examine_notifications(doors: &Doors, server: &Probe) -> Option<Finding> {
    let channel = format!("tubex_doctor_{}", Uuid::new_v4().simple());
    let remedy = "set database.direct_url to an address that leads to Postgres itself, past any \
                  transaction pooler; until then changes are found by asking";
    let heard = async {
        let ear = doors.listen(&channel).await?;
        let told = server
            .execute_unprepared(&format!("NOTIFY {channel}"))
            .await;
        let heard = ear.hears_within(HEARING).await;
        told.map(|_| heard)
    };
    let detail = match heard.await {
        Ok(true) => return None,
        Ok(false) => "a notification was not heard within a second".to_owned(),
        Err(error) => format!(
            "notifications can't be listened for: {}",
            describe_db_error(&error)
        ),
    };
    Some(Finding::warning(Topic::Notifications, detail, remedy))
}

fn examine_tenants(fleet: &Fleet) -> Vec<Finding> {
    let living = || {
        fleet
            .tenants
            .iter()
            .filter(|t| !matches!(t.status, Status::Spare | Status::Archived | Status::Gone))
    };
    let count =
        |is_so: fn(&super::fleet::Tenant) -> bool| living().filter(|tenant| is_so(tenant)).count();
    let too_old = count(|t| t.status != Status::Provisioning && !probe::can_serve(&t.version));
    let ahead = count(|t| t.version.as_str() > NEWEST);
    let unfinished = count(|t| t.status == Status::Provisioning);
    let mut findings = Vec::new();
    if too_old > 0 {
        let detail = format!("{too_old} too old for this build, not served until migrated");
        findings.push(Finding::warning(
            Topic::Tenants,
            detail,
            "run `tubex migrate`",
        ));
    }
    if ahead > 0 {
        let detail = format!("{ahead} ahead of this build");
        let remedy = "deploy the build that their schema was migrated for";
        findings.push(Finding::warning(Topic::Tenants, detail, remedy));
    }
    if unfinished > 0 {
        let detail = format!("{unfinished} still being made");
        let remedy = "if they stay so, `tubex tenant list` names them";
        findings.push(Finding::warning(Topic::Tenants, detail, remedy));
    }
    if findings.is_empty() {
        let detail = format!("this build can serve all {}", living().count());
        findings.push(Finding::fine(Topic::Tenants, detail));
    }
    findings
}
