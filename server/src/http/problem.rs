//! Errors on the wire: `application/problem+json` (RFC 9457).

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use sea_orm::DbErr;
use serde::Serialize;
use utoipa::ToSchema;

use super::code::Code;
use super::request::RequestId;
use super::security;
use crate::config::Scheme;
use crate::db::{DirectoryError, Failure, failure_of};

/// Seconds after which something passing is worth another try.
const RETRY_SECONDS: u64 = 2;

/// What went wrong, ready to be answered.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    /// On the heap, because every handler's result carries a problem and hardly one has it.
    more: Box<More>,
}

#[derive(Debug, Default)]
struct More {
    detail: Option<String>,
    errors: Vec<FieldError>,
    /// Seconds after which another try is worth it.
    retry_after: Option<u64>,
    /// Methods that would have been taken.
    allow: Option<String>,
    /// For the log only.
    cause: Option<String>,
    /// Known here only when no layer further out can tell it.
    during: Option<(RequestId, Scheme)>,
}

/// One field that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer to the field, such as `/price/per`.
    #[schema(example = "/price/per")]
    pub pointer: String,
    /// The rule, for programs.
    #[schema(example = "range")]
    pub code: String,
    /// How to mend it.
    pub message: String,
    /// Line of an uploaded file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemOut {
    /// Stable address of the kind of problem; it leads to an explanation.
    #[serde(rename = "type")]
    #[schema(example = "/problems/item-not-found")]
    kind: String,
    /// What it means, for people.
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// The same as `type`, for programs.
    #[schema(example = "item_not_found")]
    code: String,
    /// What is wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The fields that break their rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Tell it to support; it is also in the header `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Problem {
    /// A problem that says no more than its code.
    pub fn new(code: Code) -> Self {
        let is_passing = code.status() == StatusCode::SERVICE_UNAVAILABLE;
        let retry_after = is_passing.then_some(RETRY_SECONDS);
        Self {
            code,
            more: Box::new(More {
                retry_after,
                ..More::default()
            }),
        }
    }

    /// Our own failure: the cause goes to the log, nothing of it to the client.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(Code::Internal).because(cause)
    }

    /// Says what is wrong this time.
    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.more.detail = Some(detail.to_string());
        self
    }

    /// Names the fields that break their rules.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(Code::FieldsInvalid);
        problem.more.errors = errors;
        problem
    }

    /// Names one field that breaks its rule.
    pub fn field(pointer: &str, code: &str, message: impl fmt::Display) -> Self {
        Self::fields(vec![FieldError {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            message: message.to_string(),
            line: None,
        }])
    }

    /// Refuses somebody whose role lacks a permission.
    pub fn permission_denied(permission: &str) -> Self {
        Self::new(Code::PermissionDenied).detail(format!("this needs the permission {permission}"))
    }

    /// Names the field that it is about.
    pub fn about(mut self, pointer: &str, code: &str, message: impl fmt::Display) -> Self {
        self.more.errors.push(FieldError {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            message: message.to_string(),
            line: None,
        });
        self
    }

    /// Points to a line of an uploaded file, with the kind of fault.
    pub fn about_line(mut self, line: Option<u64>, kind: &str) -> Self {
        let message = match line {
            Some(line) => format!("see line {line}"),
            None => "see the file as a whole".to_owned(),
        };
        let (pointer, code) = ("/file".to_owned(), kind.to_owned());
        self.more.errors = vec![FieldError {
            pointer,
            code,
            message,
            line,
        }];
        self
    }

    /// Says when to try again.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.more.retry_after = Some(seconds);
        self
    }

    /// Says which methods the address takes.
    pub fn allow(mut self, methods: &str) -> Self {
        self.more.allow = Some(methods.to_owned());
        self
    }

    /// Tells the log more than the client.
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.more.cause = Some(cause.to_string());
        self
    }

    /// Names the request it happened in.
    pub(super) fn during(mut self, request_id: RequestId, public_scheme: Scheme) -> Self {
        self.more.during = Some((request_id, public_scheme));
        self
    }

    /// What a database error means to a client.
    pub fn database(error: &DbErr) -> Self {
        match failure_of(error) {
            Failure::Unavailable => Self::new(Code::Unavailable).because(error),
            Failure::Busy => Self::new(Code::TenantBusy),
            Failure::TimedOut => Self::new(Code::RequestTimedOut).because(error),
            Failure::Unstorable => Self::new(Code::FieldsInvalid)
                .detail("a text holds a character that can't be stored, such as NUL"),
            Failure::Conflict => Self::new(Code::Conflict).because(error),
            Failure::Constraint(_) | Failure::Unexpected => Self::internal(error),
        }
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What only the log may know.
    pub fn cause(&self) -> Option<&str> {
        self.more.cause.as_deref()
    }

    /// What it tells whoever asked, without the request.
    pub fn out(&self) -> ProblemOut {
        ProblemOut {
            kind: self.code.uri(),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            code: self.code.name(),
            detail: self.more.detail.clone(),
            errors: self.more.errors.clone(),
            request_id: None,
        }
    }

    /// The answer. An unknown host gets the very same body whatever the reason, so there the
    /// request id stays in its header.
    pub fn answer(&self, request_id: Option<&RequestId>) -> HttpResponse {
        let request_id = request_id.filter(|_| self.code != Code::TenantUnknown);
        let mut response = HttpResponse::build(self.code.status());
        if let Some(seconds) = self.more.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if let Some(methods) = &self.more.allow {
            response.insert_header((ALLOW, methods.as_str()));
        }
        if self.code.status() == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        let mut response = response.json(ProblemOut {
            request_id: request_id.map(ToString::to_string),
            ..self.out()
        });
        let media_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.title())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let Some((id, public_scheme)) = self.more.during else {
            return self.answer(None);
        };
        let mut response = self.answer(Some(&id));
        id.put_into(response.headers_mut());
        security::add_headers("", public_scheme, response.headers_mut());
        response
    }
}

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        Self::database(&error)
    }
}

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        Self::new(match error {
            DirectoryError::Provisioning => Code::TenantProvisioning,
            DirectoryError::Suspended => Code::TenantSuspended,
            DirectoryError::PastGrace => Code::TenantPastGrace,
            DirectoryError::Closing => Code::TenantClosing,
            DirectoryError::Closed => Code::TenantClosed,
            DirectoryError::SchemaTooOld => Code::TenantUpgrading,
            DirectoryError::NoLane => Code::Unavailable,
        })
    }
}
