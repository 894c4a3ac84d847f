//! `/sso-connections/{id}/domains`: for whose people a provider speaks.

use ::entity::tenant::sso_domain;
use actix_web::{HttpRequest, HttpResponse, delete, post, web};
use provisioner::{Dns, DomainName, TxtResolver};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::error::SsoError;
use super::service;
use crate::audit::Change;
use crate::auth::ManageSso;
use crate::config::Sso;
use crate::http::{Answer, Body, Done, Member, Problem, ProblemOut};
use crate::state::AppState;

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(claim_domain).service(verify).service(remove);
}

/// A domain of e-mail addresses.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SsoDomainIn {
    /// Without the at sign.
    #[validate(length(min = 1, max = 253))]
    #[schema(example = "acme.example")]
    domain: String,
}

/// A domain, and how to prove that it is the dealer's.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct SsoDomainOut {
    domain: String,
    /// Where in DNS the proof is to stand.
    #[schema(example = "_tubex-sso.acme.example")]
    record_name: String,
    /// What is to stand there, as a TXT record.
    #[schema(example = "tubex-sso=q2mYw1c0n5o3bq8Yh1vXK2dQmPz7r9sTuVwXyZ01234")]
    record_value: String,
    /// UTC; since when it is proven. Before, the provider speaks for nobody there.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    verified_at: Option<OffsetDateTime>,
}

/// Claim a domain
///
/// The answer says what to put into DNS. Claiming again says the same again.
#[utoipa::path(tag = "sso", operation_id = "claim_sso_domain", request_body = SsoDomainIn,
    params(("id" = Uuid, Path, description = "The identity provider")),
    security(("bearer" = [])), responses((status = 200, body = SsoDomainOut),
        (status = 404, body = ProblemOut, content_type = "application/problem+json"),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/sso-connections/{id}/domains")]
async fn claim_domain(
    req: HttpRequest,
    who: Member<ManageSso>,
    id: web::Path<Uuid>,
    body: Body<SsoDomainIn>,
) -> Result<HttpResponse, Problem> {
    let now = AppState::of(&req).clock.now();
    let domain = DomainName::parse(&body.0.domain)
        .map_err(|error| Problem::field("/domain", "shape", error))?;
    who.write(async |tx| {
        let claim = service::claim(tx, *id, &domain, now).await?;
        let record = changed("sso_domain.claim", &claim);
        Ok::<_, SsoError>(Done::new(record, Answer::ok(&SsoDomainOut::from(claim))))
    })
    .await
}

/// Look for the proof of a domain
///
/// Looks into DNS; once the record was there, the provider speaks for people of the domain.
#[utoipa::path(tag = "sso", operation_id = "verify_sso_domain",
    params(("id" = Uuid, Path, description = "The identity provider"),
        ("domain" = String, Path, description = "The domain")),
    security(("bearer" = [])), responses((status = 200, body = SsoDomainOut),
        (status = 404, body = ProblemOut, content_type = "application/problem+json"),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/sso-connections/{id}/domains/{domain}/verify")]
async fn verify(
    req: HttpRequest,
    who: Member<ManageSso>,
    path: web::Path<(Uuid, String)>,
) -> Result<HttpResponse, Problem> {
    let (state, (id, domain)) = (AppState::of(&req), path.into_inner());
    let claim = claimed(&who, id, &domain).await?;
    // No transaction is open while DNS is asked.
    must_be_shown(&state.config.sso, &claim).await?;
    let now = state.clock.now();
    who.write(async |tx| {
        let claim = service::verified(tx, &claim, now).await?;
        let record = changed("sso_domain.verify", &claim);
        Ok::<_, SsoError>(Done::new(record, Answer::ok(&SsoDomainOut::from(claim))))
    })
    .await
}

/// Forget a domain
///
/// The provider speaks for nobody there from now on.
#[utoipa::path(tag = "sso", operation_id = "remove_sso_domain",
    params(("id" = Uuid, Path, description = "The identity provider"),
        ("domain" = String, Path, description = "The domain")),
    security(("bearer" = [])), responses((status = 204),
        (status = 404, body = ProblemOut, content_type = "application/problem+json")))]
#[delete("/sso-connections/{id}/domains/{domain}")]
async fn remove(
    who: Member<ManageSso>,
    path: web::Path<(Uuid, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, domain) = path.into_inner();
    let claim = claimed(&who, id, &domain).await?;
    let domain = DomainName::parse(&claim.domain).map_err(Problem::internal)?;
    who.write(async |tx| {
        let removed = service::unclaim(tx, id, &domain).await?;
        let record = changed("sso_domain.remove", &removed);
        Ok::<_, SsoError>(Done::new(record, Answer::no_content()))
    })
    .await
}

/// A claim by its path; what is no domain is nobody's claim.
async fn claimed(
    who: &Member<ManageSso>,
    id: Uuid,
    domain: &str,
) -> Result<sso_domain::Model, SsoError> {
    let domain = DomainName::parse(domain).ok();
    who.db
        .read(async |tx| {
            service::find(tx, id).await?;
            match &domain {
                Some(domain) => service::claimed(tx, id, domain).await,
                None => Err(SsoError::DomainNotFound),
            }
        })
        .await
}

async fn must_be_shown(config: &Sso, claim: &sso_domain::Model) -> Result<(), SsoError> {
    let dns = match config.dns_server {
        Some(server) => Dns::at(server),
        None => Dns::of_this_machine(),
    };
    let failure = |error: &dyn std::fmt::Display| SsoError::Dns(error.to_string());
    let dns = dns.map_err(|error| failure(&error))?;
    let (name, value) = (record_name(claim), record_value(claim));
    let found = dns.texts(&name).await.map_err(|error| failure(&error))?;
    if found.contains(&value) {
        Ok(())
    } else {
        Err(SsoError::not_proven(name, value))
    }
}

fn changed(action: &'static str, claim: &sso_domain::Model) -> Change {
    let what = json!({ "domain": claim.domain });
    Change::new(action, "sso_connection", claim.connection_id).after(&what)
}

/// Beside the record of a domain that is served: the two have nothing to do with each other.
fn record_name(claim: &sso_domain::Model) -> String {
    format!("_tubex-sso.{}", claim.domain)
}

fn record_value(claim: &sso_domain::Model) -> String {
    format!("tubex-sso={}", claim.challenge)
}

impl From<sso_domain::Model> for SsoDomainOut {
    fn from(claim: sso_domain::Model) -> Self {
        Self {
            record_name: record_name(&claim),
            record_value: record_value(&claim),
            domain: claim.domain,
            verified_at: claim.verified_at,
        }
    }
}
