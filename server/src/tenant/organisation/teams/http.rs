//! `/teams`.

use ::entity::tenant::team::Model;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::service::{self, NewTeam, TeamChange};
use crate::audit::Change;
use crate::auth::{ManageOrganisation, ReadOrganisation};
use crate::http::{
    Answer, Body, Done, ETag, Fields, IfMatch, Listing, Member, PageOut, PageQuery, Problem,
    ProblemOut,
};
use crate::kernel::{Patch, never_null};
use crate::state::AppState;
use crate::tenant::catalog::text::one_line;
use crate::tenant::organisation::OrganisationError;

/// The routes of teams.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(remove);
}

/// A new team.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct TeamIn {
    /// Unique per dealer.
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(example = "Roofing counter")]
    name: String,
    /// Where it works, if at one branch.
    branch_id: Option<Uuid>,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct TeamPatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Null takes it out of its branch.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    branch_id: Patch<Uuid>,
}

/// People who work together.
#[derive(Serialize, ToSchema)]
struct TeamOut {
    id: Uuid,
    name: String,
    #[schema(required)]
    branch_id: Option<Uuid>,
    /// The ETag's number.
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// List teams
#[utoipa::path(tag = "organisation", operation_id = "list_teams", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<TeamOut>)))]
#[get("/teams")]
async fn list(
    req: HttpRequest,
    who: Member<ReadOrganisation>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<TeamOut>(page.fields.as_deref())?;
    let work = async |tx: &_| service::list(tx, limit, cursor.clone()).await;
    list.answer::<TeamOut>(who.db.read(work).await?, &fields)
}

/// Create a team
#[utoipa::path(tag = "organisation", operation_id = "create_team", request_body = TeamIn,
    security(("bearer" = [])), responses(
    (status = 201, body = TeamOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/teams")]
async fn create(
    req: HttpRequest,
    who: Member<ManageOrganisation>,
    body: Body<TeamIn>,
) -> Result<HttpResponse, Problem> {
    let (new, now) = (NewTeam::from(body.0), AppState::of(&req).clock.now());
    who.write(async |tx| {
        let team = TeamOut::from(service::create(tx, &new, now).await?);
        let address = format!("/api/v1/teams/{}", team.id);
        let answer = Answer::created(&address, &team).version(team.version);
        let record = Change::new("team.create", "team", team.id).after(&team);
        Ok::<_, OrganisationError>(Done::new(record, answer))
    })
    .await
}

/// Read a team
#[utoipa::path(tag = "organisation", operation_id = "read_team", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses((status = 200, body = TeamOut)))]
#[get("/teams/{id}")]
async fn read(who: Member<ReadOrganisation>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let team = who.db.read(async |tx| service::find(tx, *id).await).await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(team.version))
        .json(TeamOut::from(team)))
}

/// Change a team
#[utoipa::path(tag = "organisation", operation_id = "change_team", request_body = TeamPatch,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = TeamOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[patch("/teams/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<ManageOrganisation>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
    body: Body<TeamPatch>,
) -> Result<HttpResponse, Problem> {
    let (change, now) = (TeamChange::from(body.0), AppState::of(&req).clock.now());
    let expected = based_on.version();
    who.write(async |tx| {
        let team = service::change(tx, *id, expected, &change, now).await?;
        let (before, after) = (TeamOut::from(team.before), TeamOut::from(team.after));
        let answer = Answer::ok(&after).version(after.version);
        let record = Change::new("team.change", "team", after.id).from_to(&before, &after);
        Ok::<_, OrganisationError>(Done::new(record, answer))
    })
    .await
}

/// Remove a team
///
/// Its members stay.
#[utoipa::path(tag = "organisation", operation_id = "remove_team",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses((status = 204)))]
#[delete("/teams/{id}")]
async fn remove(
    who: Member<ManageOrganisation>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
) -> Result<HttpResponse, Problem> {
    who.write(async |tx| {
        let removed = TeamOut::from(service::remove(tx, *id, based_on.version()).await?);
        let record = Change::new("team.remove", "team", removed.id).before(&removed);
        Ok::<_, OrganisationError>(Done::new(record, Answer::no_content()))
    })
    .await
}

impl From<TeamIn> for NewTeam {
    fn from(body: TeamIn) -> Self {
        Self {
            name: body.name.trim().to_owned(),
            branch_id: body.branch_id,
        }
    }
}

impl From<TeamPatch> for TeamChange {
    fn from(body: TeamPatch) -> Self {
        Self {
            name: body.name.map(|name| name.trim().to_owned()),
            branch_id: body.branch_id,
        }
    }
}

impl From<Model> for TeamOut {
    fn from(team: Model) -> Self {
        Self {
            id: team.id,
            name: team.name,
            branch_id: team.branch_id,
            version: team.version,
            created_at: team.created_at,
            updated_at: team.updated_at,
        }
    }
}
