//! Puts a change on record and tells of it.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::catalogue::{EventKind, kind_of_action};
use super::outbox::{Message, tell_endpoints};
use crate::audit::{self, Change, Stamp, Telling};
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
/// held from here to the commit only. The record's head is locked first, as by whatever is on record:
/// a transaction may do both, in any order, without ever waiting for one that waits for it.
const TELL: &str = "WITH turn AS (SELECT seq FROM audit_head FOR NO KEY UPDATE),
head AS (
    INSERT INTO event_head AS head (is_only, last_id) SELECT true, 1 FROM (SELECT count(*) FROM turn) one
    ON CONFLICT (is_only) DO UPDATE SET last_id = head.last_id + 1
    RETURNING last_id)
INSERT INTO event (id, kind, topic, at, audience, data)
SELECT last_id, $1, $2, $3, $4, $5 FROM head
RETURNING EXISTS (SELECT FROM webhook_endpoint WHERE is_enabled) AS has_endpoints";

impl Event {
    /// As endpoints get it.
    fn message<'a>(&'a self, at: OffsetDateTime, trace: Option<&'a str>) -> Message<'a> {
        Message {
            kind: self.kind.name,
            data: &self.data,
            at,
            trace,
        }
    }

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
    let event = Event::of(change);
    let telling = event.as_ref().map(|event| Telling {
        kind: event.kind.name,
        topic: event.kind.topic.as_str(),
        audience: event.audience,
        data: event.data.clone(),
    });
    let has_endpoints = audit::append(tx, stamp, change, telling).await?;
    let Some(event) = event else {
        return Ok(());
    };
    tx.wake(Wake::Events);
    if has_endpoints {
        let message = event.message(stamp.at, stamp.request_id.as_deref());
        tell_endpoints(tx, message).await?;
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
    let has_endpoints = tell(tx, event, at).await?;
    // What one member is told is nobody else's.
    if event.audience.is_some() || !has_endpoints {
        return Ok(());
    }
    tell_endpoints(tx, event.message(at, None)).await
}

/// The same for those who follow it live alone. What is told of messages to endpoints is sent to no
/// endpoint, or it would go round and round.
///
/// # Errors
///
/// When the database refuses.
pub async fn publish_live(tx: &TenantTx, event: &Event, at: OffsetDateTime) -> Result<(), DbErr> {
    tell(tx, event, at).await.map(drop)
}

/// Answers whether any endpoint may want to hear of it.
async fn tell(tx: &TenantTx, event: &Event, at: OffsetDateTime) -> Result<bool, DbErr> {
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
    told.try_get("", "has_endpoints")
}
