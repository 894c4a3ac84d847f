//! `/api-keys`.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use time::Duration;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::KeyError;
use super::service::{self, KeyChange, Maker};
use super::usage;
use super::wire::{KeyIn, KeyOut, KeyPatch, MadeOut, RotateIn};
use crate::audit::Change;
use crate::auth::ManageKeys;
use crate::http::{
    Answer, Body, Done, ETag, Fields, IfMatch, Listing, Member, PageOut, PageQuery, Problem,
    ProblemOut,
};
use crate::state::AppState;

/// The routes of API keys.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(revoke)
        .service(rotate)
        .configure(usage::routes);
}

/// List API keys
///
/// The newest first, with those that are revoked or have expired.
#[utoipa::path(tag = "api-keys", operation_id = "list_api_keys", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<KeyOut>)))]
#[get("/api-keys")]
async fn list(
    req: HttpRequest,
    who: Member<ManageKeys>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<KeyOut>(page.fields.as_deref())?;
    let work = async |tx: &_| service::list(tx, limit, cursor.clone()).await;
    list.answer::<KeyOut>(who.db.read(work).await?, &fields)
}

/// Create an API key
///
/// The key itself is in this answer and in no other. It is yours: it may never do what you may not,
/// and ends with your membership.
#[utoipa::path(tag = "api-keys", operation_id = "create_api_key", request_body = KeyIn,
    security(("bearer" = [])), responses((status = 201, body = MadeOut)))]
#[post("/api-keys")]
async fn create(
    req: HttpRequest,
    who: Member<ManageKeys>,
    body: Body<KeyIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let now = state.clock.now();
    let (new, maker) = (body.0.into_command(now)?, maker(&who, state));
    who.write(async |tx| {
        let made = MadeOut::from(service::create(tx, &new, maker, now).await?);
        let key = &made.api_key;
        let record = Change::new("api_key.create", "api_key", key.id).after(key);
        let answer = Answer::created(&format!("/api/v1/api-keys/{}", key.id), &made);
        let answer = answer.version(key.version).secret();
        Ok::<_, KeyError>(Done::new(record, answer))
    })
    .await
}

/// Read an API key
#[utoipa::path(tag = "api-keys", operation_id = "read_api_key", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses((status = 200, body = KeyOut)))]
#[get("/api-keys/{id}")]
async fn read(who: Member<ManageKeys>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let key = who.db.read(async |tx| service::find(tx, *id).await).await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(key.version))
        .json(KeyOut::from(key)))
}

/// Change an API key
///
/// What it may do never changes: make another one.
#[utoipa::path(tag = "api-keys", operation_id = "change_api_key", request_body = KeyPatch,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses((status = 200, body = KeyOut)))]
#[patch("/api-keys/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<ManageKeys>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
    body: Body<KeyPatch>,
) -> Result<HttpResponse, Problem> {
    let (change, now) = (KeyChange::from(body.0), AppState::of(&req).clock.now());
    let expected = based_on.version();
    who.write(async |tx| {
        let key = service::change(tx, *id, expected, &change, now).await?;
        let (before, after) = (KeyOut::from(key.before), KeyOut::from(key.after));
        let answer = Answer::ok(&after).version(after.version);
        let record = Change::new("api_key.change", "api_key", after.id).from_to(&before, &after);
        Ok::<_, KeyError>(Done::new(record, answer))
    })
    .await
}

/// Revoke an API key
///
/// It opens nothing any more, anywhere, within a second. It stays in the list.
#[utoipa::path(tag = "api-keys", operation_id = "revoke_api_key",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses((status = 204)))]
#[delete("/api-keys/{id}")]
async fn revoke(
    req: HttpRequest,
    who: Member<ManageKeys>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
) -> Result<HttpResponse, Problem> {
    let (expected, now) = (based_on.version(), AppState::of(&req).clock.now());
    who.write(async |tx| {
        let key = service::revoke(tx, *id, expected, now).await?;
        let (before, after) = (KeyOut::from(key.before), KeyOut::from(key.after));
        let record = Change::new("api_key.revoke", "api_key", after.id).from_to(&before, &after);
        Ok::<_, KeyError>(Done::new(record, Answer::no_content()))
    })
    .await
}

/// Replace an API key
///
/// The new one may do the same and is yours; both are good for a while.
#[utoipa::path(tag = "api-keys", operation_id = "rotate_api_key", request_body = RotateIn,
    params(("id" = Uuid, Path)), security(("bearer" = [])), responses(
    (status = 201, body = MadeOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/api-keys/{id}/rotate")]
async fn rotate(
    req: HttpRequest,
    who: Member<ManageKeys>,
    id: web::Path<Uuid>,
    body: Body<RotateIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (maker, now) = (maker(&who, state), state.clock.now());
    let overlap = Duration::hours(body.0.overlap_hours.into());
    who.write(async |tx| {
        let rotated = service::rotate(tx, *id, overlap, maker, now).await?;
        let old = KeyOut::from(rotated.old.before);
        let made = MadeOut::from(rotated.made);
        let key = &made.api_key;
        let record = Change::new("api_key.rotate", "api_key", old.id);
        let record = record.from_to(&old, key);
        let answer = Answer::created(&format!("/api/v1/api-keys/{}", key.id), &made);
        let answer = answer.version(key.version).secret();
        Ok::<_, KeyError>(Done::new(record, answer))
    })
    .await
}

fn maker<'a>(who: &'a Member<ManageKeys>, state: &'a AppState) -> Maker<'a> {
    Maker {
        principal: &who.principal,
        sealer: &state.sealer,
    }
}
