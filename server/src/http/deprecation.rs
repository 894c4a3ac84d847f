//! Tells clients that an operation will go away: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and
//! a link to what to use instead.

use std::collections::HashMap;

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, LINK};
use actix_web::{HttpMessage, HttpRequest, web};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use utoipa::openapi::OpenApi;

use super::limits::Subject;
use crate::deprecations::Caller;
use crate::state::AppState;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// The date of HTTP (RFC 9110).
const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// The names of operations by method and pattern.
#[derive(Debug)]
pub struct Operations(HashMap<(Method, String), String>);

impl Operations {
    /// The operations of these documents.
    pub fn of<'a>(documents: impl IntoIterator<Item = &'a OpenApi>) -> Self {
        let mut names = HashMap::new();
        let paths = documents.into_iter().flat_map(|one| &one.paths.paths);
        for (path, item) in paths {
            for (method, operation) in [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ] {
                let name = operation.as_ref().and_then(|one| one.operation_id.clone());
                names.extend(name.map(|name| ((method, path.clone()), name)));
            }
        }
        Self(names)
    }

    fn name(&self, req: &HttpRequest) -> Option<&str> {
        let key = (req.method().clone(), req.match_pattern()?);
        self.0.get(&key).map(String::as_str)
    }
}

/// Says so on the answer, and counts the call.
pub(super) fn add_headers(req: &HttpRequest, headers: &mut HeaderMap) {
    let deprecations = &AppState::of(req).deprecations;
    let operations = req.app_data::<web::Data<Operations>>();
    let Some(operations) = operations.filter(|_| !deprecations.is_empty()) else {
        return;
    };
    let Some(operation) = operations.name(req).and_then(|name| deprecations.of(name)) else {
        return;
    };
    deprecations.seen(&operation.operation, caller(req));
    let since = format!("@{}", operation.deprecated_at.unix_timestamp());
    let link = format!("<{}>; rel=\"deprecation\"", operation.link);
    for (name, value) in [
        (DEPRECATION, since),
        (SUNSET, http_date(operation.sunset_at)),
        (LINK, link),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(name, value);
        }
    }
}

fn caller(req: &HttpRequest) -> Caller {
    match req.extensions().get::<Subject>() {
        None | Some(Subject::Anonymous(_)) => Caller::Anonymous,
        Some(Subject::Member { .. }) => Caller::Member,
        Some(Subject::ApiKey { tenant, key, .. }) => Caller::ApiKey(*tenant, *key),
        Some(Subject::Operator(_)) => Caller::Operator,
    }
}

fn http_date(moment: OffsetDateTime) -> String {
    moment.format(&HTTP_DATE).unwrap_or_default()
}
