//! A tenant's own domains: claimed, proven by DNS, forgotten.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use provisioner::{Dns, DomainName};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::Named;
use crate::http::{Body, Problem};
use crate::platform::operator::Operator;
use crate::platform::permission::{ChangeTenants, Look, VerifyDomains};
use crate::platform::record::Deed;
use crate::platform::wire::{DomainOut, ListOut};

/// The routes of domains.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(claim)
        .service(verify)
        .service(remove);
}

/// A domain.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DomainIn {
    #[schema(example = "shop.acme.example")]
    domain: String,
}

/// List a tenant's domains
#[utoipa::path(tag = "platform", operation_id = "list_tenant_domains",
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = ListOut<DomainOut>)))]
#[get("/tenants/{tenant}/domains")]
async fn list(
    who: Operator<Look>,
    tenant: Named,
) -> Result<web::Json<ListOut<DomainOut>>, Problem> {
    let claims = who
        .ask(|library, _| async move { library.list_domains(Some(&tenant)).await })
        .await?;
    Ok(web::Json(ListOut::of(claims)))
}

/// Claim a domain
///
/// The answer says which TXT record proves it. Claiming it again changes nothing.
#[utoipa::path(tag = "platform", operation_id = "claim_tenant_domain", request_body = DomainIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = DomainOut)))]
#[post("/tenants/{tenant}/domains")]
async fn claim(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
    body: Body<DomainIn>,
) -> Result<web::Json<DomainOut>, Problem> {
    let domain = read(&body.0.domain)?;
    let deed = Deed::new("domain.claim", json!({ "domain": domain.to_string() }));
    let claimed = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.claim_domain(&tenant, &domain, &actor).await
        })
        .await?;
    Ok(web::Json(claimed.into()))
}

/// Look for the record; from then on servers answer at the domain
#[utoipa::path(tag = "platform", operation_id = "verify_tenant_domain",
    params(("tenant" = String, Path, description = "Id or slug"),
        ("domain" = String, Path, description = "The domain")),
    security(("bearer" = [])), responses((status = 200, body = DomainOut),
        (status = 409, body = crate::http::ProblemOut, content_type = "application/problem+json")))]
#[post("/tenants/{tenant}/domains/{domain}/verify")]
async fn verify(
    req: HttpRequest,
    who: Operator<VerifyDomains>,
    path: web::Path<(String, String)>,
) -> Result<web::Json<DomainOut>, Problem> {
    let (tenant, domain) = path.into_inner();
    let domain = read(&domain)?;
    let deed = Deed::new("domain.verify", json!({ "domain": domain.to_string() }));
    let verified = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            let dns = Dns::of_this_machine()?;
            library.verify_domain(&tenant, &domain, &dns, &actor).await
        })
        .await?;
    Ok(web::Json(verified.into()))
}

/// Forget a domain; servers stop answering there
#[utoipa::path(tag = "platform", operation_id = "remove_tenant_domain",
    params(("tenant" = String, Path, description = "Id or slug"),
        ("domain" = String, Path, description = "The domain")),
    security(("bearer" = [])), responses((status = 204)))]
#[delete("/tenants/{tenant}/domains/{domain}")]
async fn remove(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (tenant, domain) = path.into_inner();
    let domain = read(&domain)?;
    let deed = Deed::new("domain.remove", json!({ "domain": domain.to_string() }));
    who.act_on(&req, &tenant.clone(), deed, |library, actor| async move {
        library.remove_domain(&tenant, &domain, &actor).await
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn read(domain: &str) -> Result<DomainName, Problem> {
    DomainName::parse(domain).map_err(|error| Problem::field("/domain", "shape", error))
}
