//! Who may ask for how much, and what an answer says of it.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use uuid::Uuid;

use super::client::{client_address, counted_as};
use super::code::Code;
use super::problem::Problem;
use crate::config;
use crate::db::Tenant;
use crate::kernel::TenantKey;
use crate::limits::{Budget, Charged, Verdict};
use crate::state::AppState;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Somebody who has not proven who they are, at a dealer's address.
    Anonymous(TenantKey),
    /// A member of a dealer's team.
    Member {
        /// The dealer.
        tenant: TenantKey,
        /// The member's id.
        member: Uuid,
    },
    /// A machine with a key.
    ApiKey {
        /// The dealer.
        tenant: TenantKey,
        /// The key's id.
        key: Uuid,
        /// The key's own rate, requests a minute, in place of the usual one.
        per_minute: Option<u32>,
    },
    /// An operator of the platform.
    Operator(Uuid),
}

/// What a request is, for its budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Read,
    Write,
    Auth,
    /// Reads or writes a whole file.
    Heavy,
}

/// Classes by the pattern a request matched, where its method alone doesn't say it.
const CLASSES: &[(&str, Class)] = &[("/auth/", Class::Auth), ("/export", Class::Heavy)];

/// Charges a request; asks Redis at most once a request, however often this is called.
///
/// # Errors
///
/// `rate-limited`, with the seconds to wait.
pub async fn admit(req: &HttpRequest, subject: Subject) -> Result<(), Problem> {
    let is_charged = req.extensions().get::<Verdict>().is_some();
    if !is_charged {
        req.extensions_mut().insert(subject);
        let state = AppState::of(req);
        let budgets = budgets(req, subject, &state.config.limits);
        let verdict = state.limits.charge(&budgets, state.clock.now()).await;
        req.extensions_mut().insert(verdict);
    }
    let extensions = req.extensions();
    match extensions.get::<Verdict>().and_then(Verdict::wait) {
        Some(seconds) => Err(Problem::new(Code::RateLimited).retry_after(seconds)),
        None => Ok(()),
    }
}

/// Tells the client what is left, if it was charged.
pub(super) fn add_headers(req: &HttpRequest, headers: &mut HeaderMap) {
    let extensions = req.extensions();
    let Some(verdict) = extensions.get::<Verdict>() else {
        return;
    };
    let policies: Vec<_> = verdict.0.iter().map(policy).collect();
    let standing = verdict.tightest().map(standing).unwrap_or_default();
    for (name, text) in [(POLICY, policies.join(", ")), (STANDING, standing)] {
        if let Ok(value) = HeaderValue::from_str(&text)
            && !text.is_empty()
        {
            headers.insert(name, value);
        }
    }
}

fn policy(charged: &Charged) -> String {
    format!(
        "\"{}\";q={};w={}",
        charged.name, charged.quota, charged.window
    )
}

fn standing(charged: &Charged) -> String {
    format!(
        "\"{}\";r={};t={}",
        charged.name, charged.left, charged.reset
    )
}

/// A stranger is never charged against the dealer's own budget: anybody could use it up.
fn budgets(req: &HttpRequest, subject: Subject, limits: &config::Limits) -> Vec<Budget> {
    let class = class_of(req);
    let cost = match class {
        Class::Heavy => limits.heavy_cost,
        Class::Read | Class::Write | Class::Auth => 1,
    };
    let budget = |name, key, per_minute, burst| Budget {
        name,
        key,
        per_minute,
        burst,
        cost,
    };
    let address = counted_as(client_address(req));
    let (side, (rate, burst)) = match (class, req.method()) {
        (Class::Heavy, &Method::GET) | (Class::Read, _) => {
            ("read", (limits.read_per_minute, limits.read_burst))
        }
        (Class::Write | Class::Auth | Class::Heavy, _) => {
            ("write", (limits.write_per_minute, limits.write_burst))
        }
    };
    let extensions = req.extensions();
    let plan = extensions.get::<Arc<Tenant>>();
    let plan = plan.and_then(|tenant| tenant.requests_per_minute());
    let of_tenant = |tenant: TenantKey| {
        let usual = (limits.tenant_per_minute, limits.tenant_burst);
        // A minute's worth at once: a plan says one number.
        let (rate, burst) = plan.map_or(usual, |own| (own, own));
        budget("tenant", tenant.scoped("limit"), rate, burst)
    };
    let mut all = vec![budget(
        "address",
        format!("limit:address:{address}"),
        limits.address_per_minute,
        limits.address_burst,
    )];
    match subject {
        Subject::Anonymous(tenant) if class == Class::Auth => all.push(budget(
            "auth",
            tenant.scoped(format_args!("limit:auth:{address}")),
            limits.auth_per_minute,
            limits.auth_burst,
        )),
        Subject::Anonymous(_) => {}
        Subject::Member { tenant, member } => {
            let key = tenant.scoped(format_args!("limit:member:{member}:{side}"));
            all.extend([budget("member", key, rate, burst), of_tenant(tenant)]);
        }
        Subject::ApiKey {
            tenant,
            key,
            per_minute,
        } => {
            let (rate, burst) = per_minute.map_or((rate, burst), |own| (own, own));
            // A key's own rate is one for all that it asks.
            let side = per_minute.map_or(side, |_| "all");
            let name = tenant.scoped(format_args!("limit:key:{key}:{side}"));
            all.extend([budget("key", name, rate, burst), of_tenant(tenant)]);
        }
        Subject::Operator(operator) => {
            let key = format!("platform:limit:{operator}:{side}");
            all.push(budget("operator", key, rate, burst));
        }
    }
    all
}

fn class_of(req: &HttpRequest) -> Class {
    let pattern = req.match_pattern().unwrap_or_default();
    // Only sending a file is; asking what became of it isn't.
    if *req.method() == Method::POST && pattern.ends_with("/imports") {
        return Class::Heavy;
    }
    let listed = CLASSES.iter().find(|(word, _)| pattern.contains(word));
    match (listed, req.method()) {
        (Some((_, class)), _) => *class,
        (None, &Method::GET | &Method::HEAD) => Class::Read,
        (None, _) => Class::Write,
    }
}
