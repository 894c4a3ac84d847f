//! The end of a wave: everybody in it had a turn, so it is judged, and the next one begins, waits
//! for somebody's word, or does not begin at all.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde_json::{Value, json};
use uuid::Uuid;

use super::options::RunOptions;
use super::start::LIMITS;
use super::{RunError, RunState};
use crate::query::{one, run};
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Inner, Product};

/// How long a worker waits at most before it looks again.
const LONGEST_WAIT_MS: i64 = 250;

/// Fewer requests say nothing about a wave.
const FEWEST_REQUESTS: i64 = 20;

/// What a worker finds when there is nothing to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It took something, or the next wave has begun.
    Worked,
    /// Somebody is at the last ones, or their turn comes later.
    Wait(Duration),
    /// The run is over, or stands still.
    Over,
}

/// Looks whether the wave is over, and goes on from there.
pub(super) async fn advance<P: Product>(
    inner: &Arc<Inner<P>>,
    run: Uuid,
) -> Result<Turn, RunError> {
    let inner = Arc::clone(inner);
    to_the_end(async move {
        let tx = begin(&inner.db, LIMITS).await?;
        let outcome = advance_in(&tx, run).await;
        finish(tx, outcome).await
    })
    .await
}

/// How far a wave is.
const LOOK: &str = "
    SELECT count(*) FILTER (WHERE m.state IN ('pending', 'running')) AS open,
        coalesce(min(greatest(extract(epoch FROM m.not_before - now()) * 1000, 20))
            FILTER (WHERE m.state = 'pending'), 30)::bigint AS wait_ms,
        coalesce((extract(epoch FROM now() - max(m.finished_at)) * 1000)::bigint, 0) AS quiet_ms,
        count(*) FILTER (WHERE m.wave = $2 AND m.state = 'done') AS done,
        count(*) FILTER (WHERE m.wave = $2 AND m.state IN ('failed', 'quarantined')) AS failed,
        count(*) FILTER (WHERE m.wave = $2 AND m.lock_waits > 0) AS waited,
        count(*) FILTER (WHERE m.wave = $2) AS everybody
    FROM platform.migration_run_tenant m WHERE m.run_id = $1 AND m.wave <= $2";

async fn advance_in(tx: &DatabaseTransaction, id: Uuid) -> Result<Turn, RunError> {
    act_as_owner(tx).await?;
    let row = one(
        tx,
        "SELECT state, options, wave, waves, verdicts FROM platform.migration_run
         WHERE id = $1 FOR NO KEY UPDATE",
        [id.into()],
    )
    .await?;
    let row = row.ok_or_else(|| RunError::NotFound(id.to_string()))?;
    if row.try_get::<RunState>("", "state")? != RunState::Running {
        return Ok(Turn::Over);
    }
    let options: RunOptions = serde_json::from_value(row.try_get("", "options")?)?;
    let (wave, waves): (i32, i32) = (row.try_get("", "wave")?, row.try_get("", "waves")?);
    let mut verdicts: Vec<Value> = serde_json::from_value(row.try_get("", "verdicts")?)?;
    let look = one(tx, LOOK, [id.into(), wave.into()]).await?;
    let look = look.ok_or_else(|| RunError::NotFound(id.to_string()))?;
    let number = |name: &str| look.try_get::<i64>("", name);
    if number("open")? > 0 {
        return Ok(Turn::Wait(millis(number("wait_ms")?.min(LONGEST_WAIT_MS))));
    }
    let watched_ms = i64::from(options.watch_seconds) * 1000;
    let left_ms = watched_ms - number("quiet_ms")?;
    let is_last = wave + 1 >= waves;
    if left_ms > 0 && !is_last {
        return Ok(Turn::Wait(millis(left_ms.clamp(20, LONGEST_WAIT_MS))));
    }
    let after = traffic(tx, id, wave).await?;
    let before = verdicts
        .iter()
        .find(|verdict| verdict["wave"] == wave && verdict.get("before").is_some())
        .map_or(Value::Null, |verdict| verdict["before"].clone());
    let everybody = number("everybody")?;
    let complaint = judge(&before, &after).or_else(|| {
        let waited = number("waited").unwrap_or_default();
        (everybody >= 4 && waited * 2 > everybody)
            .then(|| format!("{waited} of its {everybody} tenants had to wait for locks"))
    });
    verdicts.retain(|verdict| verdict["wave"] != wave);
    verdicts.push(json!({
        "wave": wave,
        "done": number("done")?,
        "failed": number("failed")?,
        "waited_for_locks": number("waited")?,
        "before": before,
        "after": after,
        "complaint": complaint,
    }));
    // People count from one.
    let called = wave + 1;
    let (state, reason, next) = match complaint {
        _ if is_last => (RunState::Done, None, wave),
        Some(complaint) => {
            let reason = format!("wave {called} is worse than before: {complaint}");
            tracing::error!(run.id = %id, reason, "a run has halted");
            (RunState::Halted, Some(reason), wave)
        }
        None if options.approve => {
            let reason = format!("wave {called} is over; the next needs an approval");
            (RunState::Waiting, Some(reason), wave)
        }
        None => (RunState::Running, None, wave + 1),
    };
    write(tx, id, state, reason, next, verdicts).await?;
    Ok(match state {
        RunState::Running => Turn::Worked,
        _ => Turn::Over,
    })
}

fn millis(count: i64) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or_default())
}

async fn write(
    tx: &DatabaseTransaction,
    id: Uuid,
    state: RunState,
    reason: Option<String>,
    wave: i32,
    mut verdicts: Vec<Value>,
) -> Result<(), RunError> {
    if state == RunState::Running {
        verdicts.push(json!({ "wave": wave, "before": traffic(tx, id, wave).await? }));
    }
    run(
        tx,
        "UPDATE platform.migration_run
         SET state = $2, reason = $3, wave = $4, verdicts = $5, updated_at = now(),
             finished_at = CASE WHEN $2 = 'done' THEN now() END
         WHERE id = $1",
        [
            id.into(),
            sea_orm::ActiveEnum::to_value(&state).into(),
            reason.into(),
            wave.into(),
            Value::from(verdicts).into(),
        ],
    )
    .await?;
    Ok(())
}

/// What servers told last of the requests of a wave's tenants; nothing if no live one told
/// anything in the last minute.
pub(super) async fn traffic(
    db: &impl ConnectionTrait,
    run: Uuid,
    wave: i32,
) -> Result<Value, DbErr> {
    let row = one(
        db,
        "SELECT coalesce(sum(f.requests), 0)::bigint AS requests,
             coalesce(sum(f.failures), 0)::bigint AS failures,
             coalesce(max(f.slow_ms), 0)::bigint AS slow_ms
         FROM platform.migration_run_tenant m
         JOIN platform.tenant_traffic f ON f.tenant_id = m.tenant_id
         WHERE m.run_id = $1 AND m.wave = $2 AND f.ended_at > now() - interval '1 minute'",
        [run.into(), wave.into()],
    )
    .await?;
    let Some(row) = row else {
        return Ok(Value::Null);
    };
    let requests: i64 = row.try_get("", "requests")?;
    if requests == 0 {
        return Ok(Value::Null);
    }
    Ok(json!({
        "requests": requests,
        "failures": row.try_get::<i64>("", "failures")?,
        "slow_ms": row.try_get::<i64>("", "slow_ms")?,
    }))
}

/// What is worse than before, if enough was told to say so: more than one request in a hundred
/// fails and twice as many as before, or the slowest take twice as long and 50 ms more.
fn judge(before: &Value, after: &Value) -> Option<String> {
    let number = |of: &Value, name: &str| of[name].as_i64().unwrap_or_default();
    let (requests, failures) = (number(after, "requests"), number(after, "failures"));
    if requests < FEWEST_REQUESTS {
        return None;
    }
    let had = number(before, "requests").max(1);
    let is_failing =
        failures * 100 > requests && failures * had > 2 * number(before, "failures") * requests;
    if is_failing {
        return Some(format!("{failures} of {requests} requests failed"));
    }
    let (was, is) = (number(before, "slow_ms"), number(after, "slow_ms"));
    let is_slow = was > 0 && is > 2 * was && is > was + 50;
    is_slow.then(|| format!("the slowest requests took {is} ms, and {was} ms before"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(requests: i64, failures: i64, slow_ms: i64) -> Value {
        json!({ "requests": requests, "failures": failures, "slow_ms": slow_ms })
    }

    #[test]
    fn a_wave_is_judged_by_what_servers_told() {
        let before = told(1_000, 1, 20);

        assert_eq!(judge(&before, &told(1_000, 2, 25)), None);
        assert!(judge(&before, &told(1_000, 20, 25)).is_some(), "failures");
        assert!(judge(&before, &told(1_000, 0, 200)).is_some(), "slowness");
        assert_eq!(judge(&before, &told(10, 10, 999)), None, "too few to say");
        assert_eq!(judge(&Value::Null, &Value::Null), None);
        assert!(judge(&Value::Null, &told(100, 50, 10)).is_some());
    }
}
