//! Versions on the wire: `ETag` on what can change, `If-Match` on its change.

use actix_web::http::header::{ETAG, HeaderName, HeaderValue, IF_MATCH, TryIntoHeaderPair};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use std::future::{Ready, ready};

use super::code::Code;
use super::problem::Problem;

/// The version of what is answered, as a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag(pub i64);

impl TryIntoHeaderPair for ETag {
    type Error = actix_web::http::header::InvalidHeaderValue;

    fn try_into_pair(self) -> Result<(HeaderName, HeaderValue), Self::Error> {
        Ok((ETAG, HeaderValue::from_str(&format!("\"{}\"", self.0))?))
    }
}

/// The version a change is based on. Without it a change is refused: it could undo somebody
/// else's unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whatever is there.
    Any,
    /// Exactly this version.
    Version(i64),
}

impl IfMatch {
    /// The version to insist on, if any.
    pub fn version(self) -> Option<i64> {
        match self {
            Self::Any => None,
            Self::Version(version) => Some(version),
        }
    }

    /// The same where a change may do without: absent is fine, malformed is not.
    ///
    /// # Errors
    ///
    /// `precondition-failed` when it matches no version of ours.
    pub fn if_given(req: &HttpRequest) -> Result<Option<Self>, Problem> {
        match req.headers().get(IF_MATCH).map(HeaderValue::to_str) {
            Some(Ok(text)) => Self::parse(text).map(Some),
            Some(Err(_)) => Err(Problem::new(Code::PreconditionFailed)),
            None => Ok(None),
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        // A validator of another kind can't match any version of ours, nor one of other spelling.
        let version = text
            .trim()
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        version
            .and_then(|text| {
                let version: i64 = text.parse().ok()?;
                (version.to_string() == text).then_some(Self::Version(version))
            })
            .ok_or_else(|| Problem::new(Code::PreconditionFailed))
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = Self::if_given(req);
        ready(given.and_then(|given| given.ok_or_else(|| Problem::new(Code::PreconditionRequired))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_a_star_and_anything_else() {
        let parsed = |text| IfMatch::parse(text).map_err(|problem| problem.code());

        assert_eq!(parsed("\"7\""), Ok(IfMatch::Version(7)));
        assert_eq!(parsed("*"), Ok(IfMatch::Any));
        assert_eq!(parsed("W/\"7\""), Err(Code::PreconditionFailed));
        assert_eq!(parsed("seven"), Err(Code::PreconditionFailed));
        assert_eq!(parsed("\"+7\""), Err(Code::PreconditionFailed));
    }
}
