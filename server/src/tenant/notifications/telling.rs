//! Telling members of something, each as they want to be told.

use ::entity::tenant::notification;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::kind::{ByMail, Kind};
use super::store::{self, Recipient};
use crate::db::TenantTx;
use crate::events::{self, Event};
use crate::kernel::Email;
use crate::mail::{Correspondence, Outbox, To};

/// Whom something is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// These members.
    Members(Vec<Uuid>),
    /// Whoever holds a permission over whatever, such as `import.run`.
    Holders(&'static str),
}

/// Something to tell.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Whom.
    pub audience: Audience,
    /// What kind of thing happened.
    pub kind: Kind,
    /// What belongs to it: ids, numbers, and as `name` what people call the thing. Small, and nothing
    /// that needs a permission of its own.
    pub data: Value,
}

impl Notice {
    /// Something to tell one member, with nothing else to say.
    pub fn to(member: Uuid, kind: Kind) -> Self {
        Self {
            audience: Audience::Members(vec![member]),
            kind,
            data: json!({}),
        }
    }
}

/// Tells whoever is active among them: in the app, by mail, or in the next digest, as each prefers.
/// Best done last, as [`events::publish`].
///
/// # Errors
///
/// When the database refuses.
pub async fn notify(
    tx: &TenantTx,
    outbox: &Outbox<'_>,
    notice: &Notice,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let dealers = Correspondence::of(tx).await?.language.unwrap_or_default();
    let (kind, data) = (notice.kind, &notice.data);
    let mut rows = Vec::new();
    for recipient in store::recipients(tx, &notice.audience).await? {
        let choice = recipient.preferences.choice(kind);
        if choice.mail == ByMail::Instant {
            let language = recipient.preferences.language.unwrap_or(dealers);
            let occasion = kind.occasion(language, data);
            // An address from before addresses were looked at so closely may be one that nobody can
            // write to.
            if let Ok(email) = Email::parse(&recipient.email) {
                let to = To {
                    email: Some(&email),
                    name: &recipient.name,
                    member: Some(recipient.id),
                    language: Some(language),
                };
                outbox.post(tx, to, occasion, now).await?;
            }
        }
        let awaits_digest = choice.mail == ByMail::Digest;
        if choice.in_app || awaits_digest {
            rows.push(row(&recipient, notice, (choice.in_app, awaits_digest), now));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = rows
        .iter()
        .filter(|row| *row.in_app.as_ref())
        .map(|row| (*row.id.as_ref(), *row.member_id.as_ref()))
        .collect();
    notification::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    for (id, member) in shown {
        let event = Event {
            kind: &events::NOTIFICATION_CREATED,
            audience: Some(member),
            data: json!({ "id": id, "kind": kind.name() }),
        };
        events::publish(tx, &event, now).await?;
    }
    Ok(())
}

fn row(
    recipient: &Recipient,
    notice: &Notice,
    (in_app, awaits_digest): (bool, bool),
    now: OffsetDateTime,
) -> notification::ActiveModel {
    notification::ActiveModel {
        id: Set(Uuid::now_v7()),
        member_id: Set(recipient.id),
        kind: Set(notice.kind.name().to_owned()),
        data: Set(notice.data.clone()),
        in_app: Set(in_app),
        awaits_digest: Set(awaits_digest),
        created_at: Set(now),
        read_at: Set(None),
    }
}
