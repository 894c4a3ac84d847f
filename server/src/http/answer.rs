//! An answer as a value: made within the transaction of what it tells, kept for a request that is
//! sent again, and turned into a response at the edge.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, TryIntoHeaderPair};
use serde::Serialize;

use super::etag::ETag;
use super::problem::Problem;
use crate::audit::Change;

/// What a write answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Vec<u8>,
    pub(super) is_secret: bool,
}

/// What a write did, and what it answers: one record and one answer, no more and no less.
#[derive(Debug)]
pub struct Done {
    pub(super) change: Change,
    pub(super) ending: Ending,
}

/// How a write that is committed ends for whoever asked.
#[derive(Debug)]
pub(super) enum Ending {
    Answered(Answer),
    /// They are refused, and yet something was done: a failed attempt was counted, say.
    Refused(Problem),
}

impl Done {
    /// What was done, and what is answered.
    pub fn new(change: Change, answer: Answer) -> Self {
        Self {
            change,
            ending: Ending::Answered(answer),
        }
    }

    /// What was done although the request is refused. It is committed and goes on record, and
    /// nothing is kept for a request that is sent again: it is judged anew.
    pub fn refusing(change: Change, problem: impl Into<Problem>) -> Self {
        Self {
            change,
            ending: Ending::Refused(problem.into()),
        }
    }
}

impl Answer {
    /// 200 with a body.
    ///
    /// # Panics
    ///
    /// Never for what is made of plain values.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::with_body(StatusCode::OK, body)
    }

    /// 201 with a body and the address of what was made.
    ///
    /// # Panics
    ///
    /// As [`Answer::ok`], and for an address that is no header's value.
    pub fn created(location: &str, body: &impl Serialize) -> Self {
        let location = HeaderValue::from_str(location).expect("an address of ours is plain ASCII");
        Self::with_body(StatusCode::CREATED, body).header(LOCATION, location)
    }

    /// 202 with a body: it is not over yet.
    ///
    /// # Panics
    ///
    /// As [`Answer::ok`].
    pub fn accepted(body: &impl Serialize) -> Self {
        Self::with_body(StatusCode::ACCEPTED, body)
    }

    /// 204.
    pub fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            headers: Vec::new(),
            body: Vec::new(),
            is_secret: false,
        }
    }

    /// With the version of what is told.
    ///
    /// # Panics
    ///
    /// Never: a number is a header's value.
    pub fn version(self, version: i64) -> Self {
        let (name, value) = ETag(version).try_into_pair().expect("a number is plain");
        self.header(name, value)
    }

    /// With one more header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same headers, but instead of its body the way to somewhere else.
    ///
    /// # Panics
    ///
    /// As [`Answer::ok`], and for an address that is no header's value.
    pub fn see_other(mut self, location: &str) -> Self {
        let location = HeaderValue::from_str(location).expect("an address of ours is plain ASCII");
        self.status = StatusCode::SEE_OTHER;
        self.body = Vec::new();
        self.headers.retain(|(name, _)| name != CONTENT_TYPE);
        self.header(LOCATION, location)
    }

    /// It tells a secret once: what is kept of it is sealed.
    pub fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// 200 with JSON that is there already.
    pub fn json(body: Vec<u8>) -> Self {
        Self::of_json(StatusCode::OK, body)
    }

    fn with_body(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("an answer is made of plain values");
        Self::of_json(status, body)
    }

    fn of_json(status: StatusCode, body: Vec<u8>) -> Self {
        let json = HeaderValue::from_static("application/json");
        Self {
            status,
            headers: vec![(CONTENT_TYPE, json)],
            body,
            is_secret: false,
        }
    }

    /// As it goes on the wire.
    pub fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for pair in self.headers {
            response.append_header(pair);
        }
        response.body(self.body)
    }
}

/// Lets a handler's closure say `?` on problems of its own and still end with an answer.
impl From<Answer> for Result<HttpResponse, Problem> {
    fn from(answer: Answer) -> Self {
        Ok(answer.into_response())
    }
}
