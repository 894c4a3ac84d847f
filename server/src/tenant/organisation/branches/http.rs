//! `/branches`.

use ::entity::tenant::branch::Model;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::service;
use crate::audit::Change;
use crate::auth::{ManageOrganisation, ReadOrganisation};
use crate::http::{
    Answer, Body, Done, ETag, Fields, IfMatch, Listing, Member, PageOut, PageQuery, Problem,
    ProblemOut,
};
use crate::kernel::never_null;
use crate::state::AppState;
use crate::tenant::catalog::text::one_line;
use crate::tenant::organisation::OrganisationError;

/// The routes of branches.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(remove);
}

/// A new branch.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct BranchIn {
    /// Unique per dealer.
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(example = "Harbour yard")]
    name: String,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct BranchPatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(nullable = false)]
    name: Option<String>,
}

/// A place where the dealer does business.
#[derive(Serialize, ToSchema)]
struct BranchOut {
    id: Uuid,
    name: String,
    /// The ETag's number.
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// List branches
#[utoipa::path(tag = "organisation", operation_id = "list_branches", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<BranchOut>)))]
#[get("/branches")]
async fn list(
    req: HttpRequest,
    who: Member<ReadOrganisation>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<BranchOut>(page.fields.as_deref())?;
    let work = async |tx: &_| service::list(tx, limit, cursor.clone()).await;
    list.answer::<BranchOut>(who.db.read(work).await?, &fields)
}

/// Create a branch
#[utoipa::path(tag = "organisation", operation_id = "create_branch", request_body = BranchIn,
    security(("bearer" = [])), responses(
    (status = 201, body = BranchOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/branches")]
async fn create(
    req: HttpRequest,
    who: Member<ManageOrganisation>,
    body: Body<BranchIn>,
) -> Result<HttpResponse, Problem> {
    let (name, now) = (
        body.0.name.trim().to_owned(),
        AppState::of(&req).clock.now(),
    );
    who.write(async |tx| {
        let branch = BranchOut::from(service::create(tx, &name, now).await?);
        let address = format!("/api/v1/branches/{}", branch.id);
        let answer = Answer::created(&address, &branch).version(branch.version);
        let record = Change::new("branch.create", "branch", branch.id).after(&branch);
        Ok::<_, OrganisationError>(Done::new(record, answer))
    })
    .await
}

/// Read a branch
#[utoipa::path(tag = "organisation", operation_id = "read_branch", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses((status = 200, body = BranchOut)))]
#[get("/branches/{id}")]
async fn read(who: Member<ReadOrganisation>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let branch = who.db.read(async |tx| service::find(tx, *id).await).await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(branch.version))
        .json(BranchOut::from(branch)))
}

/// Change a branch
#[utoipa::path(tag = "organisation", operation_id = "change_branch", request_body = BranchPatch,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = BranchOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[patch("/branches/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<ManageOrganisation>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
    body: Body<BranchPatch>,
) -> Result<HttpResponse, Problem> {
    let name = body.0.name.map(|name| name.trim().to_owned());
    let (expected, now) = (based_on.version(), AppState::of(&req).clock.now());
    who.write(async |tx| {
        let branch = service::rename(tx, *id, expected, name.as_deref(), now).await?;
        let (before, after) = (
            BranchOut::from(branch.before),
            BranchOut::from(branch.after),
        );
        let answer = Answer::ok(&after).version(after.version);
        let record = Change::new("branch.change", "branch", after.id).from_to(&before, &after);
        Ok::<_, OrganisationError>(Done::new(record, answer))
    })
    .await
}

/// Remove a branch that nobody belongs to
#[utoipa::path(tag = "organisation", operation_id = "remove_branch",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 204),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[delete("/branches/{id}")]
async fn remove(
    who: Member<ManageOrganisation>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
) -> Result<HttpResponse, Problem> {
    who.write(async |tx| {
        let removed = BranchOut::from(service::remove(tx, *id, based_on.version()).await?);
        let record = Change::new("branch.remove", "branch", removed.id).before(&removed);
        Ok::<_, OrganisationError>(Done::new(record, Answer::no_content()))
    })
    .await
}

impl From<Model> for BranchOut {
    fn from(branch: Model) -> Self {
        Self {
            id: branch.id,
            name: branch.name,
            version: branch.version,
            created_at: branch.created_at,
            updated_at: branch.updated_at,
        }
    }
}
