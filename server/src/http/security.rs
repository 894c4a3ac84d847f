//! What every answer tells browsers not to do with it.

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, CROSS_ORIGIN_OPENER_POLICY,
    CROSS_ORIGIN_RESOURCE_POLICY, HeaderMap, HeaderName, HeaderValue, PERMISSIONS_POLICY,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use crate::config::Scheme;

/// Where the documentation's page lies.
const DOCS: &str = "/api/docs";

/// Where the pages lie that links in messages lead to.
const ACCOUNT: &str = "/account/";

/// An answer of the API is data: nothing in it is ever to be run or loaded.
const OF_DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// Our own pages: one style sheet of ours, no script at all.
const OF_PAGES: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";
/// The documentation's page runs scripts of ours, asks our API, and draws its icons itself. One of
/// its scripts adds one style, known by its hash.
const OF_DOCS: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";
/// Pages of one's account run one script of ours, which asks our API.
const OF_ACCOUNT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Where developers look at messages, and what a message itself is shown with there: as little as a
/// mail program would let it do.
const DEV_MAIL: &str = "/dev/mail";
const OF_DEV_MAIL: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const OF_A_MESSAGE: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'self'; sandbox";
/// Two years, as browsers' own lists ask for.
const ALWAYS_TLS: &str = "max-age=63072000; includeSubDomains";
/// Every capability that browsers let a page renounce for itself and what it embeds.
const NO_CAPABILITIES: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), \
     encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
     publickey-credentials-create=(), publickey-credentials-get=(), screen-wake-lock=(), \
     serial=(), usb=(), web-share=(), xr-spatial-tracking=()";

/// The same for every answer.
const ALWAYS: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (PERMISSIONS_POLICY, NO_CAPABILITIES),
];

/// Puts them on the answer to a request for `path`.
pub(super) fn add_headers(path: &str, public_scheme: Scheme, headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = HeaderValue::from_static(policy(path, headers));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if is_message(path) {
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    }
    if public_scheme == Scheme::Https {
        let value = HeaderValue::from_static(ALWAYS_TLS);
        headers.insert(STRICT_TRANSPORT_SECURITY, value);
    }
}

fn policy(path: &str, headers: &HeaderMap) -> &'static str {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_page = kind.is_some_and(|kind| kind.starts_with(b"text/html"));
    match is_page {
        true if path.starts_with(DOCS) => OF_DOCS,
        true if path.starts_with(ACCOUNT) => OF_ACCOUNT,
        true if is_message(path) => OF_A_MESSAGE,
        true if path.starts_with(DEV_MAIL) => OF_DEV_MAIL,
        true => OF_PAGES,
        false => OF_DATA,
    }
}

fn is_message(path: &str) -> bool {
    path.strip_prefix(DEV_MAIL)
        .is_some_and(|rest| rest.ends_with("/html"))
}
