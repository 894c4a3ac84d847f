//! What is to be sent to the dealer's endpoints of what happened: written and handed over in the
//! transaction in which it came to be true.

use std::time::Duration;

use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value as DbValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::db::TenantTx;
use crate::jobs::{Enqueue, Job, Retry, enqueue};

/// Longest message, bytes.
const LONGEST: usize = 20_000;

/// The job that sends a message to an endpoint, once. How often that is tried is no matter of the
/// queue: each attempt hands over the next. What the queue tries again is what failed on our side.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Deliver {
    /// Which message.
    pub delivery: Uuid,
    /// To whom.
    pub endpoint: Uuid,
    /// Of which round; an older one has no say.
    pub round: i32,
}

impl Job for Deliver {
    const KIND: &'static str = "webhook.deliver";
    const RETRY: Retry = Retry {
        attempts: 30,
        first: Duration::from_secs(2),
        most: Duration::from_secs(300),
    };
}

/// A message as endpoints get it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The kind of event.
    pub kind: &'static str,
    /// What happened.
    pub data: &'a Value,
    /// When.
    pub at: OffsetDateTime,
    /// On whose behalf: the id of a request.
    pub trace: Option<&'a str>,
}

impl Message<'_> {
    /// The text that is sent. What would be too long says so, and where to look is in the API.
    fn payload(&self) -> String {
        let text = self.with(self.data);
        if text.len() <= LONGEST {
            return text;
        }
        self.with(&json!({"id": self.data.get("id"), "is_shortened": true}))
    }

    fn with(&self, data: &Value) -> String {
        let at = self.at.to_offset(time::UtcOffset::UTC).format(&Rfc3339);
        let at = at.unwrap_or_default();
        json!({"type": self.kind, "timestamp": at, "data": data}).to_string()
    }
}

/// Hands a message over for all endpoints that want to hear of it.
pub(super) async fn tell_endpoints(tx: &TenantTx, message: Message<'_>) -> Result<(), DbErr> {
    let sql = "SELECT id FROM webhook_endpoint WHERE is_enabled AND event_types && $1 ORDER BY id";
    let names = patterns_of(message.kind).map(DbValue::from);
    let names = DbValue::Array(ArrayType::String, Some(Box::new(names.to_vec())));
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [names]);
    let rows = tx.query_all_raw(statement).await?;
    let endpoints: Result<Vec<Uuid>, _> = rows.iter().map(|row| row.try_get("", "id")).collect();
    deliver(tx, &endpoints?, message).await.map(drop)
}

/// Hands a message over for these endpoints, whatever they want to hear of. Answers with the ids of
/// the deliveries.
///
/// # Errors
///
/// When the database refuses.
pub async fn deliver(
    tx: &TenantTx,
    endpoints: &[Uuid],
    message: Message<'_>,
) -> Result<Vec<Uuid>, DbErr> {
    if endpoints.is_empty() {
        return Ok(Vec::new());
    }
    let deliveries: Vec<Uuid> = endpoints.iter().map(|_| Uuid::now_v7()).collect();
    let sql = "INSERT INTO webhook_delivery (id, endpoint_id, event_type, payload, state,
            next_attempt_at, created_at)
        SELECT new.id, new.endpoint_id, $3, $4, 'pending', $5, $5
        FROM unnest($1::uuid[], $2::uuid[]) AS new (id, endpoint_id)";
    let values = [
        ids(&deliveries),
        ids(endpoints),
        message.kind.into(),
        message.payload().into(),
        message.at.into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    tx.execute_raw(statement).await?;
    for (delivery, endpoint) in deliveries.iter().zip(endpoints) {
        let job = Deliver {
            delivery: *delivery,
            endpoint: *endpoint,
            round: 1,
        };
        let how = Enqueue::now().trace(message.trace.map(ToOwned::to_owned));
        enqueue(tx, &job, how).await?;
    }
    Ok(deliveries)
}

/// What an endpoint may have said so that it hears of a kind.
pub(super) fn patterns_of(kind: &str) -> [String; 3] {
    let thing = kind.split('.').next().unwrap_or_default();
    ["*".to_owned(), format!("{thing}.*"), kind.to_owned()]
}

fn ids(all: &[Uuid]) -> DbValue {
    let all = all.iter().map(|id| (*id).into()).collect();
    DbValue::Array(ArrayType::Uuid, Some(Box::new(all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(data: &Value) -> Value {
        let message = Message {
            kind: "item.created",
            data,
            at: OffsetDateTime::UNIX_EPOCH,
            trace: None,
        };
        let payload = message.payload();
        assert!(payload.len() <= LONGEST);
        serde_json::from_str(&payload).unwrap()
    }

    #[test]
    fn a_message_has_a_type_a_timestamp_and_data() {
        let read = message(&json!({"id": "x"}));

        let told = json!({"type": "item.created", "timestamp": "1970-01-01T00:00:00Z",
            "data": {"id": "x"}});
        assert_eq!(read, told);
    }

    #[test]
    fn what_would_be_too_long_says_so() {
        let read = message(&json!({"id": "x", "changed": vec!["field"; 5000]}));

        assert_eq!(read["data"], json!({"id": "x", "is_shortened": true}));
    }
}
