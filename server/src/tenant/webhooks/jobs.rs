//! The job that sends a message, once.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::entity::tenant::webhook_delivery::{self, State};
use ::entity::tenant::webhook_endpoint;
use reqwest::header::{HeaderMap, HeaderValue, InvalidHeaderValue};
use serde_json::json;
use time::OffsetDateTime;
use url::Url;

use super::attempt::{self, Sent, word};
use super::error::WebhookError;
use super::model::Verdict;
use super::secret::{Keeper, Secret, message_id};
use super::store;
use crate::auth::{ManageWebhooks, Permission};
use crate::db::TenantTx;
use crate::egress::{Answer, Letter, Trouble};
use crate::events::Deliver;
use crate::jobs::{Aftermath, Handled, JobError, Outcome, Registry, Task};
use crate::state::AppState;
use crate::tenant::notifications::{Audience, Kind, Notice, notify};

/// Who comes back early because of a clock that is a little behind finds nothing to do.
const LITTLE: Duration = Duration::from_millis(100);

/// Adds what this domain does in the background.
#[must_use]
pub fn register(registry: Registry<AppState>) -> Registry<AppState> {
    registry
        .with(
            |state: Arc<AppState>, task: Task, job: Deliver| async move {
                deliver(&state, &task, job).await
            },
        )
        .after_death(async |it: &Aftermath<'_, AppState>, job: Deliver| {
            Ok(attempt::bury(it.tx, job, it.state.clock.now()).await?)
        })
}

/// What is to be sent, and where to.
struct Due {
    delivery: webhook_delivery::Model,
    endpoint: webhook_endpoint::Model,
    secrets: Vec<Secret>,
}

async fn deliver(state: &AppState, task: &Task, job: Deliver) -> Handled {
    let place = match state.egress.places.take(job.endpoint) {
        Ok(place) => place,
        Err(wait) => return Ok(Outcome::Later(wait)),
    };
    let now = state.clock.now();
    let db = task.db()?;
    let tenant = db.tenant().key();
    let keeper = Keeper {
        sealer: &state.sealer,
        tenant,
    };
    let due = db.read(async |tx| due(tx, keeper, job, now).await).await;
    let Some(due) = due? else {
        // It is over, was sent anew, or its endpoint is gone.
        return Ok(Outcome::Done);
    };
    if !due.endpoint.is_enabled {
        let give_up = async |tx: &TenantTx| attempt::give_up(tx, job, now).await;
        return task.finish(give_up).await;
    }
    if let Some(wait) = due.endpoint.not_before.and_then(|it| until(it, now)) {
        return Ok(Outcome::Later(wait));
    }
    let url: Url = match due.endpoint.url.parse() {
        Ok(url) => url,
        Err(error) => return Err(JobError::discard(format!("its address is none: {error}"))),
    };
    let breakers = &state.egress.breakers;
    if let Some(wait) = breakers.wait_for(tenant, &url, now) {
        return Ok(Outcome::Later(wait.unsigned_abs()));
    }

    let began = Instant::now();
    let outcome = send(state, url.clone(), &due, now).await?;
    let sent = Sent {
        at: now,
        took: began.elapsed(),
        verdict: Verdict::of(&outcome),
        outcome,
    };
    drop(place);
    let webhooks = state.metrics.webhooks();
    webhooks.attempted(sent.verdict.word().unwrap_or("delivered"));
    if sent.verdict.is_well() {
        breakers.well(tenant, &url);
    } else {
        breakers.failed(tenant, &url, state.clock.now());
    }

    let dice = dice();
    let now = state.clock.now();
    let longest = time::Duration::days(state.config.webhooks.disable_after_days.into());
    let disabled = Cell::new(None);
    let finished = task.finish(async |tx| {
        let settled = attempt::settle(tx, job, &sent, dice, task.trace(), longest, now).await?;
        if let Some((reason, change)) = settled {
            disabled.set(Some(reason));
            crate::events::record(tx, &task.stamp(now), &change).await?;
            let notice = Notice {
                audience: Audience::Holders(ManageWebhooks::NAME),
                kind: Kind::WebhookDisabled,
                data: json!({"id": job.endpoint}),
            };
            let outbox = state.mailer.of(task.db()?.tenant().key());
            notify(tx, &outbox, &notice, now).await?;
        }
        Ok::<_, JobError>(())
    });
    let outcome = finished.await?;
    if let Some(reason) = disabled.get() {
        webhooks.disabled(word(reason));
    }
    Ok(outcome)
}

/// What is to be sent, unless there is nothing to do any more.
async fn due(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    job: Deliver,
    now: OffsetDateTime,
) -> Result<Option<Due>, JobError> {
    let Some(delivery) = store::delivery(tx, job.delivery).await? else {
        return Ok(None);
    };
    // A job of the same round that finds it failed is a dead letter that somebody has tried again.
    if delivery.state == State::Delivered || delivery.round != job.round {
        return Ok(None);
    }
    let Some(endpoint) = store::endpoint(tx, delivery.endpoint_id).await? else {
        return Ok(None);
    };
    let rows = store::secrets(tx, endpoint.id, now).await?;
    let opened = rows
        .iter()
        .map(|row| keeper.open(row.id, &row.scheme, &row.sealed_secret));
    let secrets: Result<Vec<_>, WebhookError> = opened.collect();
    Ok(Some(Due {
        delivery,
        endpoint,
        secrets: secrets.map_err(JobError::retry)?,
    }))
}

async fn send(
    state: &AppState,
    url: Url,
    due: &Due,
    now: OffsetDateTime,
) -> Result<Result<Answer, Trouble>, JobError> {
    let headers = headers(due, now).map_err(JobError::discard)?;
    let body = due.delivery.payload.clone();
    Ok(state.egress.post(Letter { url, headers, body }, now).await)
}

/// The three headers of the specification. While one secret takes another's place, both sign.
fn headers(due: &Due, now: OffsetDateTime) -> Result<HeaderMap, anyhow::Error> {
    let id = message_id(due.delivery.id);
    let signed = due
        .secrets
        .iter()
        .map(|secret| secret.sign(&id, now, &due.delivery.payload));
    let signatures = signed.collect::<Result<Vec<_>, _>>()?.join(" ");
    let value = |text: &str| -> Result<HeaderValue, InvalidHeaderValue> { text.parse() };
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", value(&id)?);
    headers.insert("webhook-timestamp", now.unix_timestamp().into());
    headers.insert("webhook-signature", value(&signatures)?);
    Ok(headers)
}

fn until(then: OffsetDateTime, now: OffsetDateTime) -> Option<Duration> {
    (then > now).then(|| (then - now).unsigned_abs() + LITTLE)
}

/// Two random bytes; without randomness the longest wait, which is safe.
fn dice() -> u16 {
    let mut bytes = [u8::MAX; 2];
    if getrandom::fill(&mut bytes).is_err() {
        return u16::MAX;
    }
    u16::from_le_bytes(bytes)
}
