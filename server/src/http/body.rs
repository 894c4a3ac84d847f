//! JSON bodies: read, checked, and refused field by field.

use std::time::Duration;

use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use futures_util::TryStreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use sha2::{Digest, Sha256};
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::code::Code;
use super::idempotency::BodyDigest;
use super::problem::{FieldError, Problem};
use crate::state::AppState;

/// A body that has been read and keeps its type's rules.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = req.mime_type().ok().flatten().is_some_and(|kind| {
            kind.subtype() == "json" || kind.suffix().is_some_and(|suffix| suffix == "json")
        });
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let config = &AppState::of(&req).config.http;
            let limit = config.body_limit_kib * 1024;
            let patience = Duration::from_millis(config.body_timeout_ms);
            if !is_json {
                return Err(
                    Problem::new(Code::MediaTypeUnsupported).detail("send application/json")
                );
            }
            // A body that trickles holds nothing but its own connection: no door is open yet.
            let body = tokio::time::timeout(patience, collected(payload, limit))
                .await
                .map_err(|_| Problem::new(Code::BodyTooSlow))??;
            let digest = BodyDigest(Sha256::digest(&body).into());
            req.extensions_mut().insert(digest);
            let value: T = parsed(&body)?;
            value
                .validate()
                .map_err(|errors| Problem::fields(fields_of(&errors)))?;
            Ok(Self(value))
        })
    }
}

async fn collected(mut payload: Payload, limit: usize) -> Result<BytesMut, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload
        .try_next()
        .await
        .map_err(|error| Problem::new(Code::BodyInvalid).detail(error))?
    {
        if body.len() + chunk.len() > limit {
            let detail = format!("at most {limit} bytes are taken");
            return Err(Problem::new(Code::BodyTooLarge).detail(detail));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Tells broken JSON (400) from JSON of another shape than asked for (422, with the field).
///
/// A list is refused, because serde would take it for the fields in their order.
fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::field("", "shape", "send an object, not a list"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        if error.inner().is_data() {
            Problem::field(&pointer_of(error.path()), "shape", error.inner())
        } else {
            Problem::new(Code::BodyInvalid).detail(error.inner())
        }
    })?;
    deserializer
        .end()
        .map_err(|error| Problem::new(Code::BodyInvalid).detail(error))?;
    Ok(value)
}

fn pointer_of(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } | Segment::Enum { variant: key } => key.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

/// Field, rule and bounds of every broken rule. The value is not told, and neither are the
/// parameters as a whole: they hold the value.
fn fields_of(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut found = Vec::new();
    gather(errors, "", &mut found);
    found.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    found
}

fn gather(errors: &ValidationErrors, path: &str, found: &mut Vec<FieldError>) {
    for (field, kind) in errors.errors() {
        let pointer = format!("{path}/{field}");
        match kind {
            ValidationErrorsKind::Struct(inner) => gather(inner, &pointer, found),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    gather(inner, &format!("{pointer}/{index}"), found);
                }
            }
            ValidationErrorsKind::Field(broken) => {
                found.extend(broken.iter().map(|error| FieldError {
                    pointer: pointer.clone(),
                    code: error.code.to_string(),
                    message: message_of(error),
                    line: None,
                }));
            }
        }
    }
}

fn message_of(error: &validator::ValidationError) -> String {
    if let Some(message) = &error.message {
        return message.to_string();
    }
    let bound = |name: &str| error.params.get(name).map(ToString::to_string);
    let what = if error.code == "length" {
        "its length must be"
    } else {
        "it must be"
    };
    match (bound("min"), bound("max")) {
        (Some(min), Some(max)) => format!("{what} between {min} and {max}"),
        (Some(min), None) => format!("{what} at least {min}"),
        (None, Some(max)) => format!("{what} at most {max}"),
        (None, None) => format!("it breaks the rule `{}`", error.code),
    }
}
