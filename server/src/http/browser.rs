//! Sessions of browsers: tokens in cookies that no script can read, and proof that a request comes
//! from the dealer's own page.
//!
//! A cookie is sent by the browser whoever made the page, so two things must be true of a request
//! that changes something: the browser says that the page is of this very host, and the page knows
//! the session's CSRF token, which other pages can't read. `SameSite` is a third wall, of its own.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use time::OffsetDateTime;
use uuid::Uuid;

use super::answer::Answer;
use super::code::Code;
use super::problem::Problem;
use crate::auth::{AccessToken, RefreshToken, Sealer};
use crate::kernel::TenantKey;
use crate::state::AppState;

/// Browsers take a cookie with this prefix from this very host only, and over TLS only (or from
/// `localhost`, while developing).
const ACCESS: &str = "__Host-tubex_access";
const REFRESH: &str = "__Host-tubex_refresh";
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The access token that a browser keeps.
pub(super) fn access_cookie(req: &HttpRequest) -> Option<String> {
    value_of(req, ACCESS)
}

/// The refresh token that a browser keeps.
pub fn refresh_cookie(req: &HttpRequest) -> Option<RefreshToken> {
    value_of(req, REFRESH).map(RefreshToken::from_wire)
}

fn value_of(req: &HttpRequest, name: &str) -> Option<String> {
    let cookie = req.cookie(name)?;
    Some(cookie.value().to_owned()).filter(|value| !value.is_empty())
}

/// What a page of the dealer's must send with every change, for a session.
pub fn csrf_token(sealer: &Sealer, tenant: TenantKey, session: Uuid) -> String {
    let whose = tenant.scoped(format_args!("csrf:{session}"));
    URL_SAFE_NO_PAD.encode(sealer.digest("csrf", whose.as_bytes()))
}

/// Refuses a request by cookie that changes something unless the dealer's own page made it.
///
/// # Errors
///
/// `csrf-refused`.
pub fn must_be_own_page(
    req: &HttpRequest,
    tenant: TenantKey,
    session: Uuid,
) -> Result<(), Problem> {
    if matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    if !is_same_origin(req) {
        return Err(refused("the request comes from a page of another origin"));
    }
    let expected = csrf_token(&AppState::of(req).sealer, tenant, session);
    let mut sent = req.headers().get_all(CSRF);
    let is_known = sent.next().is_some_and(|token| {
        verify_slices_are_equal(token.as_bytes(), expected.as_bytes()).is_ok()
    });
    if !is_known || sent.next().is_some() {
        return Err(refused("send the session's token as X-CSRF-Token"));
    }
    Ok(())
}

/// Refuses a WebSocket that a browser opens with our cookies unless the dealer's own page asks for it:
/// no rule of browsers keeps other pages from reading what comes through one.
///
/// # Errors
///
/// `csrf-refused`.
pub fn socket_must_be_own_pages(req: &HttpRequest) -> Result<(), Problem> {
    let is_by_cookie = !req.headers().contains_key(AUTHORIZATION);
    if is_by_cookie && !is_same_origin(req) {
        return Err(refused("the socket is opened by a page of another origin"));
    }
    Ok(())
}

fn refused(why: &str) -> Problem {
    Problem::new(Code::CsrfRefused).detail(why)
}

/// Whether the browser says that the page is of this host. One that says nothing is not believed.
fn is_same_origin(req: &HttpRequest) -> bool {
    let headers = req.headers();
    let mut origins = headers.get_all(ORIGIN);
    match (origins.next(), origins.next()) {
        (Some(origin), None) => {
            let scheme = AppState::of(req).config.http.public_scheme.name();
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            let host = host.or(req.uri().authority().map(|it| it.as_str()));
            let own = host.map(|host| format!("{scheme}://{host}"));
            own.is_some_and(|own| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()))
        }
        (None, _) => headers.get(SITE).is_some_and(|site| site == "same-origin"),
        (Some(_), Some(_)) => false,
    }
}

impl Answer {
    /// With both tokens as cookies.
    pub(super) fn keeping(
        self,
        access: &AccessToken,
        (refresh, until): (RefreshToken, OffsetDateTime),
        now: OffsetDateTime,
    ) -> Self {
        let rest = (until - now).whole_seconds();
        self.cookie(ACCESS, access.text.clone(), access.life_seconds)
            .cookie(REFRESH, refresh.into_wire(), rest)
    }

    /// Has the browser forget both tokens, if it has any.
    pub fn forgetting_tokens(self) -> Self {
        self.cookie(ACCESS, String::new(), 0)
            .cookie(REFRESH, String::new(), 0)
    }

    fn cookie(self, name: &'static str, value: String, life_seconds: i64) -> Self {
        let cookie = Cookie::build(name, value)
            .path("/")
            .secure(true)
            .http_only(true)
            .same_site(SameSite::Strict)
            .max_age(Duration::seconds(life_seconds))
            .finish();
        let value = HeaderValue::from_str(&cookie.to_string());
        self.header(SET_COOKIE, value.expect("our tokens are plain ASCII"))
    }
}
