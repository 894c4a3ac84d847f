//! `/item-groups`.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::service::{self, GroupChange};
use super::store::GroupRow;
use crate::audit::Change;
use crate::auth::{ReadItems, WriteItems};
use crate::http::{
    Answer, Body, Done, ETag, Fields, FieldsQuery, IfMatch, Listing, Member, PageOut, Problem,
    ProblemOut, page_limit,
};
use crate::kernel::{Patch, never_null};
use crate::state::AppState;
use crate::tenant::catalog::CatalogError;
use crate::tenant::catalog::text::one_line;

/// The routes of item groups.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(remove);
}

/// Which groups are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GroupsQuery {
    /// Only the groups right below this one; all groups when absent.
    parent_id: Option<Uuid>,
    /// Rows of the page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// Only these fields of each group, with commas between.
    fields: Option<String>,
}

/// A new group.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupIn {
    /// Unique among its siblings.
    #[validate(length(max = 200), custom(function = one_line))]
    #[schema(example = "Masonry")]
    name: String,
    /// The group it lies in; a root group when absent.
    parent_id: Option<Uuid>,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupPatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 200), custom(function = one_line))]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Moves the group; null makes it a root group.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    parent_id: Patch<Uuid>,
}

/// A node of the tree.
#[derive(Serialize, ToSchema)]
struct GroupOut {
    id: Uuid,
    #[schema(required)]
    parent_id: Option<Uuid>,
    name: String,
    /// The names from the root to the group itself.
    path: Vec<String>,
    /// The ETag's number.
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// List item groups
///
/// In the order of the tree: every group after the group it lies in.
#[utoipa::path(tag = "item-groups", operation_id = "list_item_groups", params(GroupsQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<GroupOut>)))]
#[get("/item-groups")]
async fn list(
    req: HttpRequest,
    who: Member<ReadItems>,
    query: web::Query<GroupsQuery>,
) -> Result<HttpResponse, Problem> {
    let (list, parent) = (Listing::of(&req), query.parent_id);
    let (limit, cursor) = (
        page_limit(query.limit)?,
        list.open(query.cursor.as_deref())?,
    );
    let fields = Fields::parse::<GroupOut>(query.fields.as_deref())?;
    let work = async |tx: &_| service::list(tx, parent, limit, cursor.clone()).await;
    list.answer::<GroupOut>(who.db.read(work).await?, &fields)
}

/// Create an item group
#[utoipa::path(tag = "item-groups", operation_id = "create_item_group", request_body = GroupIn,
    security(("bearer" = [])), responses(
    (status = 201, body = GroupOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/item-groups")]
async fn create(
    req: HttpRequest,
    who: Member<WriteItems>,
    body: Body<GroupIn>,
) -> Result<HttpResponse, Problem> {
    let (name, parent, now) = (
        body.0.name.trim(),
        body.0.parent_id,
        AppState::of(&req).clock.now(),
    );
    who.write(async |tx| {
        let group = GroupOut::from(service::create(tx, name, parent, now).await?);
        let address = format!("/api/v1/item-groups/{}", group.id);
        let answer = Answer::created(&address, &group).version(group.version);
        let record = Change::new("item_group.create", "item_group", group.id).after(&group);
        Ok::<_, CatalogError>(Done::new(record, answer))
    })
    .await
}

/// Read an item group
#[utoipa::path(tag = "item-groups", operation_id = "read_item_group",
    params(("id" = Uuid, Path), FieldsQuery), security(("bearer" = [])), responses(
    (status = 200, body = GroupOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/item-groups/{id}")]
async fn read(
    who: Member<ReadItems>,
    id: web::Path<Uuid>,
    query: web::Query<FieldsQuery>,
) -> Result<HttpResponse, Problem> {
    let fields = Fields::parse::<GroupOut>(query.fields.as_deref())?;
    let group = who.db.read(async |tx| service::find(tx, *id).await).await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(group.version))
        .json(fields.of(GroupOut::from(group))?))
}

/// Rename or move an item group
#[utoipa::path(tag = "item-groups", operation_id = "change_item_group", request_body = GroupPatch,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = GroupOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    (status = 412, body = ProblemOut, content_type = "application/problem+json"),
    (status = 428, body = ProblemOut, content_type = "application/problem+json"),
))]
#[patch("/item-groups/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<WriteItems>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
    body: Body<GroupPatch>,
) -> Result<HttpResponse, Problem> {
    let (change, now) = (GroupChange::from(body.0), AppState::of(&req).clock.now());
    let expected = based_on.version();
    who.write(async |tx| {
        let (before, after) = service::change(tx, *id, expected, &change, now).await?;
        let after = GroupOut::from(after);
        let told = json!({"name": after.name, "parent_id": after.parent_id});
        let record = Change::new("item_group.change", "item_group", *id).from_to(
            &json!({"name": before.name, "parent_id": before.parent_id}),
            &told,
        );
        let answer = Answer::ok(&after).version(after.version);
        Ok::<_, CatalogError>(Done::new(record, answer))
    })
    .await
}

/// Remove an empty item group
#[utoipa::path(tag = "item-groups", operation_id = "remove_item_group",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 204),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[delete("/item-groups/{id}")]
async fn remove(
    who: Member<WriteItems>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
) -> Result<HttpResponse, Problem> {
    who.write(async |tx| {
        let removed = service::delete(tx, *id, based_on.version()).await?;
        let record = Change::new("item_group.remove", "item_group", *id)
            .before(&json!({"name": removed.name, "parent_id": removed.parent_id}));
        Ok::<_, CatalogError>(Done::new(record, Answer::no_content()))
    })
    .await
}

impl From<GroupPatch> for GroupChange {
    fn from(body: GroupPatch) -> Self {
        let name = body.name.map(|name| name.trim().to_owned());
        Self {
            name,
            parent_id: body.parent_id,
        }
    }
}

impl From<GroupRow> for GroupOut {
    fn from(group: GroupRow) -> Self {
        Self {
            id: group.id,
            parent_id: group.parent_id,
            name: group.name,
            path: group.path,
            version: group.version,
            created_at: group.created_at,
            updated_at: group.updated_at,
        }
    }
}
