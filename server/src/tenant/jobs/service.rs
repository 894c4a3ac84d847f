//! Use cases of a dealer's jobs.

use uuid::Uuid;

use super::error::JobsError;
use super::store::{self, Deed, Filter, Row};
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page};

/// Most jobs that are changed by one request that names none.
const MOST: u64 = 1000;

/// Which jobs are to be changed.
#[derive(Debug, Clone)]
pub(super) enum Chosen {
    These(Vec<Uuid>),
    All(Filter),
}

pub(super) async fn list(
    tx: &TenantTx,
    filter: &Filter,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Row>, JobsError> {
    let before = cursor.map(|cursor| cursor.key::<Uuid>()).transpose()?;
    let rows = store::newest(tx, filter, before, limit + 1).await?;
    Ok(Page::of(rows, limit, |row| row.id))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Row, JobsError> {
    store::find(tx, id).await?.ok_or(JobsError::NotFound)
}

/// Gives a job that is dead, or waits for its next attempt, one at once.
pub(super) async fn retry(tx: &TenantTx, id: Uuid) -> Result<Row, JobsError> {
    let before = find(tx, id).await?;
    if store::change(tx, Deed::Retry, &[id]).await? == 0 {
        return Err(JobsError::Standing(before.state));
    }
    find(tx, id).await
}

/// Removes a job that nobody is at.
pub(super) async fn discard(tx: &TenantTx, id: Uuid) -> Result<Row, JobsError> {
    let before = find(tx, id).await?;
    if store::change(tx, Deed::Discard, &[id]).await? == 0 {
        return Err(JobsError::Standing(before.state));
    }
    Ok(before)
}

/// Does the same to many; those that stand elsewhere are left alone.
pub(super) async fn change(tx: &TenantTx, deed: Deed, chosen: &Chosen) -> Result<u64, JobsError> {
    Ok(match chosen {
        Chosen::These(ids) => store::change(tx, deed, ids).await?,
        Chosen::All(filter) => store::change_all(tx, deed, filter, MOST).await?,
    })
}
