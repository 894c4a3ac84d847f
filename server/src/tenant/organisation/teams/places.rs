//! `/teams/{id}/members`: who is in a team.

use ::entity::tenant::member;
use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::service;
use crate::audit::Change;
use crate::auth::{ManageOrganisation, ReadMembers, scope};
use crate::http::{Answer, Done, Fields, Listing, Member, PageOut, PageQuery, Problem};
use crate::tenant::organisation::OrganisationError;

/// The routes of who is in a team.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list).service(take_in).service(take_out);
}

/// Somebody in a team.
#[derive(Serialize, ToSchema)]
struct TeamMemberOut {
    member_id: Uuid,
    name: String,
}

/// List the members of a team
///
/// Those whom one may see.
#[utoipa::path(tag = "organisation", operation_id = "list_team_members",
    params(("id" = Uuid, Path), PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<TeamMemberOut>)))]
#[get("/teams/{id}/members")]
async fn list(
    req: HttpRequest,
    who: Member<ReadMembers>,
    id: web::Path<Uuid>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<TeamMemberOut>(page.fields.as_deref())?;
    let seen = scope::members_within(who.scope, who.person());
    let page = (limit, cursor);
    let work = async |tx: &_| service::members(tx, *id, seen.clone(), page.clone()).await;
    list.answer::<TeamMemberOut>(who.db.read(work).await?, &fields)
}

/// Take a member into a team
///
/// Whoever is in it already stays.
#[utoipa::path(tag = "organisation", operation_id = "add_team_member",
    params(("id" = Uuid, Path), ("member_id" = Uuid, Path)),
    security(("bearer" = [])), responses((status = 204)))]
#[put("/teams/{id}/members/{member_id}")]
async fn take_in(
    who: Member<ManageOrganisation>,
    place: web::Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (team, member) = *place;
    who.write(async |tx| {
        service::take_in(tx, team, member).await?;
        let record = Change::new("team.take_in", "team", team).after(&json!({"member_id": member}));
        Ok::<_, OrganisationError>(Done::new(record, Answer::no_content()))
    })
    .await
}

/// Take a member out of a team
#[utoipa::path(tag = "organisation", operation_id = "remove_team_member",
    params(("id" = Uuid, Path), ("member_id" = Uuid, Path)),
    security(("bearer" = [])), responses((status = 204)))]
#[delete("/teams/{id}/members/{member_id}")]
async fn take_out(
    who: Member<ManageOrganisation>,
    place: web::Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (team, member) = *place;
    who.write(async |tx| {
        service::take_out(tx, team, member).await?;
        let gone = json!({"member_id": member});
        let record = Change::new("team.take_out", "team", team).before(&gone);
        Ok::<_, OrganisationError>(Done::new(record, Answer::no_content()))
    })
    .await
}

impl From<member::Model> for TeamMemberOut {
    fn from(member: member::Model) -> Self {
        Self {
            member_id: member.id,
            name: member.name,
        }
    }
}
