//! Making a tenant.

use std::collections::BTreeMap;
use std::fmt::Display;

use actix_web::{HttpRequest, HttpResponse, post};
use provisioner::{
    Email, Entrance, InvitationToken, Label, NewTenant, Owner, Placement, Slug, TenantName,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::owner::{expiry, post, told};
use crate::db::TenantTx;
use crate::http::{Body, Problem};
use crate::platform::dealers::{CURRENCY, DEFAULT_CURRENCY, currency};
use crate::platform::operator::Operator;
use crate::platform::permission::ChangeTenants;
use crate::platform::record::Deed;
use crate::platform::wire::TenantOut;
use crate::state::AppState;

/// The route that makes one.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(create);
}

/// A tenant to be made.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct TenantIn {
    /// First label of its host name: 2 to 40 letters a-z, digits and single hyphens.
    #[schema(example = "acme")]
    slug: String,
    /// What people read, 1 to 120 characters.
    #[schema(example = "Acme Baustoffe")]
    name: String,
    owner: OwnerIn,
    /// The plan it is on. One with a lane of its own for each tenant makes that lane too.
    plan: Option<String>,
    /// The node it will live on; the platform's own when absent.
    node: Option<String>,
    /// The lane it will be on, by login or id, and so the node too; the emptiest when absent.
    lane: Option<String>,
    /// ISO 4217 code of its prices; EUR when absent.
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// Rows to begin with.
    #[serde(default)]
    #[schema(example = json!(["demo"]))]
    seeds: Vec<String>,
}

/// The first person of a tenant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnerIn {
    /// They sign in with it.
    #[schema(example = "owner@acme.example")]
    email: String,
    /// How to address them; the address when absent.
    name: Option<String>,
}

/// A tenant that was made.
#[derive(Serialize, ToSchema)]
struct CreatedTenantOut {
    #[serde(flatten)]
    tenant: TenantOut,
    /// What the owner accepts their invitation with, told this once; null where a message with it is
    /// on its way to them.
    #[schema(required)]
    owner_invitation_token: Option<String>,
    /// What to look at soon, such as a database that is short of connections.
    #[schema(required)]
    warning: Option<String>,
}

/// Make a tenant
///
/// Its owner is invited by a message, or by a token in the answer where no messages are sent.
#[utoipa::path(tag = "platform", operation_id = "create_tenant", request_body = TenantIn,
    security(("bearer" = [])), responses(
        (status = 201, body = CreatedTenantOut, headers(
            ("Location" = String, description = "Where the tenant is found"))),
        (status = 409, body = crate::http::ProblemOut, content_type = "application/problem+json"),
    ))]
#[post("/tenants")]
async fn create(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    body: Body<TenantIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let token = InvitationToken::generate().map_err(Problem::internal)?;
    let entrance = Entrance::Invitation {
        token_hash: token.hash(),
        expires_at: expiry(state),
    };
    let (email, new, at) = read(body.0, entrance)?;
    let owner = new.owner.clone();
    let created = who
        .ask(
            |library, actor| async move { library.create_at(NewTenant { actor, ..new }, at).await },
        )
        .await?;
    let beginning = Deed::new("tenant.create", json!({ "name": created.tenant.name }));
    let name = owner.map_or_else(String::new, |owner| owner.name);
    // The tenant was made in a transaction of its own. Should this process die before the next one,
    // nobody was answered, and the owner is invited again.
    let write = async |key, tx: &TenantTx| post(state, (key, tx), (&email, &name), &token).await;
    let slug = &created.tenant.slug;
    let told = match who.begin_trail(&req, slug, beginning, write).await {
        true => told(state, &token),
        false => Some(token.as_str().to_owned()),
    };
    let tenant = TenantOut::from(created.tenant);
    let pressure = created.added.and_then(|lane| lane.pressure);
    Ok(HttpResponse::Created()
        .insert_header(("Location", tenant.address()))
        .json(CreatedTenantOut {
            tenant,
            owner_invitation_token: told,
            warning: pressure.map(|pressure| pressure.to_string()),
        }))
}

/// Everything that can be wrong without a database is found before there is one.
fn read(body: TenantIn, entrance: Entrance) -> Result<(Email, NewTenant, Placement), Problem> {
    let email: Email = field("/owner/email", Email::parse(&body.owner.email))?;
    let owner_name = match &body.owner.name {
        Some(name) => field("/owner/name", TenantName::parse(name))?.to_string(),
        None => email.to_string(),
    };
    let label = |pointer, text: Option<String>| {
        text.map(|text| field(pointer, text.parse::<Label>()))
            .transpose()
    };
    let text = body.currency.as_deref().unwrap_or(DEFAULT_CURRENCY);
    let currency = field("/currency", currency(text))?;
    let (slug, name) = (
        field("/slug", Slug::parse(&body.slug))?,
        field("/name", TenantName::parse(&body.name))?,
    );
    let at = Placement {
        plan: label("/plan", body.plan)?,
        node: label("/node", body.node)?,
        lane: body.lane,
    };
    let new = NewTenant {
        slug,
        name,
        owner: Some(Owner {
            email: email.to_string(),
            name: owner_name,
            entrance,
        }),
        seeds: body.seeds,
        settings: BTreeMap::from([(CURRENCY.to_owned(), currency)]),
        actor: String::new(),
    };
    Ok((email, new, at))
}

fn field<T, E: Display>(pointer: &str, read: Result<T, E>) -> Result<T, Problem> {
    read.map_err(|error| Problem::field(pointer, "shape", error))
}
