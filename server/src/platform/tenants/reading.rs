//! Looking at tenants and their histories.

use ::entity::platform::tenant::Status;
use actix_web::{get, web};
use provisioner::{Label, LabelError, ListTenants};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Named;
use crate::http::{Code, PageOut, Problem};
use crate::platform::operator::Operator;
use crate::platform::permission::Look;
use crate::platform::wire::{EventOut, ExportOut, ListOut, TenantOut};

/// Rows of a page when a client doesn't say.
const DEFAULT_LIMIT: u64 = 100;

/// The routes that only look.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(show)
        .service(events)
        .service(exports);
}

/// Which tenants.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TenantsQuery {
    /// Only those that stand here. Without this, spares and those that are gone are left out.
    #[param(value_type = Option<String>, example = "active")]
    status: Option<Status>,
    /// Only those that carry this word.
    tag: Option<String>,
    /// Only those on this plan.
    plan: Option<String>,
    /// Only those on the lane with this login.
    lane: Option<String>,
    /// Only those on this node.
    node: Option<String>,
    /// Only those whose newest migration is this.
    version: Option<String>,
    /// Only those after this slug: the `next` of the page before.
    after: Option<String>,
    /// Rows of the page, 1 to 1000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Only those older than this event: the `next` of the page before.
    before: Option<Uuid>,
    /// Rows of the page, 1 to 1000; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// List tenants
///
/// Sorted by slug.
#[utoipa::path(tag = "platform", operation_id = "list_tenants", params(TenantsQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<TenantOut>)))]
#[get("/tenants")]
async fn list(
    who: Operator<Look>,
    query: web::Query<TenantsQuery>,
) -> Result<web::Json<PageOut<TenantOut>>, Problem> {
    let query = query.into_inner();
    let which = ListTenants {
        status: query.status,
        tag: label(query.tag)?,
        plan: label(query.plan)?,
        lane: query.lane,
        node: label(query.node)?,
        version: query.version,
        after: query.after,
        limit: limit(query.limit)?,
    };
    let page = who
        .ask(|library, _| async move { library.list(&which).await })
        .await?;
    Ok(web::Json(PageOut {
        data: page.tenants.into_iter().map(TenantOut::from).collect(),
        next: page.next,
    }))
}

/// Show a tenant
#[utoipa::path(tag = "platform", operation_id = "show_tenant",
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut)))]
#[get("/tenants/{tenant}")]
async fn show(who: Operator<Look>, tenant: Named) -> Result<web::Json<TenantOut>, Problem> {
    let shown = who
        .ask(|library, _| async move { library.show(&tenant).await })
        .await?;
    Ok(web::Json(shown.into()))
}

/// Read a tenant's history
///
/// Newest first.
#[utoipa::path(tag = "platform", operation_id = "list_tenant_events",
    params(("tenant" = String, Path, description = "Id or slug"), EventsQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<EventOut>)))]
#[get("/tenants/{tenant}/events")]
async fn events(
    who: Operator<Look>,
    tenant: Named,
    query: web::Query<EventsQuery>,
) -> Result<web::Json<PageOut<EventOut>>, Problem> {
    let (before, limit) = (query.before, limit(query.limit)?);
    let page = who
        .ask(|library, _| async move { library.events(&tenant, before, limit).await })
        .await?;
    Ok(web::Json(PageOut {
        data: page.events.into_iter().map(EventOut::from).collect(),
        next: page.next.map(|id| id.to_string()),
    }))
}

/// List a tenant's exports
///
/// The latest first, also those that were destroyed.
#[utoipa::path(tag = "platform", operation_id = "list_tenant_exports",
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = ListOut<ExportOut>)))]
#[get("/tenants/{tenant}/exports")]
async fn exports(
    who: Operator<Look>,
    tenant: Named,
) -> Result<web::Json<ListOut<ExportOut>>, Problem> {
    let exports = who
        .ask(|library, _| async move { library.exports(&tenant).await })
        .await?;
    Ok(web::Json(ListOut::of(exports)))
}

fn label(text: Option<String>) -> Result<Option<Label>, Problem> {
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error: LabelError| Problem::new(Code::QueryInvalid).detail(error))
}

fn limit(wanted: Option<u64>) -> Result<u64, Problem> {
    match wanted.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=ListTenants::MAX_LIMIT => Ok(limit),
        _ => Err(Problem::new(Code::QueryInvalid).detail(format!(
            "limit must be between 1 and {}",
            ListTenants::MAX_LIMIT
        ))),
    }
}
