//! Copies of tenants, for support and rehearsal.

use actix_web::{HttpRequest, HttpResponse, post};
use provisioner::copy::{NewClone, People};
use provisioner::{Placement, Slug, TenantName};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::Named;
use crate::auth::Permission;
use crate::http::{Body, Problem, ProblemOut};
use crate::platform::operator::Operator;
use crate::platform::permission::{ChangeTenants, CloneTenants};
use crate::platform::record::Deed;
use crate::platform::wire::TenantOut;

/// The route that copies.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(clone);
}

/// A copy to be made.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CloneIn {
    /// First label of the copy's host name.
    #[schema(example = "acme-copy")]
    slug: String,
    /// What people read; the original's name when absent.
    name: Option<String>,
    /// Whether people stay in it, with all that tells who they are. Needs the permission
    /// `tenant.change`.
    #[serde(default)]
    with_people: bool,
}

/// Copy a tenant
///
/// Structure and data as they are at one moment, without its people unless that is asked for.
#[utoipa::path(tag = "platform", operation_id = "clone_tenant", request_body = CloneIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses(
        (status = 201, body = TenantOut, headers(
            ("Location" = String, description = "Where the copy is found"))),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/tenants/{tenant}/clone")]
async fn clone(
    req: HttpRequest,
    who: Operator<CloneTenants>,
    tenant: Named,
    body: Body<CloneIn>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let people = if body.with_people {
        who.require(ChangeTenants::NAME)?;
        People::Kept
    } else {
        People::Anonymised
    };
    let slug = Slug::parse(&body.slug);
    let slug = slug.map_err(|error| Problem::field("/slug", "shape", error))?;
    let name = body.name.as_deref().map(TenantName::parse).transpose();
    let name = name.map_err(|error| Problem::field("/name", "shape", error))?;
    let told = json!({ "to": slug.as_str(), "with_people": body.with_people });
    let deed = Deed::new("tenant.clone", told);
    let from = tenant.clone();
    let copied = who
        .act_on(&req, &from, deed, |library, actor| async move {
            let clone = NewClone {
                from: tenant.into_inner(),
                slug,
                name,
                people,
                at: Placement::default(),
                actor,
            };
            library.clone_tenant(clone).await
        })
        .await?;
    let beginning = Deed::new("tenant.create", json!({ "clone_of": from }));
    who.begin_trail(&req, &copied.tenant.slug, beginning, async |_, _| Ok(()))
        .await;
    let tenant = TenantOut::from(copied.tenant);
    Ok(HttpResponse::Created()
        .insert_header(("Location", tenant.address()))
        .json(tenant))
}
