//! Changing a tenant's place in its life, its plan and its lane.

use actix_web::{HttpRequest, post, web};
use provisioner::Label;
use provisioner::lanes::MoveTo;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::Named;
use crate::http::{Body, Problem};
use crate::platform::operator::Operator;
use crate::platform::permission::{ChangeTenants, SuspendTenants};
use crate::platform::record::Deed;
use crate::platform::wire::TenantOut;

/// The routes that change where a tenant stands.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(suspend)
        .service(resume)
        .service(close)
        .service(reopen)
        .service(change_plan)
        .service(move_to_lane);
}

/// Why a tenant is switched off, or closed.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReasonIn {
    /// 1 to 500 characters; goes into the tenant's history, so no personal data.
    #[schema(example = "unpaid since May")]
    reason: String,
}

/// What a tenant may use from now on.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlanIn {
    /// The plan's name; null takes the plan away.
    #[schema(required, example = "large")]
    #[serde(deserialize_with = "Option::deserialize")]
    plan: Option<String>,
}

/// Where a tenant goes.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct LaneIn {
    /// A lane by login or id; the emptiest other one when absent.
    lane: Option<String>,
    /// A new lane of its own.
    #[serde(default)]
    dedicated: bool,
}

/// A tenant that was moved.
#[derive(Serialize, ToSchema)]
struct MovedOut {
    id: Uuid,
    slug: String,
    /// The login of the lane it left.
    from: String,
    /// The login of the lane it is on now; the same where there was nothing to do.
    to: String,
    /// The login of the lane it left, if that was its own and is gone now.
    #[schema(required)]
    dropped: Option<String>,
}

/// Switch a tenant off
///
/// Its requests are answered with 403 within a second. Nothing of it is touched.
#[utoipa::path(tag = "platform", operation_id = "suspend_tenant", request_body = ReasonIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut),
        (status = 409, body = crate::http::ProblemOut, content_type = "application/problem+json")))]
#[post("/tenants/{tenant}/suspend")]
async fn suspend(
    req: HttpRequest,
    who: Operator<SuspendTenants>,
    tenant: Named,
    body: Body<ReasonIn>,
) -> Result<web::Json<TenantOut>, Problem> {
    let reason = body.0.reason;
    let deed = Deed::new("tenant.suspend", json!({ "reason": reason }));
    let suspended = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.suspend(&tenant, &reason, &actor).await
        })
        .await?;
    Ok(web::Json(suspended.into()))
}

/// Switch a suspended tenant on again
#[utoipa::path(tag = "platform", operation_id = "resume_tenant",
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut),
        (status = 409, body = crate::http::ProblemOut, content_type = "application/problem+json")))]
#[post("/tenants/{tenant}/resume")]
async fn resume(
    req: HttpRequest,
    who: Operator<SuspendTenants>,
    tenant: Named,
) -> Result<web::Json<TenantOut>, Problem> {
    let deed = Deed::new("tenant.resume", json!({}));
    let resumed = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.resume(&tenant, &actor).await
        })
        .await?;
    Ok(web::Json(resumed.into()))
}

/// Begin a tenant's end
///
/// It may be read, and written no more.
#[utoipa::path(tag = "platform", operation_id = "close_tenant", request_body = ReasonIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut),
        (status = 409, body = crate::http::ProblemOut, content_type = "application/problem+json")))]
#[post("/tenants/{tenant}/close")]
async fn close(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
    body: Body<ReasonIn>,
) -> Result<web::Json<TenantOut>, Problem> {
    let reason = body.0.reason;
    let deed = Deed::new("tenant.close", json!({ "reason": reason }));
    let closed = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.close(&tenant, &reason, &actor).await
        })
        .await?;
    Ok(web::Json(closed.into()))
}

/// Take a closing tenant back
#[utoipa::path(tag = "platform", operation_id = "reopen_tenant",
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut),
        (status = 409, body = crate::http::ProblemOut, content_type = "application/problem+json")))]
#[post("/tenants/{tenant}/reopen")]
async fn reopen(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
) -> Result<web::Json<TenantOut>, Problem> {
    let deed = Deed::new("tenant.reopen", json!({}));
    let reopened = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.reopen(&tenant, &actor).await
        })
        .await?;
    Ok(web::Json(reopened.into()))
}

/// Put a tenant on another plan, or on none
///
/// Servers follow within a second. Its lane stays.
#[utoipa::path(tag = "platform", operation_id = "change_tenant_plan", request_body = PlanIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut)))]
#[post("/tenants/{tenant}/plan")]
async fn change_plan(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
    body: Body<PlanIn>,
) -> Result<web::Json<TenantOut>, Problem> {
    let plan = body.0.plan.map(|name| name.parse::<Label>()).transpose();
    let plan = plan.map_err(|error| Problem::field("/plan", "shape", error))?;
    let deed = Deed::new(
        "tenant.change_plan",
        json!({ "plan": plan.as_ref().map(Label::as_str) }),
    );
    let changed = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.change_plan(&tenant, plan, &actor).await
        })
        .await?;
    Ok(web::Json(changed.into()))
}

/// Move a tenant to another lane of its node
///
/// It is served all the time.
#[utoipa::path(tag = "platform", operation_id = "move_tenant_to_lane", request_body = LaneIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = MovedOut),
        (status = 409, body = crate::http::ProblemOut, content_type = "application/problem+json")))]
#[post("/tenants/{tenant}/lane")]
async fn move_to_lane(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
    body: Body<LaneIn>,
) -> Result<web::Json<MovedOut>, Problem> {
    let told = json!({ "lane": body.0.lane, "dedicated": body.0.dedicated });
    let deed = Deed::new("tenant.move_to_lane", told);
    let to = match (body.0.lane, body.0.dedicated) {
        (Some(_), true) => {
            let reason = "a tenant goes to a lane that is there, or to one of its own";
            return Err(Problem::field("/dedicated", "conflict", reason));
        }
        (Some(lane), false) => MoveTo::Lane(lane),
        (None, true) => MoveTo::Dedicated,
        (None, false) => MoveTo::Emptiest,
    };
    let moved = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.move_to_lane(&tenant, to, &actor).await
        })
        .await?;
    Ok(web::Json(MovedOut {
        id: moved.id,
        slug: moved.slug,
        from: moved.from,
        to: moved.to,
        dropped: moved.dropped,
    }))
}
