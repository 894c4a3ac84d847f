//! `/roles`.

use ::entity::tenant::member;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use sea_orm::{ActiveEnum, Iterable};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::RoleError;
use super::grants::GrantOut;
use super::service;
use super::wire::{BuiltInRoleOut, RoleIn, RoleOut, RolePatch};
use crate::audit::Change;
use crate::auth::{ManageRoles, ReadRoles, granted_to};
use crate::http::{
    Answer, Body, Code, Done, ETag, Fields, IfMatch, Listing, Member, PageOut, PageQuery, Problem,
    ProblemOut,
};
use crate::state::AppState;

/// The routes of roles.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(built_in)
        .service(create)
        .service(read)
        .service(change)
        .service(remove);
}

/// List the dealer's own roles
#[utoipa::path(tag = "roles", operation_id = "list_roles", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<RoleOut>)))]
#[get("/roles")]
async fn list(
    req: HttpRequest,
    who: Member<ReadRoles>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<RoleOut>(page.fields.as_deref())?;
    let work = async |tx: &_| service::list(tx, limit, cursor.clone()).await;
    list.answer::<RoleOut>(who.db.read(work).await?, &fields)
}

/// List the built-in roles
///
/// They are the same for every dealer, and can't be changed.
#[utoipa::path(tag = "roles", operation_id = "list_built_in_roles",
    security(("bearer" = [])), responses((status = 200, body = PageOut<BuiltInRoleOut>)))]
#[get("/roles/built-in")]
async fn built_in(_: Member<ReadRoles>) -> web::Json<PageOut<BuiltInRoleOut>> {
    let roles = member::Role::iter().map(|role| BuiltInRoleOut {
        name: role.to_value(),
        grants: GrantOut::list(&granted_to(role)),
    });
    web::Json(PageOut {
        data: roles.collect(),
        next: None,
    })
}

/// Create a role
///
/// Nobody gives what they don't hold themselves.
#[utoipa::path(tag = "roles", operation_id = "create_role", request_body = RoleIn,
    security(("bearer" = [])), responses(
    (status = 201, body = RoleOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/roles")]
async fn create(
    req: HttpRequest,
    who: Member<ManageRoles>,
    body: Body<RoleIn>,
) -> Result<HttpResponse, Problem> {
    let (new, now) = (body.0.into_command()?, AppState::of(&req).clock.now());
    who.write(async |tx| {
        let role = service::create(tx, &new, &who.principal.grants, now).await?;
        let role = RoleOut::from(role);
        let answer = Answer::created(&format!("/api/v1/roles/{}", role.id), &role);
        let record = Change::new("role.create", "role", role.id).after(&role);
        Ok::<_, RoleError>(Done::new(record, answer.version(role.version)))
    })
    .await
}

/// Read a role of the dealer's own
#[utoipa::path(tag = "roles", operation_id = "read_role", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses((status = 200, body = RoleOut)))]
#[get("/roles/{id}")]
async fn read(who: Member<ReadRoles>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let role = who.db.read(async |tx| service::find(tx, *id).await).await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(role.role.version))
        .json(RoleOut::from(role)))
}

/// Change a role
///
/// It counts for all who have it, within a second.
#[utoipa::path(tag = "roles", operation_id = "change_role", request_body = RolePatch,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = RoleOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[patch("/roles/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<ManageRoles>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
    body: Body<RolePatch>,
) -> Result<HttpResponse, Problem> {
    let (change, now) = (body.0.into_command()?, AppState::of(&req).clock.now());
    let (which, own) = ((*id, based_on.version()), &who.principal.grants);
    who.write(async |tx| {
        let role = service::change(tx, which, &change, own, now).await?;
        let (before, after) = (RoleOut::from(role.before), RoleOut::from(role.after));
        let answer = Answer::ok(&after).version(after.version);
        let record = Change::new("role.change", "role", after.id).from_to(&before, &after);
        Ok::<_, RoleError>(Done::new(record, answer))
    })
    .await
}

/// Remove a role that nobody has
#[utoipa::path(tag = "roles", operation_id = "remove_role",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 204),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[delete("/roles/{id}")]
async fn remove(
    who: Member<ManageRoles>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
) -> Result<HttpResponse, Problem> {
    let (which, own) = ((*id, based_on.version()), &who.principal.grants);
    who.write(async |tx| {
        let removed = RoleOut::from(service::remove(tx, which, own).await?);
        let record = Change::new("role.remove", "role", removed.id).before(&removed);
        Ok::<_, RoleError>(Done::new(record, Answer::no_content()))
    })
    .await
}

impl From<RoleError> for Problem {
    fn from(error: RoleError) -> Self {
        let code = match &error {
            RoleError::NotFound => return Self::new(Code::RoleNotFound),
            RoleError::Cursor(error) => return Self::from(error.clone()),
            RoleError::Db(error) => return Self::database(error),
            RoleError::NameTaken => Code::RoleNameTaken,
            RoleError::InUse => Code::RoleInUse,
            RoleError::TooWide(_) => Code::GrantTooWide,
            RoleError::Changed(_) => Code::PreconditionFailed,
        };
        Self::new(code).detail(error)
    }
}
