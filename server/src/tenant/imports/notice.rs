//! Tells whoever follows what an import is doing.

use sea_orm::DbErr;
use serde_json::json;
use time::OffsetDateTime;

use super::model::Status;
use super::store::Import;
use crate::db::TenantTx;
use crate::events::{Event, kind_named, publish};
use crate::mail::Outbox;
use crate::tenant::notifications::{Audience, Kind, Notice, notify};

/// Tells how far an import has come.
pub(super) async fn progress(
    tx: &TenantTx,
    import: &Import,
    (status, done): (Status, u64),
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let data = json!({
        "id": import.row.id,
        "status": status,
        "rows": done,
        "total": import.row.rows_total,
    });
    tell(tx, "import.progress", data, now).await
}

/// Tells where an import stands now.
pub(super) async fn status(
    tx: &TenantTx,
    import: &Import,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let kind = match import.status {
        Status::Ready | Status::Queued => "import.ready",
        Status::Failed => "import.failed",
        Status::Cancelled => "import.cancelled",
        Status::Undone => "import.undone",
        // What is on record is told by its record.
        Status::Uploaded
        | Status::Reading
        | Status::Applying
        | Status::Applied
        | Status::Cancelling
        | Status::Undoing => return Ok(()),
    };
    let data = json!({
        "id": import.row.id,
        "status": import.status,
        "counts": import.summary.counts,
        "undone": import.summary.undone,
    });
    tell(tx, kind, data, now).await
}

/// Tells whoever asked for an import how it ended. Best done last.
pub(super) async fn requester(
    tx: &TenantTx,
    outbox: &Outbox<'_>,
    import: &Import,
    kind: Kind,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    // A machine reads the events.
    let Some(member) = import.row.requested_by else {
        return Ok(());
    };
    let notice = Notice {
        audience: Audience::Members(vec![member]),
        kind,
        data: json!({"id": import.row.id, "name": import.row.file_name}),
    };
    notify(tx, outbox, &notice, now).await
}

async fn tell(
    tx: &TenantTx,
    name: &str,
    data: serde_json::Value,
    at: OffsetDateTime,
) -> Result<(), DbErr> {
    let kind = kind_named(name).expect("the catalogue has all kinds of this file");
    let event = Event {
        kind,
        audience: None,
        data,
    };
    publish(tx, &event, at).await
}
