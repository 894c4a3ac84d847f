//! What is done by the clock: each tick is fired once, however many workers look.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::errors::CronError;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use time::OffsetDateTime;

use super::enqueue::{Draft, hand_out};
use super::job::{Job, Opens};
use crate::db::{Directory, JobsTx, Ledger};

/// Between two tenants' jobs of one tick, milliseconds: all at once they would be in the way of
/// those that somebody waits for. A quarter of the time until the next tick is the most.
const APART_MS: i64 = 50;

/// Whose the jobs of a schedule are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The platform's: one for each node.
    Platform,
    /// The tenants': one for each.
    Tenants,
}

/// A kind of job that is handed over by the clock.
pub(super) struct Schedule {
    name: &'static str,
    cron: Cron,
    whose: Whose,
    opens: Opens,
    /// The job for a node.
    draft: Box<dyn Fn(&str) -> Draft + Send + Sync>,
}

/// When a schedule was fired last, and the time, both by the database's clock.
struct Clock {
    fired: Option<OffsetDateTime>,
    now: OffsetDateTime,
}

impl Schedule {
    pub(super) fn new<J: Job>(
        cron: Cron,
        whose: Whose,
        job: impl Fn(&str) -> J + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: J::KIND,
            cron,
            whose,
            opens: J::OPENS,
            draft: Box::new(move |node| Draft::of(&job(node))),
        }
    }

    /// Fires its newest tick, unless somebody has. Ticks that nobody was there for are one.
    /// Answers with the number of jobs.
    pub(super) async fn fire(
        &self,
        ledger: &Ledger,
        directory: &Arc<Directory>,
    ) -> Result<u64, DbErr> {
        let seen = ledger.read(async |tx| look(tx, self.name).await).await?;
        if self.due(&seen).is_none() {
            return Ok(0);
        }
        let draft = (self.draft)(ledger.node());
        let tenants = match self.whose {
            Whose::Platform => vec![String::new()],
            Whose::Tenants => self.tenants(ledger, directory),
        };
        ledger
            .write(async |tx| {
                let seen = look_alone(tx, self.name).await?;
                let Some(tick) = self.due(&seen) else {
                    return Ok(0);
                };
                note(tx, self.name, tick).await?;
                hand_out(tx, &draft, &tenants, self.spread_ms(tick, tenants.len())).await
            })
            .await
    }

    /// The node's tenants whose rows can be opened now.
    fn tenants(&self, ledger: &Ledger, directory: &Arc<Directory>) -> Vec<String> {
        let all = directory.all().into_iter();
        let here = all.filter(|tenant| {
            let is_here = directory
                .ledger_of(tenant)
                .is_some_and(|its| its.node() == ledger.node());
            is_here
                && match self.opens {
                    Opens::Served => directory.enter(tenant).is_ok(),
                    Opens::Kept => directory.enter_to_record(tenant).is_ok(),
                }
        });
        here.map(|tenant| tenant.schema().as_str().to_owned())
            .collect()
    }

    /// The tick that is to be fired. One that never was is due at once.
    fn due(&self, clock: &Clock) -> Option<OffsetDateTime> {
        let tick = of_chrono(
            &self
                .cron
                .find_previous_occurrence(&to_chrono(clock.now)?, true)
                .ok()?,
        )?;
        match clock.fired {
            Some(fired) if fired >= tick => None,
            _ => Some(tick),
        }
    }

    fn spread_ms(&self, tick: OffsetDateTime, tenants: usize) -> i64 {
        let next = to_chrono(tick)
            .ok_or(CronError::TimeSearchLimitExceeded)
            .and_then(|tick| self.cron.find_next_occurrence(&tick, false));
        let next = next.ok().as_ref().and_then(of_chrono);
        let whole = next.map_or(0, |next| (next - tick).whole_milliseconds());
        let most = i64::try_from(whole / 4).unwrap_or(i64::MAX);
        let wanted = i64::try_from(tenants.saturating_sub(1)).unwrap_or(i64::MAX);
        wanted.saturating_mul(APART_MS).min(most)
    }
}

async fn look(tx: &JobsTx, name: &str) -> Result<Clock, DbErr> {
    let sql = "SELECT (SELECT tick FROM jobs.firing WHERE name = $1) AS fired,
        clock_timestamp() AS now";
    clock(tx, sql, name).await
}

/// Whoever else looks waits for our commit, and sees it.
async fn look_alone(tx: &JobsTx, name: &str) -> Result<Clock, DbErr> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('jobs.firing ' || $1, 0))";
    tx.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        lock,
        [name.into()],
    ))
    .await?;
    look(tx, name).await
}

async fn clock(tx: &JobsTx, sql: &str, name: &str) -> Result<Clock, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [name.into()]);
    let row = tx.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the time".to_owned()))?;
    Ok(Clock {
        fired: row.try_get("", "fired")?,
        now: row.try_get("", "now")?,
    })
}

async fn note(tx: &JobsTx, name: &str, tick: OffsetDateTime) -> Result<(), DbErr> {
    let sql = "INSERT INTO jobs.firing (name, tick) VALUES ($1, $2)
        ON CONFLICT ON CONSTRAINT firing_pkey DO UPDATE SET tick = excluded.tick";
    let values = [name.into(), tick.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    tx.execute_raw(statement).await.map(drop)
}

fn to_chrono(time: OffsetDateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.unix_timestamp(), time.nanosecond())
}

fn of_chrono(time: &DateTime<Utc>) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(time.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use serde::{Deserialize, Serialize};
    use time::macros::datetime;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Tidy;

    impl Job for Tidy {
        const KIND: &'static str = "room.tidy";
    }

    fn hourly() -> Schedule {
        let cron = Cron::from_str("17 * * * *").unwrap();
        Schedule::new(cron, Whose::Tenants, |_| Tidy)
    }

    fn due(fired: Option<OffsetDateTime>, now: OffsetDateTime) -> Option<OffsetDateTime> {
        hourly().due(&Clock { fired, now })
    }

    #[test]
    fn only_the_newest_of_the_ticks_that_were_missed_is_due() {
        let now = datetime!(2026-05-04 12:30:00.5 UTC);
        let newest = datetime!(2026-05-04 12:17 UTC);

        assert_eq!(due(Some(datetime!(2026-05-01 3:17 UTC)), now), Some(newest));
        assert_eq!(due(None, now), Some(newest));
    }

    #[test]
    fn a_tick_is_due_from_its_second_on_and_once() {
        let tick = datetime!(2026-05-04 12:17 UTC);
        let before = Some(datetime!(2026-05-04 11:17 UTC));

        assert_eq!(due(before, datetime!(2026-05-04 12:16:59.9 UTC)), None);
        assert_eq!(due(before, tick), Some(tick));
        assert_eq!(due(Some(tick), datetime!(2026-05-04 13:16:59 UTC)), None);
    }

    #[test]
    fn many_tenants_are_spread_over_a_quarter_of_the_time_at_most() {
        let tick = datetime!(2026-05-04 12:17 UTC);

        let spread = [1, 3, 100_000].map(|tenants| hourly().spread_ms(tick, tenants));
        assert_eq!(spread, [0, 100, 15 * 60 * 1000]);
    }
}
