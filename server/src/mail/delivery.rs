//! The job that sends a message.

use std::time::Duration;

use ::entity::tenant::mail::{Entity, Model, Status};
use ::entity::tenant::member;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait,
    PaginatorTrait, QueryFilter, QuerySelect,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::correspondence::Correspondence;
use super::language::Language;
use super::letter::{Letter, Letterhead};
use super::log::comes_back;
use super::mailer::Mailer;
use super::outbox::{Inside, place};
use super::transport::{Refusal, Stamped};
use crate::db::{Tenant, TenantTx};
use crate::jobs::{Handled, Job, JobError, Outcome, Retry, Task};
use crate::kernel::{Clock, Color, Email};

/// Sends a message.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendMail {
    /// Which.
    pub mail: Uuid,
}

impl Job for SendMail {
    const KIND: &'static str = "mail.send";
    /// Over about half a day: mail servers that put strangers off, or are being mended, take it then.
    const RETRY: Retry = Retry {
        attempts: 20,
        first: Duration::from_secs(2),
        most: Duration::from_secs(7200),
    };
    /// A mail server is asked several times for one message, each time with a limit of its own.
    const TIMEOUT: Duration = Duration::from_secs(600);
}

/// A message that is about to be sent.
struct Begun {
    mail: Model,
    to: Email,
    inside: Inside,
    color: Color,
}

/// What there is to do.
enum Step {
    /// It ended before, or has no need to be sent.
    Nothing,
    Send(Box<Begun>),
    /// It can't be read, and never will be.
    Unreadable,
}

/// How a message ended.
#[derive(Clone, Copy)]
struct End {
    status: Status,
    refusal_code: Option<u16>,
    at: OffsetDateTime,
}

/// Sends a message. Whoever was stopped past its lease does not get to: its first step is refused.
///
/// # Errors
///
/// [`JobError`]: retried while a mail server may yet take it.
pub async fn deliver(mailer: &Mailer, clock: &Clock, task: Task, job: SendMail) -> Handled {
    let tenant = task.db()?.tenant();
    let step = task.step(async |tx| begin(tx, mailer, tenant, (job.mail, clock.now())).await);
    let begun = match step.await? {
        Step::Nothing => return Ok(Outcome::Done),
        Step::Send(begun) => begun,
        Step::Unreadable => return Err(JobError::discard("what it is made of can't be read")),
    };
    let head = Letterhead {
        dealer: tenant.name(),
        slug: tenant.slug(),
        color: begun.color,
    };
    let language = begun.mail.language.parse::<Language>().unwrap_or_default();
    let to = (&begun.to, begun.inside.name.as_str());
    let letter = Letter::write(mailer.links(), head, language, to, &begun.inside.occasion)
        .map_err(JobError::discard)?;
    let stamped = Stamped {
        id: begun.mail.id,
        from: &mailer.from,
        at: begun.mail.created_at,
    };
    let end = |status, refusal_code| End {
        status,
        refusal_code,
        at: clock.now(),
    };
    match mailer.transport.send(&letter, stamped).await {
        Ok(()) => finish(&task, &begun, end(Status::Sent, None)).await,
        // Nothing to be tried again, and nothing for operators to mend: its end is in the log of
        // messages, and the member is marked.
        Err(Refusal::ForGood(code)) => {
            finish(&task, &begun, end(Status::Bounced, Some(code))).await
        }
        Err(Refusal::Unwritable(why)) => {
            let failed = end(Status::Failed, None);
            task.step(async |tx| write(tx, &begun.mail, failed).await)
                .await?;
            Err(JobError::discard(why))
        }
        // People who look after this server or its relay can mend that, and have it tried again.
        Err(refusal @ Refusal::NotOurs(code)) => {
            let failed = end(Status::Failed, Some(code));
            task.step(async |tx| write(tx, &begun.mail, failed).await)
                .await?;
            Err(JobError::discard(refusal))
        }
        Err(refusal @ Refusal::ForNow(_)) => Err(JobError::retry(refusal)),
    }
}

/// Ends a message whose job has died. What it is made of is kept, so that people may have it tried
/// again.
///
/// # Errors
///
/// When the database refuses.
pub async fn give_up(tx: &TenantTx, job: &SendMail, at: OffsetDateTime) -> Result<(), JobError> {
    let found = Entity::find_by_id(job.mail)
        .lock_exclusive()
        .one(tx)
        .await?;
    let Some(mail) = found.filter(|mail| mail.status == Status::Queued) else {
        return Ok(());
    };
    let failed = End {
        status: Status::Failed,
        refusal_code: None,
        at,
    };
    write(tx, &mail, failed).await
}

async fn finish(task: &Task, begun: &Begun, end: End) -> Handled {
    task.finish(async |tx| {
        if end.status == Status::Bounced {
            comes_back(tx, &begun.to, end.at).await?;
        }
        write(tx, &begun.mail, end).await
    })
    .await
}

/// Counts the attempt, so that it is seen how often one was begun, whatever becomes of it.
async fn begin(
    tx: &TenantTx,
    mailer: &Mailer,
    tenant: &Tenant,
    (id, now): (Uuid, OffsetDateTime),
) -> Result<Step, JobError> {
    let Some(mail) = Entity::find_by_id(id).one(tx).await? else {
        return Ok(Step::Nothing);
    };
    // One that failed is tried again by people who ask for that.
    let (Status::Queued | Status::Failed, Some(sealed)) = (mail.status, &mail.sealed) else {
        return Ok(Step::Nothing);
    };
    let Some(recipient) = mail.recipient.clone() else {
        mail.delete(tx).await?;
        return Ok(Step::Nothing);
    };
    let opened = mailer.sealer.open(&place(tenant.key(), id), sealed).ok();
    let inside = opened.and_then(|bytes| serde_json::from_slice::<Inside>(&bytes).ok());
    let (Some(inside), Ok(to)) = (inside, Email::parse(&recipient)) else {
        let failed = End {
            status: Status::Failed,
            refusal_code: None,
            at: now,
        };
        write(tx, &mail, failed).await?;
        return Ok(Step::Unreadable);
    };
    if inside.occasion.is_dispensable() && is_known_to_come_back(tx, &to).await? {
        let suppressed = End {
            status: Status::Suppressed,
            refusal_code: None,
            at: now,
        };
        write(tx, &mail, suppressed).await?;
        return Ok(Step::Nothing);
    }
    let mut begun = mail.clone().into_active_model();
    begun.attempts = Set(mail.attempts + 1);
    let mail = begun.update(tx).await?;
    let correspondence = Correspondence::of(tx).await?;
    Ok(Step::Send(Box::new(Begun {
        mail,
        to,
        inside,
        color: correspondence.brand_color.unwrap_or(Color::USUAL),
    })))
}

async fn is_known_to_come_back(tx: &TenantTx, to: &Email) -> Result<bool, JobError> {
    let marked = member::Entity::find()
        .filter(member::Column::Email.eq(to.as_str()))
        .filter(member::Column::MailBouncedAt.is_not_null());
    Ok(marked.count(tx).await? > 0)
}

/// What it was made of is kept while somebody may yet have it tried again.
async fn write(tx: &TenantTx, mail: &Model, end: End) -> Result<(), JobError> {
    let mut ended = mail.clone().into_active_model();
    ended.status = Set(end.status);
    ended.refusal_code = Set(end.refusal_code.map(i32::from));
    ended.ended_at = Set(Some(end.at));
    if end.status != Status::Failed {
        ended.sealed = Set(None);
    }
    ended.update(tx).await?;
    Ok(())
}
