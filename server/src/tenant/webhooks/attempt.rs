//! What becomes of a delivery, and of its endpoint, after an attempt: committed with the end of the
//! job that made it.

use std::time::Duration;

use ::entity::tenant::webhook_delivery::{self, State};
use ::entity::tenant::webhook_endpoint::Reason;
use ::entity::tenant::{webhook_attempt, webhook_delivery::Model};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr, IntoActiveModel};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::model::{Verdict, wait_after};
use super::store;
use crate::audit::Change;
use crate::db::TenantTx;
use crate::egress::{Answer, Trouble};
use crate::events::Deliver;
use crate::jobs::{Enqueue, enqueue};

/// The word for an attempt that was none: we could not make it.
const GIVEN_UP: &str = "given_up";

/// An attempt that was made.
#[derive(Debug)]
pub(super) struct Sent {
    pub at: OffsetDateTime,
    pub took: Duration,
    pub outcome: Result<Answer, Trouble>,
    pub verdict: Verdict,
}

/// Notes an attempt and what comes of it. Answers with why, and what is to be put on record, if the
/// endpoint was sent something for the last time.
pub(super) async fn settle(
    tx: &TenantTx,
    job: Deliver,
    sent: &Sent,
    dice: u16,
    trace: Option<&str>,
    longest: time::Duration,
    now: OffsetDateTime,
) -> Result<Option<(Reason, Change)>, DbErr> {
    let Some(delivery) = store::delivery_locked(tx, job.delivery).await? else {
        return Ok(None);
    };
    let number = delivery.attempts + 1;
    note(tx, job, number, sent).await?;
    if delivery.round != job.round {
        // It is sent anew already: this attempt is on the list, and has no other say.
        return Ok(None);
    }
    match sent.verdict {
        Verdict::Delivered => {
            store::note_success(tx, job.endpoint).await?;
            end(tx, delivery, State::Delivered, number, now).await?;
            Ok(None)
        }
        Verdict::Gone => {
            end(tx, delivery, State::Failed, number, now).await?;
            disable(tx, job.endpoint, Reason::Gone, now).await
        }
        Verdict::Failed { after, pause, .. } => {
            let pause = pause.and_then(|it| time::Duration::try_from(it).ok());
            let failing = store::note_failure(tx, job.endpoint, pause, now).await?;
            if failing.is_some_and(|failing| now - failing.since >= longest) {
                end(tx, delivery, State::Failed, number, now).await?;
                return disable(tx, job.endpoint, Reason::Failing, now).await;
            }
            match wait_after(number, dice) {
                Some(wait) => {
                    let wait = wait.max(after);
                    wait_on(tx, delivery, number, wait, now).await?;
                    let trace = trace.map(ToOwned::to_owned);
                    enqueue(tx, &job, Enqueue::after(wait).trace(trace)).await?;
                }
                None => end(tx, delivery, State::Failed, number, now).await?,
            }
            Ok(None)
        }
    }
}

/// Ends a delivery to an endpoint that is sent nothing.
pub(super) async fn give_up(
    tx: &TenantTx,
    job: Deliver,
    now: OffsetDateTime,
) -> Result<(), crate::jobs::JobError> {
    match store::delivery_locked(tx, job.delivery).await? {
        Some(delivery) if delivery.round == job.round => {
            let attempts = delivery.attempts;
            Ok(end(tx, delivery, State::Failed, attempts, now).await?)
        }
        _ => Ok(()),
    }
}

/// Ends a delivery whose job has died: it failed on our side for so long that nobody tries any more.
/// Tried again, the dead letter goes on with it.
pub(super) async fn bury(tx: &TenantTx, job: Deliver, now: OffsetDateTime) -> Result<(), DbErr> {
    let found = store::delivery_locked(tx, job.delivery).await?;
    let is_its = |it: &Model| it.round == job.round && it.state == State::Pending;
    let Some(delivery) = found.filter(is_its) else {
        return Ok(());
    };
    let number = delivery.attempts + 1;
    let attempt = webhook_attempt::ActiveModel {
        id: Set(Uuid::now_v7()),
        delivery_id: Set(job.delivery),
        round: Set(job.round),
        number: Set(number),
        at: Set(now),
        duration_ms: Set(0),
        status: Set(None),
        error: Set(Some(GIVEN_UP.to_owned())),
        answer: Set(None),
    };
    attempt.insert(tx).await?;
    end(tx, delivery, State::Failed, number, now).await
}

async fn note(tx: &TenantTx, job: Deliver, number: i32, sent: &Sent) -> Result<(), DbErr> {
    let answer = sent.outcome.as_ref().ok();
    let attempt = webhook_attempt::ActiveModel {
        id: Set(Uuid::now_v7()),
        delivery_id: Set(job.delivery),
        round: Set(job.round),
        number: Set(number),
        at: Set(sent.at),
        duration_ms: Set(i32::try_from(sent.took.as_millis()).unwrap_or(i32::MAX)),
        status: Set(answer.map(|it| it.status.into())),
        error: Set(sent.verdict.word().map(ToOwned::to_owned)),
        answer: Set(answer.map(|it| it.beginning.clone())),
    };
    attempt.insert(tx).await.map(drop)
}

async fn end(
    tx: &TenantTx,
    delivery: Model,
    state: State,
    attempts: i32,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let ended = webhook_delivery::ActiveModel {
        state: Set(state),
        attempts: Set(attempts),
        next_attempt_at: Set(None),
        ended_at: Set(Some(now)),
        ..delivery.into_active_model()
    };
    ended.update(tx).await.map(drop)
}

async fn wait_on(
    tx: &TenantTx,
    delivery: Model,
    attempts: i32,
    wait: Duration,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let waiting = webhook_delivery::ActiveModel {
        // It may have failed, and be tried again after all.
        state: Set(State::Pending),
        attempts: Set(attempts),
        next_attempt_at: Set(Some(now + wait)),
        ended_at: Set(None),
        ..delivery.into_active_model()
    };
    waiting.update(tx).await.map(drop)
}

/// Many deliveries find out at once; the first one tells.
async fn disable(
    tx: &TenantTx,
    endpoint: Uuid,
    because: Reason,
    now: OffsetDateTime,
) -> Result<Option<(Reason, Change)>, DbErr> {
    if !store::disable(tx, endpoint, because, now).await? {
        return Ok(None);
    }
    let told = json!({"is_enabled": false, "disabled_because": word(because)});
    let change = Change::new("webhook_endpoint.disable", "webhook_endpoint", endpoint);
    Ok(Some((because, change.after(&told))))
}

/// Why an endpoint is sent nothing any more, in a word.
pub(super) const fn word(because: Reason) -> &'static str {
    match because {
        Reason::Gone => "gone",
        Reason::Failing => "failing",
    }
}
