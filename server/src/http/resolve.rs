//! Whom a request is for: host name and header, through the directory.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::HOST;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::{LocalBoxFuture, ready};
use provisioner::Slug;
use serde_json::json;
use uuid::Uuid;

use super::code::Code;
use super::gate::Gate;
use super::host::{self, HostName};
use super::limits::{self, Subject};
use super::opened::{ANYBODY, Probe, opened};
use super::problem::Problem;
use super::request::RequestId;
use crate::audit::Actor;
use crate::db::{Address, Found, Purpose, SecurityEvent, Tenant, TenantDb};
use crate::metrics::ServedTenant;
use crate::state::AppState;

/// Machines name the dealer here, by slug or id, on the API host only.
const TENANT_HEADER: &str = "X-Tenant-ID";

/// The dealer a request is for, before anybody has signed in, and the door to its rows.
#[derive(Debug)]
pub struct Dealer {
    /// Opens the dealer's rows.
    pub db: TenantDb,
    /// Opens them for writing, for somebody who is nobody yet.
    pub gate: Gate,
}

impl FromRequest for Dealer {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        if let Some(refusal) = Probe::hears(req, ANYBODY) {
            return Box::pin(ready(Err(refusal)));
        }
        let req = req.clone();
        Box::pin(async move {
            let tenant = resolve(&req).await?;
            limits::admit(&req, Subject::Anonymous(tenant.key())).await?;
            let purpose = purpose(&req, purpose_of_stranger(req.path()));
            let db = AppState::of(&req).directory.enter_for(purpose, &tenant)?;
            let gate = Gate::new(&req, db.clone(), Actor::Anonymous);
            opened(&req, ANYBODY);
            Ok(Self { db, gate })
        })
    }
}

/// Where somebody who is nobody yet begins or renews a session. What else they may do changes the
/// dealer, as accepting an invitation does.
const BEGINNINGS: [&str; 5] = [
    "/api/v1/auth/sign-in",
    "/api/v1/auth/refresh",
    "/api/v1/auth/second-factor",
    "/api/v1/auth/sso/",
    "/api/v1/auth/switch/redeem",
];

fn purpose_of_stranger(path: &str) -> Purpose {
    match BEGINNINGS.iter().any(|begun| path.starts_with(begun)) {
        true => Purpose::Session,
        false => Purpose::Work,
    }
}

/// What a request wants of a dealer's rows: reading, by its method, or else this.
pub(super) fn purpose(req: &HttpRequest, otherwise: Purpose) -> Purpose {
    match *req.method() {
        Method::GET | Method::HEAD => Purpose::Read,
        _ => otherwise,
    }
}

/// Lets requests pass only where a dealer lives, whatever else is wrong with them.
///
/// # Errors
///
/// None of its own: a refusal is an answer, which passes through the layers further out.
pub async fn known_host(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if Probe::is_behind(request.request()) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    match resolve(request.request()).await {
        Ok(_) => Ok(next.call(request).await?.map_into_left_body()),
        Err(problem) => Ok(request.error_response(problem).map_into_right_body()),
    }
}

/// The tenant that host and header agree on, whatever state it is in.
///
/// # Errors
///
/// `tenant-unknown`, always with the same body; `tenant-mismatch` when host and header disagree.
pub async fn resolve(req: &HttpRequest) -> Result<Arc<Tenant>, Problem> {
    if let Some(tenant) = req.extensions().get::<Arc<Tenant>>() {
        return Ok(tenant.clone());
    }
    let tenant = look_up(req).await?;
    if let Some(served) = req.extensions().get::<ServedTenant>() {
        served.is(tenant.key());
    }
    req.extensions_mut().insert(tenant.clone());
    Ok(tenant)
}

async fn look_up(req: &HttpRequest) -> Result<Arc<Tenant>, Problem> {
    let state = AppState::of(req);
    let named = named_in_header(req)?;
    let by_host = match host::parse(host_of(req)?, &state.config.http.base_domain) {
        HostName::Dealer(slug) => Address::Slug(slug),
        HostName::Custom(domain) => Address::Domain(domain),
        HostName::Api => {
            return found(state, &named.ok_or_else(unknown)?).await;
        }
        // Operators have an API of their own; no dealer lives there.
        HostName::Admin | HostName::Nobody => return Err(unknown()),
    };
    let tenant = found(state, &by_host).await?;
    if let Some(named) = named {
        let is_same = found(state, &named)
            .await
            .is_ok_and(|other| other.key() == tenant.key());
        if !is_same {
            refuse_mismatch(req, &tenant, "header");
            return Err(Problem::new(Code::TenantMismatch));
        }
    }
    Ok(tenant)
}

/// Whether a request is for the host of operators, on a server that serves them.
pub fn is_admin_host(req: &HttpRequest) -> bool {
    let config = &AppState::of(req).config;
    let base_domain = &config.http.base_domain;
    config.platform.database_url.is_some()
        && host_of(req).is_ok_and(|host| host::parse(host, base_domain) == HostName::Admin)
}

/// Puts on record that a request named two dealers; `by` says what named the second one.
pub(super) fn refuse_mismatch(req: &HttpRequest, tenant: &Tenant, by: &'static str) {
    AppState::of(req).security.record(SecurityEvent {
        tenant: Some(tenant.key()),
        kind: "tenant_mismatch",
        detail: json!({ "by": by, "path": req.path() }),
        request_id: RequestId::of(req).map(|id| id.to_string()),
    });
}

async fn found(state: &AppState, address: &Address) -> Result<Arc<Tenant>, Problem> {
    if !state.admission.is_open() {
        return Err(Problem::new(Code::Unavailable));
    }
    match state.directory.find(address).await {
        Found::Tenant(tenant) => Ok(tenant),
        Found::Nobody => Err(unknown()),
        Found::NotReady => Err(Problem::new(Code::Unavailable)),
    }
}

fn unknown() -> Problem {
    Problem::new(Code::TenantUnknown)
}

/// The one host of the request. Two of them, or one that isn't text, are nobody's.
fn host_of(req: &HttpRequest) -> Result<&str, Problem> {
    let mut hosts = req.headers().get_all(HOST);
    let header = hosts
        .next()
        .map(|host| host.to_str().map_err(|_| unknown()))
        .transpose()?;
    let target = req
        .head()
        .uri
        .authority()
        .map(|authority| authority.as_str());
    match (header, target) {
        _ if hosts.next().is_some() => Err(unknown()),
        (Some(header), Some(target)) if !header.eq_ignore_ascii_case(target) => Err(unknown()),
        (Some(host), _) | (None, Some(host)) => Ok(host),
        (None, None) => Err(unknown()),
    }
}

fn named_in_header(req: &HttpRequest) -> Result<Option<Address>, Problem> {
    let mut values = req.headers().get_all(TENANT_HEADER);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(unknown());
    }
    let text = value.to_str().map_err(|_| unknown())?.trim();
    if let Ok(id) = text.parse::<Uuid>() {
        return Ok(Some(Address::Id(id)));
    }
    let slug = Slug::parse(&text.to_ascii_lowercase()).map_err(|_| unknown())?;
    Ok(Some(Address::Slug(slug.to_string())))
}
