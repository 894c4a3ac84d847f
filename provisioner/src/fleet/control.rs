//! What people say to a run: pause, go on, approve, stop, try again, leave one out.

use std::sync::Arc;

use sea_orm::{ActiveEnum as _, DatabaseTransaction};
use serde_json::{Value, json};
use uuid::Uuid;

use super::progress::{RunEntry, run_entry};
use super::start::LIMITS;
use super::wave::traffic;
use super::{PlaceState, RunError, RunState};
use crate::history::{now, record};
use crate::query::{one, run};
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Product, Provisioner, directory};

/// What trying again came to.
#[derive(Clone, Debug)]
pub struct Retried {
    /// The run.
    pub run: RunEntry,
    /// How many have their turn again.
    pub again: u64,
}

/// What can be said to a run, where it must stand for that, and where it stands then.
#[derive(Clone, Copy)]
struct Word {
    wanted: &'static str,
    from: &'static [RunState],
    from_words: &'static str,
    to: RunState,
}

const PAUSE: Word = Word {
    wanted: "paused",
    from: &[RunState::Running],
    from_words: "running",
    to: RunState::Paused,
};
const RESUME: Word = Word {
    wanted: "resumed",
    from: &[RunState::Paused, RunState::Halted],
    from_words: "paused or halted",
    to: RunState::Running,
};
const APPROVE: Word = Word {
    wanted: "approved",
    from: &[RunState::Waiting],
    from_words: "waiting for an approval",
    to: RunState::Running,
};
const CANCEL: Word = Word {
    wanted: "cancelled",
    from: &[
        RunState::Running,
        RunState::Paused,
        RunState::Waiting,
        RunState::Halted,
    ],
    from_words: "not over",
    to: RunState::Cancelled,
};

impl<P: Product> Provisioner<P> {
    /// Lets nobody take a tenant any more. What is in hand is finished.
    ///
    /// # Errors
    ///
    /// [`RunError::Standing`] unless it is running.
    pub async fn pause_run(&self, run: Uuid, actor: &str) -> Result<RunEntry, RunError> {
        self.say(run, PAUSE, actor).await
    }

    /// Lets workers go on with a run that is paused or has halted. Where a wave was judged worse
    /// than before, this is the word that it may go on all the same.
    ///
    /// # Errors
    ///
    /// [`RunError::Standing`] unless it is paused or halted.
    pub async fn resume_run(&self, run: Uuid, actor: &str) -> Result<RunEntry, RunError> {
        self.say(run, RESUME, actor).await
    }

    /// Lets the next wave begin.
    ///
    /// # Errors
    ///
    /// [`RunError::Standing`] unless it is waiting for that.
    pub async fn approve_run(&self, run: Uuid, actor: &str) -> Result<RunEntry, RunError> {
        self.say(run, APPROVE, actor).await
    }

    /// Ends a run. Who was moved stays moved, who was not stays where they are.
    ///
    /// # Errors
    ///
    /// [`RunError::Standing`] when it is over.
    pub async fn cancel_run(&self, run: Uuid, actor: &str) -> Result<RunEntry, RunError> {
        self.say(run, CANCEL, actor).await
    }

    async fn say(&self, run: Uuid, word: Word, actor: &str) -> Result<RunEntry, RunError> {
        let inner = Arc::clone(&self.inner);
        let actor = actor.to_owned();
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = say_in(&tx, run, word, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }

    /// Gives everybody who failed or was quarantined another turn, also in a run that is over.
    ///
    /// # Errors
    ///
    /// [`RunError::InProgress`] when another run is not over.
    pub async fn retry_run(&self, run_id: Uuid, actor: &str) -> Result<Retried, RunError> {
        let inner = Arc::clone(&self.inner);
        let actor = actor.to_owned();
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = retry_in(&tx, run_id, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }

    /// Leaves a tenant out of a run: its turn has not come, or it has failed.
    ///
    /// # Errors
    ///
    /// [`RunError::NoPlace`], [`RunError::PlaceStanding`].
    pub async fn skip_tenant(
        &self,
        run_id: Uuid,
        tenant: &str,
        reason: &str,
        actor: &str,
    ) -> Result<RunEntry, RunError> {
        let inner = Arc::clone(&self.inner);
        let (tenant, reason, actor) = (
            tenant.to_owned(),
            reason.trim().to_owned(),
            actor.to_owned(),
        );
        if reason.is_empty() {
            return Err(RunError::Options("say why it is left out".to_owned()));
        }
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = skip_in(&tx, run_id, &tenant, &reason, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }
}

/// Holds the row of a run, and reads where it stands.
pub(super) async fn hold_run(tx: &DatabaseTransaction, id: Uuid) -> Result<RunState, RunError> {
    act_as_owner(tx).await?;
    let row = one(
        tx,
        "SELECT state FROM platform.migration_run WHERE id = $1 FOR NO KEY UPDATE",
        [id.into()],
    )
    .await?;
    let row = row.ok_or_else(|| RunError::NotFound(id.to_string()))?;
    Ok(row.try_get("", "state")?)
}

async fn say_in(
    tx: &DatabaseTransaction,
    id: Uuid,
    word: Word,
    actor: &str,
) -> Result<RunEntry, RunError> {
    let is = hold_run(tx, id).await?;
    if !word.from.contains(&is) {
        return Err(RunError::Standing {
            run: id,
            is: is.to_value(),
            from: word.from_words,
            wanted: word.wanted,
        });
    }
    let entry = run_entry(tx, id).await?;
    // Approved, or let go on although its wave was judged: the next wave. Halted by too many
    // failures in the middle of a wave: the same.
    let is_wave_over = is == RunState::Waiting || is == RunState::Halted && was_judged(&entry);
    let wave = entry.wave + i32::from(is_wave_over && word.to == RunState::Running);
    if word.to == RunState::Cancelled {
        cancel_places(tx, id).await?;
    }
    let reason = format!("{} by {actor}", word.wanted);
    let mut verdicts: Vec<Value> = serde_json::from_value(entry.verdicts)?;
    if wave > entry.wave {
        verdicts.push(json!({ "wave": wave, "before": traffic(tx, id, wave).await? }));
    }
    run(
        tx,
        "UPDATE platform.migration_run
         SET state = $2, reason = $3, wave = $4, verdicts = $5, updated_at = now(),
             finished_at = CASE WHEN $2 = 'cancelled' THEN now() END
         WHERE id = $1",
        [
            id.into(),
            word.to.to_value().into(),
            reason.into(),
            wave.into(),
            Value::from(verdicts).into(),
        ],
    )
    .await?;
    run_entry(tx, id).await
}

fn was_judged(run: &RunEntry) -> bool {
    let verdicts = run.verdicts.as_array().into_iter().flatten();
    verdicts
        .filter(|verdict| verdict["wave"] == run.wave)
        .any(|verdict| verdict["complaint"].is_string())
}

/// Those who are in somebody's hand keep their lease: whoever has them finds the run over and lets
/// go, with the tenant where it then stands.
pub(super) async fn cancel_places(tx: &DatabaseTransaction, id: Uuid) -> Result<(), RunError> {
    run(
        tx,
        "UPDATE platform.migration_run_tenant
         SET state = 'skipped', error = $2, finished_at = now(), lease = NULL, lease_until = NULL
         WHERE run_id = $1 AND state IN ('pending', 'running')",
        [
            id.into(),
            json!({ "message": "the run was cancelled" }).into(),
        ],
    )
    .await?;
    Ok(())
}

async fn retry_in(tx: &DatabaseTransaction, id: Uuid, actor: &str) -> Result<Retried, RunError> {
    let is = hold_run(tx, id).await?;
    let other = one(
        tx,
        "SELECT id, target_version, state FROM platform.migration_run
         WHERE id <> $1 AND state NOT IN ('cancelled', 'done')",
        [id.into()],
    );
    if let Some(other) = other.await? {
        return Err(RunError::InProgress {
            run: other.try_get("", "id")?,
            target: other.try_get("", "target_version")?,
            state: other.try_get("", "state")?,
        });
    }
    let again = run(
        tx,
        "UPDATE platform.migration_run_tenant
         SET state = 'pending', attempts = 0, not_before = NULL, finished_at = NULL
         WHERE run_id = $1 AND state IN ('failed', 'quarantined')",
        [id.into()],
    )
    .await?;
    // One that is paused, or waits, does so still.
    let to = match is {
        RunState::Done | RunState::Cancelled | RunState::Halted if again > 0 => RunState::Running,
        other => other,
    };
    run(
        tx,
        "UPDATE platform.migration_run SET state = $2, reason = $3, updated_at = now(),
             finished_at = CASE WHEN $2 IN ('done', 'cancelled') THEN finished_at END
         WHERE id = $1",
        [
            id.into(),
            to.to_value().into(),
            format!("{again} tried again by {actor}").into(),
        ],
    )
    .await?;
    Ok(Retried {
        run: run_entry(tx, id).await?,
        again,
    })
}

async fn skip_in(
    tx: &DatabaseTransaction,
    id: Uuid,
    tenant: &str,
    reason: &str,
    actor: &str,
) -> Result<RunEntry, RunError> {
    hold_run(tx, id).await?;
    let missing = || RunError::NoPlace {
        run: id,
        tenant: tenant.to_owned(),
    };
    let found = directory::find(tx, tenant).await?.ok_or_else(missing)?;
    let row = one(
        tx,
        "SELECT state FROM platform.migration_run_tenant
         WHERE run_id = $1 AND tenant_id = $2 FOR NO KEY UPDATE",
        [id.into(), found.id.into()],
    )
    .await?;
    let state: PlaceState = row.ok_or_else(missing)?.try_get("", "state")?;
    if !matches!(state, PlaceState::Pending | PlaceState::Failed) {
        return Err(RunError::PlaceStanding {
            tenant: found.slug,
            is: state.to_value(),
        });
    }
    let at = now();
    run(
        tx,
        "UPDATE platform.migration_run_tenant
         SET state = 'skipped', error = $3, finished_at = $4
         WHERE run_id = $1 AND tenant_id = $2",
        [
            id.into(),
            found.id.into(),
            json!({ "message": reason }).into(),
            at.into(),
        ],
    )
    .await?;
    let detail = json!({ "run": id, "reason": reason });
    record(tx, found.id, "migration_skipped", actor, detail, at).await?;
    run_entry(tx, id).await
}
