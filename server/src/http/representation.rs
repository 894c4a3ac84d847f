//! In which form an answer goes out: not at all when the client has it already, compressed when it
//! is large and holds no secret.

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Answers smaller than this gain nothing by being compressed, bytes.
const WORTH_COMPRESSING: u64 = 1024;
/// Where answers hold secrets or are about who somebody is: nobody keeps them, and their length
/// tells nothing of what is in them.
const PRIVATE: [&str; 4] = [
    "/api/v1/auth",
    "/api/v1/me",
    "/platform/v1/auth",
    "/platform/v1/me",
];
/// Says to the layer around this one that the body is to stay as it is.
const AS_IT_IS: HeaderValue = HeaderValue::from_static("identity");
const REVALIDATED: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Answers a reading with 304 when the client has it already, and decides what is compressed.
/// What has no version of its own gets one made of its body. A handler that says itself how long
/// its answer may be kept, as with a secret, is left alone.
///
/// # Errors
///
/// None of its own.
pub async fn represent(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let may_be_kept = is_reading && may_be_kept(request.path());
    let mut response = next.call(request).await?.map_into_boxed_body();
    let may_be_kept = may_be_kept
        && response.status() == StatusCode::OK
        && is_json(response.headers())
        && !response.headers().contains_key(CACHE_CONTROL);
    if may_be_kept {
        response = with_version(response);
        response.headers_mut().insert(CACHE_CONTROL, REVALIDATED);
        if client_has(&response) {
            return Ok(not_modified(response));
        }
    }
    if !is_worth_compressing(&response) && !response.headers().contains_key(CONTENT_ENCODING) {
        response.headers_mut().insert(CONTENT_ENCODING, AS_IT_IS);
    }
    Ok(response)
}

/// Takes off what was only said between our own layers.
pub(super) fn tidy(headers: &mut HeaderMap) {
    if headers.get(CONTENT_ENCODING) == Some(&AS_IT_IS) {
        headers.remove(CONTENT_ENCODING);
    }
}

/// Whether an answer may be kept by the client it was made for.
fn may_be_kept(path: &str) -> bool {
    let is_ours = path.starts_with("/api/") || path.starts_with("/platform/");
    is_ours && !PRIVATE.iter().any(|root| is_at_or_below(path, root))
}

fn is_at_or_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/json"))
}

/// A version made of the body is a weak one: it says that the rows are the same, not that they
/// could be changed on its ground.
fn with_version(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    if response.headers().contains_key(ETAG) {
        return response;
    }
    let (req, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) => {
            let hash = Sha256::digest(&bytes);
            let text = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&hash[..16]));
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers_mut().insert(ETAG, value);
            }
            BoxBody::new(bytes)
        }
        Err(stream) => stream,
    };
    ServiceResponse::new(req, response.set_body(body))
}

/// Compares as RFC 9110 says for readings: weak and strong are the same, `*` is anything.
fn client_has(response: &ServiceResponse<BoxBody>) -> bool {
    let Some(Ok(version)) = response.headers().get(ETAG).map(HeaderValue::to_str) else {
        return false;
    };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let version = opaque(version);
    let had = response.request().headers().get_all(IF_NONE_MATCH);
    had.filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == version)
}

fn not_modified(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let mut response = response.map_body(|head, _| {
        head.status = StatusCode::NOT_MODIFIED;
        BoxBody::new(())
    });
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.remove(CONTENT_LENGTH);
    response
}

/// Only readings that may be kept, so that nothing is compressed that was told once. A strong
/// version names these very bytes, so they stay.
fn is_worth_compressing(response: &ServiceResponse<BoxBody>) -> bool {
    let version = response.headers().get(ETAG).map(HeaderValue::as_bytes);
    let is_weak = version.is_some_and(|version| version.starts_with(b"W/"));
    let is_large = match response.response().body().size() {
        BodySize::Sized(bytes) => bytes >= WORTH_COMPRESSING,
        BodySize::None | BodySize::Stream => false,
    };
    is_weak && is_large
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_somebody_is_not_kept() {
        for path in ["/api/v1/auth/sign-in", "/api/v1/me", "/platform/v1/me", "/"] {
            assert!(!may_be_kept(path), "{path}");
        }
        for path in ["/api/v1/items", "/api/v1/merchants", "/api/openapi.json"] {
            assert!(may_be_kept(path), "{path}");
        }
    }
}
