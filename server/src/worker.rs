//! Background work that goes round all dealers. Every step may run twice, and on several
//! processes at once.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Interval, MissedTickBehavior};

use crate::audit::checkpoint;
use crate::auth::{self, AuthError};
use crate::db::TenantTx;
use crate::http;
use crate::jobs::Registry;
use crate::mail::{self, SendMail};
use crate::state::AppState;
use crate::tenant::notifications;

/// How soon the directory is looked at again before it was first read.
const NOT_READ_YET: Duration = Duration::from_millis(100);

/// Who does which kind of job.
pub fn registry() -> Registry<AppState> {
    let registry = Registry::new().with(|state: Arc<AppState>, task, job: SendMail| async move {
        mail::deliver(&state.mailer, &state.clock, task, job).await
    });
    notifications::register(registry)
}

/// What a round removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions that were over for long enough.
    pub sessions: u64,
    /// Refresh tokens of living sessions that had expired.
    pub refresh_tokens: u64,
    /// Answers that were kept for requests that are sent again.
    pub answers: u64,
    /// Tokens for one time that nobody used in time.
    pub one_time_tokens: u64,
    /// What is kept of messages that ended long ago.
    pub mails: u64,
    /// What members were told long ago.
    pub notifications: u64,
}

/// How long a token that has expired is kept.
const ONE_TIME_KEPT: time::Duration = time::Duration::DAY;

/// Sweeps out what is over, and notes how far the audit trails have come, each every so often,
/// until it is dropped. The first round waits for the directory: without it there is nobody to go
/// round to, and the next is an hour away.
pub async fn run(state: Arc<AppState>) {
    while !state.directory.is_loaded() {
        tokio::time::sleep(NOT_READ_YET).await;
    }
    let mut sweeps = every(state.config.worker.sweep_seconds);
    let mut checkpoints = every(state.config.worker.checkpoint_seconds);
    loop {
        tokio::select! {
            _ = sweeps.tick() => {
                sweep(&state).await;
            }
            _ = checkpoints.tick() => {
                note_trails(&state).await;
            }
        }
    }
}

fn every(seconds: u64) -> Interval {
    let mut timer = tokio::time::interval(Duration::from_secs(seconds));
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    timer
}

/// Goes round once. A dealer that fails doesn't stop the others.
pub async fn sweep(state: &AppState) -> Swept {
    let now = state.clock.now();
    let kept = time::Duration::days(state.config.worker.session_retention_days.into());
    let mut total = Swept::default();
    for tenant in state.directory.all() {
        let Ok(db) = state.directory.enter(&tenant) else {
            continue;
        };
        let logged = time::Duration::days(state.config.mail.log_days.into());
        let before = (now - kept, now - logged);
        match db.write(async |tx| of_one(tx, before, now).await).await {
            Ok(swept) => {
                total.sessions += swept.sessions;
                total.refresh_tokens += swept.refresh_tokens;
                total.answers += swept.answers;
                total.one_time_tokens += swept.one_time_tokens;
                total.mails += swept.mails;
                total.notifications += swept.notifications;
            }
            Err(error) => tracing::error!(
                tenant.id = %tenant.key(),
                error = ?error,
                "ended sessions could not be swept out"
            ),
        }
    }
    tracing::info!(
        sessions = total.sessions,
        refresh_tokens = total.refresh_tokens,
        answers = total.answers,
        one_time_tokens = total.one_time_tokens,
        mails = total.mails,
        notifications = total.notifications,
        "ended sessions were swept out"
    );
    total
}

async fn of_one(
    tx: &TenantTx,
    (ended_before, logged_before): (OffsetDateTime, OffsetDateTime),
    now: OffsetDateTime,
) -> Result<Swept, AuthError> {
    let swept = auth::sweep(tx, ended_before, now).await?;
    let answers = http::forget_expired_answers(tx, now).await?;
    let one_time_tokens = auth::one_time::sweep(tx, now - ONE_TIME_KEPT).await?;
    Ok(Swept {
        sessions: swept.sessions,
        refresh_tokens: swept.refresh_tokens,
        answers,
        one_time_tokens,
        mails: mail::sweep(tx, logged_before).await?,
        notifications: notifications::sweep(tx, now).await?,
    })
}

/// Notes once how far all trails have come. Answers with how many notes were made.
pub async fn note_trails(state: &AppState) -> u64 {
    let (mut made, now) = (0, state.clock.now());
    for tenant in state.directory.all() {
        let Ok(db) = state.directory.enter_to_record(&tenant) else {
            continue;
        };
        let secret = &state.config.database.secret;
        match checkpoint(state.directory.platform(), &db, secret, now).await {
            Ok(is_new) => made += u64::from(is_new),
            Err(error) => tracing::error!(
                tenant.id = %tenant.key(),
                error = ?error,
                "how far an audit trail has come could not be noted"
            ),
        }
    }
    made
}
