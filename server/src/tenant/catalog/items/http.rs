//! `/items`.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::cost::{Costs, expect_settable};
use super::query::{ItemQuery, ItemsQuery};
use super::service;
use super::wire::{ItemIn, ItemOut, ItemPatch};
use crate::audit::Change;
use crate::auth::{ReadItems, WriteItems};
use crate::http::{
    Answer, Body, Done, ETag, IfMatch, Listing, Member, PageOut, Problem, ProblemOut, page_limit,
};
use crate::kernel::Patch;
use crate::state::AppState;
use crate::tenant::catalog::CatalogError;

/// The routes of items.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(retire)
        .service(restore);
}

/// List and search items
#[utoipa::path(tag = "items", operation_id = "list_items", params(ItemsQuery),
    security(("bearer" = [])), responses(
    (status = 200, body = PageOut<ItemOut>),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/items")]
async fn list(
    req: HttpRequest,
    who: Member<ReadItems>,
    query: web::Query<ItemsQuery>,
) -> Result<HttpResponse, Problem> {
    let (list, wanted) = (Listing::of(&req), query.into_inner());
    let page = (
        page_limit(wanted.limit)?,
        list.open(wanted.cursor.as_deref())?,
    );
    let ((fields, include), sort) = (wanted.shape()?, wanted.sort());
    let filter = wanted.into_filter();
    let work = async |tx: &_| service::list(tx, &filter, sort, page.clone(), include).await;
    let costs = Costs::to(&who.principal.grants);
    let page = who.db.read(work).await?;
    let told = page.map(|item| ItemOut::told_around(item, costs));
    list.answer::<ItemOut>(told, &fields)
}

/// Create an item
#[utoipa::path(tag = "items", operation_id = "create_item", request_body = ItemIn,
    security(("bearer" = [])), responses(
    (status = 201, body = ItemOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/items")]
async fn create(
    req: HttpRequest,
    who: Member<WriteItems>,
    body: Body<ItemIn>,
) -> Result<HttpResponse, Problem> {
    let grants = &who.principal.grants;
    expect_settable(body.0.cost.is_some(), grants)?;
    let (new, now) = (body.0.into_command()?, AppState::of(&req).clock.now());
    who.write(async |tx| {
        let item = service::create(tx, &new, now).await?;
        let (id, version) = (item.item.id, item.item.version);
        // On record it stands in full; who may not see what it costs is not shown that.
        let record = Change::new("item.create", "item", id);
        let record = record.after(&ItemOut::told(item.clone(), Costs::Shown));
        let item = ItemOut::told(item, Costs::to(grants));
        let answer = Answer::created(&format!("/api/v1/items/{id}"), &item).version(version);
        Ok::<_, CatalogError>(Done::new(record, answer))
    })
    .await
}

/// Read an item, retired or not
#[utoipa::path(tag = "items", operation_id = "read_item", params(("id" = Uuid, Path), ItemQuery),
    security(("bearer" = [])), responses(
    (status = 200, body = ItemOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/items/{id}")]
async fn read(
    who: Member<ReadItems>,
    id: web::Path<Uuid>,
    query: web::Query<ItemQuery>,
) -> Result<HttpResponse, Problem> {
    let (fields, include) = query.shape()?;
    let work = async |tx: &_| service::find_with(tx, *id, include).await;
    let found = who.db.read(work).await?;
    let mut response = HttpResponse::Ok();
    // What is beside it changes without it: then the answer's version is made of all of it.
    if !include.is_any() {
        response.insert_header(ETag(found.item.item.version));
    }
    let told = ItemOut::told_around(found, Costs::to(&who.principal.grants));
    Ok(response.json(fields.of(told)?))
}

/// Change an item
#[utoipa::path(tag = "items", operation_id = "change_item", request_body = ItemPatch,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = ItemOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    (status = 412, body = ProblemOut, content_type = "application/problem+json"),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
    (status = 428, body = ProblemOut, content_type = "application/problem+json"),
))]
#[patch("/items/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<WriteItems>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
    body: Body<ItemPatch>,
) -> Result<HttpResponse, Problem> {
    let grants = &who.principal.grants;
    expect_settable(body.0.cost != Patch::Keep, grants)?;
    let (change, now) = (body.0.into_command()?, AppState::of(&req).clock.now());
    let expected = based_on.version();
    who.write(async |tx| {
        let item = service::change(tx, *id, expected, &change, now).await?;
        let version = item.after.item.version;
        let record = Change::new("item.change", "item", *id).from_to(
            &ItemOut::told(item.before, Costs::Shown),
            &ItemOut::told(item.after.clone(), Costs::Shown),
        );
        let after = ItemOut::told(item.after, Costs::to(grants));
        let answer = Answer::ok(&after).version(version);
        Ok::<_, CatalogError>(Done::new(record, answer))
    })
    .await
}

/// Retire an item
///
/// It is no longer listed, keeps its SKU, and can be restored.
#[utoipa::path(tag = "items", operation_id = "retire_item",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, nullable = false)),
    security(("bearer" = [])), responses(
    (status = 204),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
    (status = 412, body = ProblemOut, content_type = "application/problem+json"),
))]
#[delete("/items/{id}")]
async fn retire(
    req: HttpRequest,
    who: Member<WriteItems>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let expected = IfMatch::if_given(&req)?.and_then(IfMatch::version);
    let now = AppState::of(&req).clock.now();
    who.write(async |tx| {
        service::retire(tx, *id, expected, now).await?;
        let record = Change::new("item.retire", "item", *id);
        Ok::<_, CatalogError>(Done::new(record, Answer::no_content()))
    })
    .await
}

/// Restore a retired item
#[utoipa::path(tag = "items", operation_id = "restore_item", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = ItemOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/items/{id}/restore")]
async fn restore(
    req: HttpRequest,
    who: Member<WriteItems>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let now = AppState::of(&req).clock.now();
    who.write(async |tx| {
        let item = service::restore(tx, *id, now).await?;
        let version = item.item.version;
        let item = ItemOut::told(item, Costs::to(&who.principal.grants));
        let record = Change::new("item.restore", "item", *id);
        Ok::<_, CatalogError>(Done::new(record, Answer::ok(&item).version(version)))
    })
    .await
}
