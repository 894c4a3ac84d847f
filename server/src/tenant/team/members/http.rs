//! `/members`.

use ::entity::tenant::member::{Model, Status};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use sea_orm::ActiveEnum;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::service::{self, MemberChange};
use crate::audit::Change;
use crate::auth::{ManageMembers, ReadMembers};
use crate::http::{
    Answer, Body, Done, ETag, Fields, IfMatch, Listing, Member, PageOut, PageQuery, Problem,
    ProblemOut,
};
use crate::kernel::{Patch, Revised, never_null};
use crate::state::AppState;
use crate::tenant::team::assignment::{is_role, role_named};
use crate::tenant::team::error::TeamError;
use crate::tenant::team::name::person_name;
use crate::tenant::team::reach::Reach;

/// The routes of members.
pub(in crate::tenant::team) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(read)
        .service(change)
        .service(deactivate)
        .service(reactivate);
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct MemberPatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(custom(function = person_name))]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Built-in role; it takes the place of a role of your own.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(custom(function = is_role))]
    #[schema(nullable = false, example = "sales")]
    role: Option<String>,
    /// Role of your own; null goes back to the built-in one.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    role_id: Patch<Uuid>,
    /// Null means none.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    branch_id: Patch<Uuid>,
}

/// A member of the team.
#[derive(Serialize, ToSchema)]
struct MemberOut {
    id: Uuid,
    #[schema(example = "olga@acme.example")]
    email: String,
    name: String,
    /// Built-in role, such as `sales`.
    role: String,
    /// Role of your own, which counts in place of the built-in one.
    #[schema(required)]
    role_id: Option<Uuid>,
    #[schema(required)]
    branch_id: Option<Uuid>,
    /// Whether they may sign in.
    is_active: bool,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    email_verified_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    last_sign_in_at: Option<OffsetDateTime>,
    /// When mail to the address was last known to come back; null while it arrives.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    mail_bounced_at: Option<OffsetDateTime>,
    /// The ETag's number.
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// List members
///
/// Those whom your role lets you see: the team, your branch, your teams, or yourself.
#[utoipa::path(tag = "team", operation_id = "list_members", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<MemberOut>)))]
#[get("/members")]
async fn list(
    req: HttpRequest,
    who: Member<ReadMembers>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (list, reach) = (Listing::of(&req), Reach::of(&who.principal, who.scope));
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<MemberOut>(page.fields.as_deref())?;
    let page = who
        .db
        .read(async |tx| service::list(tx, &reach, limit, cursor.clone()).await)
        .await?;
    list.answer::<MemberOut>(page, &fields)
}

/// Read a member
#[utoipa::path(tag = "team", operation_id = "read_member", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = MemberOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/members/{id}")]
async fn read(who: Member<ReadMembers>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let reach = Reach::of(&who.principal, who.scope);
    let member = who
        .db
        .read(async |tx| service::find(tx, &reach, *id).await)
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(member.version))
        .json(MemberOut::from(member)))
}

/// Change a member
///
/// Nobody gives more than they hold, only an owner makes or unmakes an owner, and the last owner
/// stays one.
#[utoipa::path(tag = "team", operation_id = "change_member", request_body = MemberPatch,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = MemberOut),
    (status = 403, body = ProblemOut, content_type = "application/problem+json"),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    (status = 412, body = ProblemOut, content_type = "application/problem+json"),
    (status = 428, body = ProblemOut, content_type = "application/problem+json"),
))]
#[patch("/members/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<ManageMembers>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
    body: Body<MemberPatch>,
) -> Result<HttpResponse, Problem> {
    let (change, now) = (MemberChange::from(body.0), AppState::of(&req).clock.now());
    let reach = Reach::of(&who.principal, who.scope);
    let which = (*id, based_on.version());
    who.write(async |tx| {
        let member = service::change(tx, &reach, which, &change, now).await?;
        Ok::<_, TeamError>(changed("member.change", member))
    })
    .await
}

/// Deactivate a member
///
/// Their sessions end and all their tokens are void, within a second.
#[utoipa::path(tag = "team", operation_id = "deactivate_member", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = MemberOut),
    (status = 403, body = ProblemOut, content_type = "application/problem+json"),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/members/{id}/deactivate")]
async fn deactivate(
    req: HttpRequest,
    who: Member<ManageMembers>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (reach, now) = (
        Reach::of(&who.principal, who.scope),
        AppState::of(&req).clock.now(),
    );
    who.write(async |tx| {
        let member = service::deactivate(tx, &reach, *id, now).await?;
        Ok::<_, TeamError>(changed("member.deactivate", member))
    })
    .await
}

/// Let a member in again
#[utoipa::path(tag = "team", operation_id = "reactivate_member", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = MemberOut),
    (status = 403, body = ProblemOut, content_type = "application/problem+json"),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/members/{id}/reactivate")]
async fn reactivate(
    req: HttpRequest,
    who: Member<ManageMembers>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (reach, now) = (
        Reach::of(&who.principal, who.scope),
        AppState::of(&req).clock.now(),
    );
    who.write(async |tx| {
        let member = service::reactivate(tx, &reach, *id, now).await?;
        Ok::<_, TeamError>(changed("member.reactivate", member))
    })
    .await
}

fn changed(action: &'static str, member: Revised<Model>) -> Done {
    let (before, after) = (
        MemberOut::from(member.before),
        MemberOut::from(member.after),
    );
    let answer = Answer::ok(&after).version(after.version);
    let record = Change::new(action, "member", after.id).from_to(&before, &after);
    Done::new(record, answer)
}

impl From<MemberPatch> for MemberChange {
    fn from(body: MemberPatch) -> Self {
        Self {
            name: body.name.map(|name| name.trim().to_owned()),
            role: body.role.as_deref().and_then(role_named),
            role_id: body.role_id,
            branch_id: body.branch_id,
        }
    }
}

impl From<Model> for MemberOut {
    fn from(member: Model) -> Self {
        Self {
            id: member.id,
            email: member.email,
            name: member.name,
            role: member.role.to_value(),
            role_id: member.role_id,
            branch_id: member.branch_id,
            is_active: member.status == Status::Active,
            email_verified_at: member.email_verified_at,
            last_sign_in_at: member.last_sign_in_at,
            mail_bounced_at: member.mail_bounced_at,
            version: member.version,
            created_at: member.created_at,
            updated_at: member.updated_at,
        }
    }
}
