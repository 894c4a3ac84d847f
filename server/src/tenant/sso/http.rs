//! Single sign-on on the wire.

use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::SsoError;
use super::service::Keeper;
use super::{connections, domains, flow};
use crate::config::Scheme;
use crate::db::TenantDb;
use crate::http::{Code, Problem};
use crate::state::AppState;

/// The routes of single sign-on.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    connections::routes(cfg);
    domains::routes(cfg);
    flow::routes(cfg);
}

pub(super) fn keeper<'a>(state: &'a AppState, db: &TenantDb) -> Keeper<'a> {
    Keeper {
        sealer: &state.sealer,
        tenant: db.tenant().key(),
    }
}

/// Where providers send people back to: the very host they left from, whose cookie they carry.
pub(super) fn redirect_uri(req: &HttpRequest) -> String {
    let scheme = match AppState::of(req).config.http.public_scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let host = req.headers().get(HOST).and_then(|host| host.to_str().ok());
    let target = req.head().uri.authority();
    let host = host.or_else(|| target.map(|authority| authority.as_str()));
    format!(
        "{scheme}://{}/api/v1/auth/sso/callback",
        host.unwrap_or_default()
    )
}

impl From<SsoError> for Problem {
    fn from(error: SsoError) -> Self {
        match error {
            SsoError::NotFound => Self::new(Code::SsoConnectionNotFound),
            SsoError::NameTaken => Self::new(Code::SsoConnectionNameTaken),
            SsoError::Changed(_) => Self::new(Code::PreconditionFailed).detail(error),
            SsoError::NotEnforceable(_) => Self::new(Code::SsoNotEnforceable).detail(error),
            SsoError::DomainNotFound => Self::new(Code::SsoDomainNotFound),
            SsoError::DomainTaken => Self::new(Code::SsoDomainTaken),
            SsoError::NotProven { .. } => Self::new(Code::DomainNotProven).detail(error),
            SsoError::Dns(cause) => Self::new(Code::DnsUnavailable).because(cause),
            SsoError::StateInvalid => Self::new(Code::SsoStateInvalid),
            SsoError::Refused(why) => Self::new(Code::SsoRefused).because(why),
            SsoError::Unavailable(why) => Self::new(Code::IdentityProviderUnavailable).because(why),
            SsoError::Overtaken => Self::new(Code::Conflict),
            SsoError::Broken(cause) => Self::internal(cause),
            SsoError::Db(error) => Self::database(&error),
        }
    }
}
