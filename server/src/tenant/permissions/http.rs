//! `/permissions`.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use time::Duration;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::explain::{ExplanationOut, Question, explain};
use super::report::{AccessOut, report};
use crate::auth::{CATALOGUE, Entry, Permission, ReadRoles, entry};
use crate::http::{Caller, Code, Fields, Listing, Member, PageOut, PageQuery, Problem, ProblemOut};
use crate::state::AppState;

/// The routes of permissions.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(catalogue).service(explanation).service(review);
}

/// Something that may be allowed.
#[derive(Serialize, ToSchema)]
struct PermissionOut {
    #[schema(example = "item.read")]
    name: &'static str,
    /// What it allows, for people.
    title: &'static str,
    /// Whether it can be held over less than all.
    has_scopes: bool,
    /// Whether whoever uses it must have proven lately who they are.
    needs_proof: bool,
    /// Whether an API key can be given it.
    for_api_keys: bool,
}

/// What is to be explained.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExplainQuery {
    /// Its name in the catalogue.
    #[param(example = "member.read")]
    permission: String,
    /// Who would do it; you when absent. To ask about others needs `role.read`.
    member_id: Option<Uuid>,
    /// The member to whose things it would be done.
    target_member_id: Option<Uuid>,
}

/// List all permissions
#[utoipa::path(tag = "roles", operation_id = "list_permissions",
    security(("bearer" = [])), responses((status = 200, body = PageOut<PermissionOut>)))]
#[get("/permissions")]
async fn catalogue(_: Member<ReadRoles>) -> web::Json<PageOut<PermissionOut>> {
    web::Json(PageOut {
        data: CATALOGUE.iter().map(PermissionOut::from).collect(),
        next: None,
    })
}

/// Explain why somebody may do something, or may not
#[utoipa::path(tag = "roles", operation_id = "explain_permission", params(ExplainQuery),
    security(("bearer" = [])), responses(
    (status = 200, body = ExplanationOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/permissions/explain")]
async fn explanation(
    req: HttpRequest,
    caller: Caller,
    query: web::Query<ExplainQuery>,
) -> Result<web::Json<ExplanationOut>, Problem> {
    let (state, principal) = (AppState::of(&req), &caller.principal);
    let question = query.question(principal.person.id)?;
    if question.is_about_others(principal.person.id) && !principal.grants.allow(ReadRoles::NAME) {
        return Err(Problem::permission_denied(ReadRoles::NAME));
    }
    let counts_for = Duration::minutes(state.config.auth.proof_minutes.into());
    let now = state.clock.now();
    let work = async |tx: &_| explain(tx, principal, question, counts_for, now).await;
    Ok(web::Json(caller.db.read(work).await?))
}

/// Review who may what
///
/// Every member with their role and what it allows, by address.
#[utoipa::path(tag = "roles", operation_id = "review_permissions", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<AccessOut>)))]
#[get("/permissions/report")]
async fn review(
    req: HttpRequest,
    who: Member<ReadRoles>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<AccessOut>(page.fields.as_deref())?;
    let now = AppState::of(&req).clock.now();
    let work = async |tx: &_| report(tx, limit, cursor.clone(), now).await;
    list.answer::<AccessOut>(who.db.read(work).await?, &fields)
}

impl ExplainQuery {
    fn question(&self, asker: Uuid) -> Result<Question, Problem> {
        let permission = entry(&self.permission).ok_or_else(|| {
            Problem::new(Code::QueryInvalid)
                .detail("there is no such permission; see /api/v1/permissions")
        })?;
        Ok(Question {
            permission,
            member: self.member_id.unwrap_or(asker),
            target: self.target_member_id,
        })
    }
}

impl Question {
    fn is_about_others(&self, asker: Uuid) -> bool {
        self.member != asker
    }
}

impl From<&Entry> for PermissionOut {
    fn from(entry: &Entry) -> Self {
        Self {
            name: entry.name,
            title: entry.title,
            has_scopes: entry.has_scopes,
            needs_proof: entry.needs_proof,
            for_api_keys: entry.is_for_machines(),
        }
    }
}
