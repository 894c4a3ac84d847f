//! The digest: what somebody wanted to hear of once a day, in one message.

use std::sync::Arc;
use std::time::Duration;

use ::entity::tenant::notification::{Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::kind::Kind;
use super::store::{self, Recipient};
use super::telling::Audience;
use crate::db::TenantTx;
use crate::jobs::{Handled, Job, JobError, Outcome, Queue, Registry, Task};
use crate::kernel::Email;
use crate::mail::{Correspondence, Language, Occasion, Outbox, To};
use crate::state::AppState;

/// Members who are written to in one transaction.
const AT_ONCE: u64 = 50;
/// What one message tells; more than that is counted.
const TOLD: usize = 50;

/// Writes to whoever awaits a digest. Daily: whoever has several a day has them in several messages,
/// and nothing twice.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SendDigest {}

impl Job for SendDigest {
    const KIND: &'static str = "digest.send";
    const QUEUE: Queue = Queue::Bulk;
    const TIMEOUT: Duration = Duration::from_secs(600);
}

/// Adds the jobs of this domain.
pub fn register(registry: Registry<AppState>) -> Registry<AppState> {
    registry
        .with(|state: Arc<AppState>, task, _: SendDigest| async move { run(&state, task).await })
}

async fn run(state: &AppState, task: Task) -> Handled {
    let outbox = state.mailer.of(task.db()?.tenant().key());
    loop {
        let now = state.clock.now();
        let written = task
            .step(async |tx| Ok::<_, JobError>(send_digests(tx, &outbox, now).await?))
            .await?;
        if written == 0 {
            return Ok(Outcome::Done);
        }
        if task.is_to_end() {
            return Ok(Outcome::Later(Duration::ZERO));
        }
    }
}

/// Puts down a message for some of those who await a digest. Answers for how many: for nobody, when
/// all have theirs.
///
/// # Errors
///
/// When the database refuses.
pub async fn send_digests(
    tx: &TenantTx,
    outbox: &Outbox<'_>,
    now: OffsetDateTime,
) -> Result<usize, DbErr> {
    let members = store::awaiting_digest(tx, AT_ONCE).await?;
    let dealers = Correspondence::of(tx).await?.language.unwrap_or_default();
    let recipients = store::recipients(tx, &Audience::Members(members.clone())).await?;
    for member in &members {
        let rows = store::for_digest(tx, *member).await?;
        // Whoever is deactivated by now is not written to.
        let recipient = recipients.iter().find(|one| one.id == *member);
        if let (Some(recipient), false) = (recipient, rows.is_empty()) {
            write(tx, outbox, (recipient, dealers), &rows, now).await?;
        }
        told(tx, rows.iter().map(|row| row.id)).await?;
    }
    Ok(members.len())
}

async fn write(
    tx: &TenantTx,
    outbox: &Outbox<'_>,
    (recipient, dealers): (&Recipient, Language),
    rows: &[Model],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let Ok(email) = Email::parse(&recipient.email) else {
        return Ok(());
    };
    let language = recipient.preferences.language.unwrap_or(dealers);
    let titles = rows.iter().filter_map(|row| {
        let kind = Kind::named(&row.kind)?;
        Some(kind.told(language, &row.data))
    });
    let titles: Vec<_> = titles.take(TOLD).collect();
    let more = rows.len().saturating_sub(titles.len());
    let occasion = Occasion::Digest {
        more: u64::try_from(more).unwrap_or(u64::MAX),
        titles,
    };
    let to = To {
        email: Some(&email),
        name: &recipient.name,
        member: Some(recipient.id),
        language: Some(language),
    };
    outbox.post(tx, to, occasion, now).await
}

async fn told(tx: &TenantTx, ids: impl Iterator<Item = Uuid>) -> Result<(), DbErr> {
    let ids: Vec<_> = ids.collect();
    Entity::update_many()
        .col_expr(Column::AwaitsDigest, Expr::value(false))
        .filter(Column::Id.is_in(ids))
        .exec(tx)
        .await?;
    Ok(())
}
