//! What is left to do when a job has died: whatever waited for it is ended as its kind says, followers
//! are told, and so are members who may have it tried again.

use std::sync::Arc;

use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::store;
use crate::auth::{ManageJobs, Permission};
use crate::db::TenantTx;
use crate::events::{self, Deliver, Event, kind_named};
use crate::jobs::{Aftermath, Death, Handled, Hooks, Job, JobError, Registry, Task};
use crate::state::AppState;
use crate::tenant::notifications::{Audience, Kind, Notice, notify};

/// People are told of the first death of a kind within so long, and find the others in the list: what
/// kills one job often kills thousands. It also keeps a message that can't be sent from being told of
/// by one more that can't be sent, for ever.
const TOLD_ONCE_IN: Duration = Duration::HOUR;

/// Adds what is done about jobs that died. To be asked last: it knows what was said before.
#[must_use]
pub fn register(registry: Registry<AppState>) -> Registry<AppState> {
    let hooks = registry.hooks();
    registry.with(move |state: Arc<AppState>, task: Task, death: Death| {
        let hooks = hooks.clone();
        async move { see_to(&state, &task, &death, &hooks).await }
    })
}

async fn see_to(state: &AppState, task: &Task, death: &Death, hooks: &Hooks<AppState>) -> Handled {
    let now = state.clock.now();
    task.finish(async |tx| {
        let found = store::find(tx, death.job).await?;
        let is_discarded = found.is_none();
        if found.is_some_and(|job| job.state != "dead" || job.attempt != death.attempts) {
            // Somebody has it tried again already. If it dies once more, that has an aftermath, too.
            return Ok(());
        }
        hooks
            .see_to(Aftermath {
                state,
                task,
                tx,
                death,
            })
            .await?;
        // Who discarded it knows.
        if is_discarded {
            return Ok(());
        }
        tell(tx, state, task, death, now).await
    })
    .await
}

async fn tell(
    tx: &TenantTx,
    state: &AppState,
    task: &Task,
    death: &Death,
    now: OffsetDateTime,
) -> Result<(), JobError> {
    let event = Event {
        kind: kind_named("job.dead").expect("the catalogue has it"),
        audience: None,
        data: json!({"id": death.job, "kind": death.kind, "attempts": death.attempts}),
    };
    if death.kind == Deliver::KIND {
        events::publish_live(tx, &event, now).await?;
    } else {
        events::publish(tx, &event, now).await?;
    }
    // Whoever tells of another waits for this transaction, so one of two is the first.
    if !store::is_first_death(tx, &death.kind, now - TOLD_ONCE_IN).await? {
        return Ok(());
    }
    let notice = Notice {
        audience: Audience::Holders(ManageJobs::NAME),
        kind: Kind::JobDead,
        data: json!({"id": death.job, "name": death.kind}),
    };
    let outbox = state.mailer.of(task.db()?.tenant().key());
    Ok(notify(tx, &outbox, &notice, now).await?)
}
