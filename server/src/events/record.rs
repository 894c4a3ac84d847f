//! Puts a change on record and tells of it.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::catalogue::{EventKind, kind_of_action};
use super::outbox::{Message, tell_endpoints};
use crate::audit::{self, Change, Stamp};
use crate::db::{TenantTx, Wake};

/// Something to tell.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened.
    pub kind: &'static EventKind,
    /// The one member it is for; nothing for all who may see its topic.
    pub audience: Option<Uuid>,
    /// As the kind's schema says. Small, and nothing that needs a permission of its own.
    pub data: Value,
}

/// The head's row is locked by its update, so events of one dealer follow one another, and the lock is
/// held from here to the commit only.
const TELL: &str = "WITH head AS (
    INSERT INTO event_head AS head (is_only, last_id) VALUES (true, 1)
    ON CONFLICT (is_only) DO UPDATE SET last_id = head.last_id + 1
    RETURNING last_id)
INSERT INTO event (id, kind, topic, at, audience, data)
SELECT last_id, $1, $2, $3, $4, $5 FROM head
RETURNING EXISTS (SELECT FROM webhook_endpoint WHERE is_enabled) AS has_endpoints";

impl Event {
    /// What is told of a change, if the catalogue has a word for it.
    pub fn of(change: &Change) -> Option<Self> {
        let kind = kind_of_action(change.action())?;
        Some(Self {
            kind,
            audience: None,
            data: json!({
                "id": change.target_id(),
                "changed": change.changed_fields(),
            }),
        })
    }
}

/// Puts a change on record, in the transaction that made it, and tells of it. Best done last: until
/// the commit, no other write of the dealer gets past this point.
///
/// # Errors
///
/// When the database refuses.
pub async fn record(tx: &TenantTx, stamp: &Stamp, change: &Change) -> Result<(), DbErr> {
    audit::append(tx, stamp, change).await?;
    if let Some(event) = Event::of(change) {
        tell(tx, &event, stamp.at, stamp.request_id.as_deref()).await?;
    }
    Ok(())
}

/// Tells of something that isn't on record, such as how far something has come. Best done last, as
/// [`record`].
///
/// # Errors
///
/// When the database refuses.
pub async fn publish(tx: &TenantTx, event: &Event, at: OffsetDateTime) -> Result<(), DbErr> {
    tell(tx, event, at, None).await
}

async fn tell(
    tx: &TenantTx,
    event: &Event,
    at: OffsetDateTime,
    trace: Option<&str>,
) -> Result<(), DbErr> {
    let values = [
        event.kind.name.into(),
        event.kind.topic.as_str().into(),
        at.into(),
        event.audience.into(),
        event.data.clone().into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, TELL, values);
    let told = tx.query_one_raw(statement).await?;
    tx.wake(Wake::Events);
    let told = told.ok_or_else(|| DbErr::RecordNotFound("the event that was told".to_owned()))?;
    // What one member is told is nobody else's.
    if event.audience.is_some() || !told.try_get("", "has_endpoints")? {
        return Ok(());
    }
    let message = Message {
        kind: event.kind.name,
        data: &event.data,
        at,
        trace,
    };
    tell_endpoints(tx, message).await
}
