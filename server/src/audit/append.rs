//! Appends a record to a dealer's trail.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

use super::change::Change;
use super::stamp::{Actor, Stamp};
use crate::db::TenantTx;

/// The head is locked by its update, so records of one dealer follow one another, and the lock is
/// held from here to the commit only. Takes `$1` to `$3`; a statement may go on with more parts.
macro_rules! record_parts {
    () => {
        "WITH head AS (
    INSERT INTO audit_head AS head (is_only, seq, hash) VALUES (true, 1, sha256($1))
    ON CONFLICT (is_only) DO UPDATE SET seq = head.seq + 1, hash = sha256(head.hash || $1)
    RETURNING seq, hash),
record AS (
    INSERT INTO audit_record (seq, content, hash, id, at)
    SELECT seq, convert_from($1, 'UTF8')::json, hash, $2, $3 FROM head)"
    };
}

/// The record alone.
const APPEND: &str = concat!(record_parts!(), " SELECT false AS has_endpoints");
/// The record, and an event that tells of it (`$4` to `$7`). The event's head is asked for after the
/// record's, as everywhere: two writes never wait for each other.
const APPEND_AND_TELL: &str = concat!(
    record_parts!(),
    ", told AS (
    INSERT INTO event_head AS head (is_only, last_id) SELECT true, 1 FROM head
    ON CONFLICT (is_only) DO UPDATE SET last_id = head.last_id + 1
    RETURNING last_id)
INSERT INTO event (id, kind, topic, at, audience, data)
SELECT last_id, $4, $5, $3, $6, $7 FROM told
RETURNING EXISTS (SELECT FROM webhook_endpoint WHERE is_enabled) AS has_endpoints"
);

/// What is told of a record.
#[derive(Debug)]
pub struct Telling {
    /// Such as `item.created`.
    pub kind: &'static str,
    /// Such as `items`.
    pub topic: &'static str,
    /// The one member it is for, if it is for one.
    pub audience: Option<Uuid>,
    /// As the kind's schema says.
    pub data: Value,
}

/// A record as it is hashed: the order of the fields is part of it.
#[derive(Serialize)]
struct Content<'a> {
    id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    action: &'static str,
    actor: Actor,
    target: Target<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
}

#[derive(Serialize)]
struct Target<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

/// Ids begin with the time of the record, so that records of a time are found by them.
fn id_at(at: OffsetDateTime) -> Uuid {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.nanosecond()))
}

/// Puts a change on record, in the transaction that made it, and tells of it by the same statement.
/// Best done last: until the commit, no other write of the dealer gets past this point. Answers with
/// whether the dealer has endpoints that what was told may have to be sent to.
///
/// # Errors
///
/// When the database refuses.
///
/// # Panics
///
/// Never: a record is made of plain values.
pub async fn append(
    tx: &TenantTx,
    stamp: &Stamp,
    change: &Change,
    telling: Option<Telling>,
) -> Result<bool, DbErr> {
    let id = id_at(stamp.at);
    let content = Content {
        id,
        at: stamp.at,
        action: change.action,
        actor: stamp.actor,
        target: Target {
            kind: change.target_kind,
            id: change.target_id.as_deref(),
        },
        before: change.before.as_ref(),
        after: change.after.as_ref(),
        request_id: stamp.request_id.as_deref(),
        address: stamp.address.as_deref(),
    };
    let content = serde_json::to_vec(&content).expect("a record is made of plain values");
    let mut values: Vec<sea_orm::Value> = vec![content.into(), id.into(), stamp.at.into()];
    let sql = match telling {
        None => APPEND,
        Some(telling) => {
            values.extend([
                telling.kind.into(),
                telling.topic.into(),
                telling.audience.into(),
                telling.data.into(),
            ]);
            APPEND_AND_TELL
        }
    };
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = tx.query_one_raw(statement).await?;
    row.map_or(Ok(false), |row| row.try_get("", "has_endpoints"))
}
