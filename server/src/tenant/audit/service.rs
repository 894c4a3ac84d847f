//! Use cases of the trail.

use uuid::Uuid;

use super::error::AuditError;
use super::model::{Filter, Viewer};
use super::store::{self, Row};
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page};

pub(super) async fn list(
    tx: &TenantTx,
    viewer: Viewer<'_>,
    filter: &Filter,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Row>, AuditError> {
    let before = cursor.map(|cursor| cursor.key::<i64>()).transpose()?;
    let rows = store::newest(tx, viewer, filter, before, limit + 1).await?;
    Ok(Page::of(rows, limit, |row| row.seq))
}

pub(super) async fn find(tx: &TenantTx, viewer: Viewer<'_>, id: Uuid) -> Result<Row, AuditError> {
    let found = store::find(tx, viewer, id).await?;
    found.ok_or(AuditError::NotFound)
}
