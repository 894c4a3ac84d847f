//! `/api-keys/{id}/usage`: which operations that will go away a key still calls.

use ::entity::tenant::api_key_usage::{self, Entity, Model};
use actix_web::{HttpRequest, HttpResponse, get, web};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use time::Date;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::KeyError;
use super::service;
use crate::auth::ManageKeys;
use crate::db::TenantTx;
use crate::http::{Fields, Listing, Member, PageOut, PageQuery, Problem};
use crate::kernel::{Cursor, Page};

/// The routes of keys' usage.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list);
}

/// A day's calls of one operation that will go away.
#[derive(Serialize, ToSchema)]
struct UsageOut {
    /// UTC, such as `2026-11-21`.
    #[schema(format = Date)]
    day: String,
    /// Its operation id.
    operation: String,
    calls: i64,
}

/// List a key's calls of deprecated operations
///
/// By day, the last one first.
#[utoipa::path(tag = "api-keys", operation_id = "list_api_key_usage",
    params(("id" = Uuid, Path), PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<UsageOut>)))]
#[get("/api-keys/{id}/usage")]
async fn list(
    req: HttpRequest,
    who: Member<ManageKeys>,
    id: web::Path<Uuid>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<UsageOut>(page.fields.as_deref())?;
    let work = async |tx: &_| of_key(tx, *id, limit, cursor.clone()).await;
    list.answer::<UsageOut>(who.db.read(work).await?, &fields)
}

async fn of_key(
    tx: &TenantTx,
    key: Uuid,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Model>, KeyError> {
    service::find(tx, key).await?;
    let mut query = Entity::find()
        .filter(api_key_usage::Column::KeyId.eq(key))
        .order_by_desc(api_key_usage::Column::Day)
        .order_by_asc(api_key_usage::Column::Operation)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        let (day, operation) = cursor.key::<(Date, String)>()?;
        let same_day = Condition::all()
            .add(api_key_usage::Column::Day.eq(day))
            .add(api_key_usage::Column::Operation.gt(operation));
        let beyond = Condition::any()
            .add(api_key_usage::Column::Day.lt(day))
            .add(same_day);
        query = query.filter(beyond);
    }
    let rows = query.all(tx).await?;
    Ok(Page::of(rows, limit, |row| {
        (row.day, row.operation.clone())
    }))
}

impl From<Model> for UsageOut {
    fn from(row: Model) -> Self {
        Self {
            day: row.day.to_string(),
            operation: row.operation,
            calls: row.calls,
        }
    }
}
