//! Reads a dealer's log.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::told::Told;
use crate::auth::epoch::AccessState;
use crate::db::TenantTx;

/// Events that are read at once.
pub(super) const PAGE: i64 = 200;

/// One statement, so that all of it is seen at one moment: what came after somebody lost a right is
/// never read with the access epoch from before.
const READ: &str = "SELECT a.epoch, a.token_version, h.last_id,
    e.id, e.kind, e.topic, e.at, e.audience, e.data
FROM (SELECT coalesce(max(epoch), 0) AS epoch,
        coalesce(max(token_version), 0) AS token_version FROM access_state) a
CROSS JOIN (SELECT coalesce(max(last_id), 0) AS last_id FROM event_head) h
LEFT JOIN (SELECT * FROM event WHERE id > $1 ORDER BY id LIMIT $2) e ON true
ORDER BY e.id";

/// A part of the log, and how things stood when it was read.
#[derive(Debug)]
pub struct Page {
    /// Who may what, by its number.
    pub access: AccessState,
    /// The newest event's id; 0 before the first.
    pub head: i64,
    /// In their order.
    pub events: Vec<Arc<Told>>,
}

/// What comes after an event, at most `limit`.
///
/// # Errors
///
/// When the database refuses.
pub async fn read_page(tx: &TenantTx, after: i64, limit: i64) -> Result<Page, DbErr> {
    let values = [after.into(), limit.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, READ, values);
    let rows = tx.query_all_raw(statement).await?;
    let mut page = Page {
        access: AccessState::default(),
        head: 0,
        events: Vec::with_capacity(rows.len()),
    };
    for row in rows {
        page.access = AccessState {
            epoch: row.try_get("", "epoch")?,
            token_version: row.try_get("", "token_version")?,
        };
        page.head = row.try_get("", "last_id")?;
        let Some(id) = row.try_get::<Option<i64>>("", "id")? else {
            continue;
        };
        let topic: String = row.try_get("", "topic")?;
        let at: OffsetDateTime = row.try_get("", "at")?;
        let audience: Option<Uuid> = row.try_get("", "audience")?;
        let data: Value = row.try_get("", "data")?;
        let kind = row.try_get("", "kind")?;
        let told = Told::new((id, kind, &topic), at, audience, &data);
        page.events.push(Arc::new(told));
    }
    Ok(page)
}
