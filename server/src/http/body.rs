//! JSON bodies: read, checked, and refused field by field.

use actix_web::error::JsonPayloadError;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::code::Code;
use super::problem::{FieldError, Problem};
use crate::state::AppState;

/// A body that has been read and keeps its type's rules.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = AppState::of(req).config.http.body_limit_kib * 1024;
        let body = actix_web::dev::JsonBody::<T>::new(req, payload, None, true).limit(limit);
        Box::pin(async move {
            let value = body.await.map_err(|error| unreadable(&error))?;
            value
                .validate()
                .map_err(|errors| Problem::fields(fields_of(&errors)))?;
            Ok(Self(value))
        })
    }
}

fn unreadable(error: &JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::Overflow { limit }
        | JsonPayloadError::OverflowKnownLength { limit, .. } => {
            Problem::new(Code::BodyTooLarge).detail(format!("at most {limit} bytes are taken"))
        }
        JsonPayloadError::ContentType => {
            Problem::new(Code::MediaTypeUnsupported).detail("send application/json")
        }
        JsonPayloadError::Deserialize(cause) if cause.is_data() => {
            Problem::field("", "shape", cause)
        }
        other => Problem::new(Code::BodyInvalid).detail(other),
    }
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
