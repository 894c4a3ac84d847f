//! Use cases of exports.

use std::collections::HashSet;

use ::entity::tenant::export::{self, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::column::Column;
use super::error::ExportError;
use super::jobs::WriteExport;
use super::wire::FormatIn;
use crate::db::TenantTx;
use crate::jobs::{Enqueue, enqueue};
use crate::kernel::{Cursor, Page};
use crate::tenant::catalog::items::ItemFilter;

/// An export to be.
#[derive(Debug, Clone)]
pub(super) struct NewExport {
    pub format: FormatIn,
    pub columns: Vec<Column>,
    pub filter: ItemFilter,
}

/// Who asks for an export, and for how long it is kept.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub member_id: Uuid,
    pub kept: Duration,
    pub trace: Option<String>,
}

pub(super) async fn create(
    tx: &TenantTx,
    new: &NewExport,
    asked: &Asked,
    now: OffsetDateTime,
) -> Result<Model, ExportError> {
    let id = Uuid::now_v7();
    let filter =
        serde_json::to_value(&new.filter).map_err(|error| DbErr::Json(error.to_string()))?;
    let export = export::ActiveModel {
        id: Set(id),
        kind: Set("items".to_owned()),
        format: Set(new.format.as_str().to_owned()),
        columns: Set(new
            .columns
            .iter()
            .map(|column| column.as_str().to_owned())
            .collect()),
        filter: Set(filter),
        state: Set("pending".to_owned()),
        row_count: Set(0),
        bytes: Set(None),
        error: Set(None),
        member_id: Set(asked.member_id),
        created_at: Set(now),
        finished_at: Set(None),
        expires_at: Set(now + asked.kept),
    };
    let export = export.insert(tx).await?;
    let how = Enqueue::now().trace(asked.trace.clone());
    enqueue(tx, &WriteExport { export: id }, how).await?;
    Ok(export)
}

pub(super) async fn list(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Model>, ExportError> {
    let mut query = Entity::find()
        .order_by_desc(export::Column::Id)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(export::Column::Id.lt(cursor.key::<Uuid>()?));
    }
    Ok(Page::of(query.all(tx).await?, limit, |export| export.id))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Model, ExportError> {
    let found = Entity::find_by_id(id).one(tx).await?;
    found.ok_or(ExportError::NotFound)
}

/// The export whose file may be fetched.
pub(super) async fn find_file(
    tx: &TenantTx,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<Model, ExportError> {
    let found = find(tx, id).await?;
    if found.expires_at <= now {
        return Err(ExportError::NotFound);
    }
    match found.state.as_str() {
        "done" => Ok(found),
        _ => Err(ExportError::NotReady(found.state)),
    }
}

/// Notes how far its file is.
pub(super) async fn note(tx: &TenantTx, id: Uuid, rows: i64) -> Result<(), DbErr> {
    let noted = export::ActiveModel {
        row_count: Set(rows),
        ..found(id)
    };
    noted.update(tx).await.map(drop)
}

/// Notes that its file is there.
pub(super) async fn complete(
    tx: &TenantTx,
    export: Model,
    (rows, bytes): (i64, i64),
    now: OffsetDateTime,
) -> Result<Model, DbErr> {
    let mut done = export.into_active_model();
    done.state = Set("done".to_owned());
    done.row_count = Set(rows);
    done.bytes = Set(Some(bytes));
    done.finished_at = Set(Some(now));
    done.update(tx).await
}

/// Notes that its file will never be there. Answers with what it is then, unless it was over before.
pub(super) async fn give_up(
    tx: &TenantTx,
    id: Uuid,
    why: &str,
    now: OffsetDateTime,
) -> Result<Option<Model>, DbErr> {
    let found = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let Some(export) = found.filter(|export| export.state == "pending") else {
        return Ok(None);
    };
    let mut failed = export.into_active_model();
    failed.state = Set("failed".to_owned());
    failed.error = Set(Some(why.chars().take(500).collect()));
    failed.finished_at = Set(Some(now));
    failed.update(tx).await.map(Some)
}

fn found(id: Uuid) -> export::ActiveModel {
    export::ActiveModel {
        id: sea_orm::ActiveValue::Unchanged(id),
        ..Default::default()
    }
}

/// Some exports whose time is over.
pub(super) async fn expired(
    tx: &TenantTx,
    limit: u64,
    now: OffsetDateTime,
) -> Result<Vec<Uuid>, DbErr> {
    let ids = Entity::find()
        .select_only()
        .column(export::Column::Id)
        .filter(export::Column::ExpiresAt.lte(now))
        .order_by_asc(export::Column::ExpiresAt)
        .limit(limit);
    ids.into_tuple().all(tx).await
}

/// Removes exports whose files are gone.
pub(super) async fn forget(tx: &TenantTx, ids: &[Uuid]) -> Result<(), DbErr> {
    let gone = export::Column::Id.is_in(ids.iter().copied());
    Entity::delete_many().filter(gone).exec(tx).await.map(drop)
}

/// Those of these exports whose files are needed: all that are there.
pub async fn files_needed(tx: &TenantTx, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbErr> {
    let there = Entity::find()
        .select_only()
        .column(export::Column::Id)
        .filter(export::Column::Id.is_in(ids.iter().copied()));
    let there: Vec<Uuid> = there.into_tuple().all(tx).await?;
    Ok(there.into_iter().collect())
}
