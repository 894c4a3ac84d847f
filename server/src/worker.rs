//! What is done by the clock, and who does which kind of job.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::audit::checkpoint;
use crate::auth::{self, AuthError};
use crate::config::Config;
use crate::db::TenantTx;
use crate::http;
use crate::jobs::{
    Aftermath, Handled, Job, JobError, Opens, Outcome, Queue, Registry, Retry, Task, Whose,
};
use crate::leftovers;
use crate::mail::{self, SendMail};
use crate::platform::Platform;
use crate::state::AppState;
use crate::tenant::notifications::{self, SendDigest};
use crate::tenant::{exports, imports, jobs, webhooks};

/// How long a token that has expired is kept.
const ONE_TIME_KEPT: time::Duration = time::Duration::DAY;
/// Events that are removed by one statement.
const EVENTS: u64 = 5000;
/// What is done again at the next tick need not be tried for long.
const FEW: Retry = Retry {
    attempts: 3,
    first: Duration::from_secs(10),
    most: Duration::from_secs(60),
};
/// Before a worker that can't keep spares leaves them to another.
const SOMEBODY_ELSE: Duration = Duration::from_secs(2);

/// Removes what is over at one dealer: sessions, answers, tokens, events.
#[derive(Debug, Serialize, Deserialize)]
struct Purge {}

/// Notes how far one dealer's audit trail has come.
#[derive(Debug, Serialize, Deserialize)]
struct Checkpoint {}

/// Brings the spares of a node to their goal.
#[derive(Debug, Serialize, Deserialize)]
struct KeepSpares {
    node: String,
}

impl Job for Purge {
    const KIND: &'static str = "expired.purge";
    const RETRY: Retry = FEW;
}

impl Job for Checkpoint {
    const KIND: &'static str = "audit.checkpoint";
    const RETRY: Retry = FEW;
    const OPENS: Opens = Opens::Kept;
}

impl Job for KeepSpares {
    const KIND: &'static str = "spares.keep";
    const QUEUE: Queue = Queue::Bulk;
    const RETRY: Retry = FEW;
    const TIMEOUT: Duration = Duration::from_secs(600);
}

/// Who does which kind of job, and what is done by the clock. Spares are kept by who has the login
/// that owns the platform.
pub fn registry(config: &Config, operators: Option<web::Data<Platform>>) -> Registry<AppState> {
    let times = &config.worker;
    let registry = Registry::new()
        .with(async |state, task, Purge {}| purge(&state, &task).await)
        .with(async |state, task, Checkpoint {}| note_trail(&state, &task).await)
        .with(move |_, _, job: KeepSpares| {
            let operators = operators.clone();
            async move { keep_spares(operators, &job.node).await }
        })
        .with(async |state: Arc<AppState>, task, job: SendMail| {
            mail::deliver(&state.mailer, &state.clock, task, job).await
        })
        .after_death(async |aftermath: &Aftermath<'_, AppState>, job: SendMail| {
            mail::give_up(aftermath.tx, &job, aftermath.state.clock.now()).await
        });
    let registry = webhooks::register(imports::jobs::register(registry, config))
        .every(&times.purge, Whose::Tenants, |_| Purge {})
        .every(&times.digest, Whose::Tenants, |_| SendDigest {})
        .every(&times.checkpoint, Whose::Tenants, |_| Checkpoint {});
    let registry = exports::jobs::register(notifications::register(registry), config);
    let registry = leftovers::register(registry, config);
    // Last, for it asks all of them what is left to do.
    let registry = jobs::register(registry);
    // Where nobody can keep spares nobody is asked to.
    if config.platform.database_url.is_none() {
        return registry;
    }
    registry.every(&times.spares, Whose::Platform, |node| KeepSpares {
        node: node.to_owned(),
    })
}

async fn purge(state: &AppState, task: &Task) -> Handled {
    let (now, config) = (state.clock.now(), &state.config);
    let until = |days: u32| now - time::Duration::days(days.into());
    let sessions_until = until(config.worker.session_retention_days);
    let deliveries_until = until(config.webhooks.retention_days);
    let events_until = until(config.live.retention_days);
    while !task.is_to_end() {
        let removed: Result<u64, JobError> = task
            .step(async |tx| Ok(forget_events(tx, events_until).await?))
            .await;
        if removed? < EVENTS {
            break;
        }
    }
    let mail_until = now - time::Duration::days(state.config.mail.log_days.into());
    task.finish(async |tx| {
        let mails = mail::sweep(tx, mail_until).await?;
        let notifications = notifications::sweep(tx, now).await?;
        tracing::debug!(mails, notifications, "what was told long ago was removed");
        sweep(tx, sessions_until, now)
            .await
            .map_err(JobError::retry)?;
        webhooks::forget(tx, deliveries_until, now).await?;
        Ok(())
    })
    .await
}

async fn sweep(
    tx: &TenantTx,
    sessions_until: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), AuthError> {
    let swept = auth::sweep(tx, sessions_until, now).await?;
    let answers = http::forget_expired_answers(tx, now).await?;
    let one_time_tokens = auth::one_time::sweep(tx, now - ONE_TIME_KEPT).await?;
    tracing::debug!(
        sessions = swept.sessions,
        refresh_tokens = swept.refresh_tokens,
        answers,
        one_time_tokens,
        "what is over was removed"
    );
    Ok(())
}

async fn forget_events(tx: &TenantTx, until: OffsetDateTime) -> Result<u64, DbErr> {
    let sql = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE at < $1
        ORDER BY at LIMIT $2)";
    let values = [until.into(), EVENTS.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}

/// The note lies with the platform, and the same one twice is one.
async fn note_trail(state: &AppState, task: &Task) -> Handled {
    let secret = &state.config.database.secret;
    let platform = state.directory.platform();
    checkpoint(platform, task.db()?, secret, state.clock.now()).await?;
    Ok(Outcome::Done)
}

async fn keep_spares(operators: Option<web::Data<Platform>>, node: &str) -> Handled {
    let Some(operators) = operators else {
        return Ok(Outcome::Later(SOMEBODY_ELSE));
    };
    operators.fill_spares(node).await.map_err(JobError::retry)?;
    Ok(Outcome::Done)
}
