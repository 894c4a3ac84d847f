//! What operators change of a tenant's entry: its slug, its tags, whether it is under legal hold.

use actix_web::{HttpRequest, post, web};
use provisioner::life::Tags;
use provisioner::{Label, Slug};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::Named;
use crate::http::{Body, Problem, ProblemOut};
use crate::platform::operator::Operator;
use crate::platform::permission::ChangeTenants;
use crate::platform::record::Deed;
use crate::platform::wire::TenantOut;

/// The routes that change an entry.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(rename)
        .service(tag)
        .service(hold)
        .service(release);
}

/// What a tenant is called from now on.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct RenameIn {
    /// First label of its host name.
    #[schema(example = "acme")]
    slug: String,
}

/// Words to put on a tenant, and words to take off.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct TagsIn {
    #[serde(default)]
    #[schema(example = json!(["pilot"]))]
    add: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
}

/// Why nothing of a tenant may be destroyed.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct HoldIn {
    /// 1 to 500 characters, no personal data.
    #[schema(example = "case 17/26")]
    reason: String,
}

/// Give a tenant another slug
///
/// Servers answer to it within a second; the old one is free for others at once.
#[utoipa::path(tag = "platform", operation_id = "rename_tenant", request_body = RenameIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/tenants/{tenant}/rename")]
async fn rename(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
    body: Body<RenameIn>,
) -> Result<web::Json<TenantOut>, Problem> {
    let slug = Slug::parse(&body.0.slug);
    let slug = slug.map_err(|error| Problem::field("/slug", "shape", error))?;
    let deed = Deed::new("tenant.rename", json!({ "slug": slug.as_str() }));
    let renamed = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.rename(&tenant, slug, &actor).await
        })
        .await?;
    Ok(web::Json(renamed.into()))
}

/// Put words on a tenant, and take words off
#[utoipa::path(tag = "platform", operation_id = "tag_tenant", request_body = TagsIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut)))]
#[post("/tenants/{tenant}/tags")]
async fn tag(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
    body: Body<TagsIn>,
) -> Result<web::Json<TenantOut>, Problem> {
    let tags = Tags {
        add: labels("/add", &body.0.add)?,
        remove: labels("/remove", &body.0.remove)?,
    };
    let deed = Deed::new(
        "tenant.tag",
        json!({ "add": body.0.add, "remove": body.0.remove }),
    );
    let tagged = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.tag(&tenant, tags, &actor).await
        })
        .await?;
    Ok(web::Json(tagged.into()))
}

/// Put a tenant under legal hold
///
/// Nothing of it is destroyed until it is released.
#[utoipa::path(tag = "platform", operation_id = "hold_tenant", request_body = HoldIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut)))]
#[post("/tenants/{tenant}/hold")]
async fn hold(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
    body: Body<HoldIn>,
) -> Result<web::Json<TenantOut>, Problem> {
    let reason = body.0.reason;
    let deed = Deed::new("tenant.hold", json!({ "reason": reason }));
    let held = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.hold(&tenant, &reason, &actor).await
        })
        .await?;
    Ok(web::Json(held.into()))
}

/// End a tenant's legal hold
#[utoipa::path(tag = "platform", operation_id = "release_tenant",
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses((status = 200, body = TenantOut)))]
#[post("/tenants/{tenant}/release")]
async fn release(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
) -> Result<web::Json<TenantOut>, Problem> {
    let deed = Deed::new("tenant.release", json!({}));
    let released = who
        .act_on(&req, &tenant.clone(), deed, |library, actor| async move {
            library.release(&tenant, &actor).await
        })
        .await?;
    Ok(web::Json(released.into()))
}

fn labels(pointer: &str, words: &[String]) -> Result<Vec<Label>, Problem> {
    let label = |(index, word): (usize, &String)| {
        Label::parse(word)
            .map_err(|error| Problem::field(&format!("{pointer}/{index}"), "shape", error))
    };
    words.iter().enumerate().map(label).collect()
}
