//! Operators replace the keys that access tokens are signed with before their time.

use actix_web::{HttpRequest, post, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::operator::Operator;
use super::permission::RotateKeys;
use crate::auth::{Because, Rotated};
use crate::db::SecurityEvent;
use crate::http::{Body, Problem, ProblemOut, RequestId};
use crate::state::AppState;

/// The routes of signing keys.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(rotate);
}

/// Why keys are replaced.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct RotationIn {
    because: Reason,
}

/// Why keys are replaced.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    /// Somebody wants it: the new key is known for some minutes before it signs, and no token
    /// becomes void.
    Wanted,
    /// Somebody else may have the old ones: every access token is void, and refresh tokens bring
    /// new ones.
    Compromised,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
struct KeyOut {
    /// Its name in tokens.
    kid: String,
    /// When it begins to sign.
    #[serde(with = "time::serde::rfc3339")]
    signs_from: OffsetDateTime,
}

/// Replace the signing keys
///
/// Keys are replaced by themselves when their time is over; this does it at once. Servers know of
/// it within `auth.signing_poll_ms`.
#[utoipa::path(tag = "platform", operation_id = "rotate_signing_keys", request_body = RotationIn,
    security(("bearer" = [])), responses(
    (status = 200, body = KeyOut),
    (status = 401, body = ProblemOut, content_type = "application/problem+json"),
    (status = 403, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/signing-keys/rotate")]
async fn rotate(
    req: HttpRequest,
    who: Operator<RotateKeys>,
    body: Body<RotationIn>,
) -> Result<web::Json<KeyOut>, Problem> {
    let reason = body.0.because;
    let rotated = who.platform().keys.rotate(reason.into()).await?;
    AppState::of(&req).security.record(SecurityEvent {
        tenant: None,
        kind: "signing_keys_rotated",
        detail: json!({ "operator": who.id(), "because": reason, "kid": rotated.kid }),
        request_id: RequestId::of(&req).map(|id| id.to_string()),
    });
    Ok(web::Json(rotated.into()))
}

impl From<Reason> for Because {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Wanted => Self::Wanted,
            Reason::Compromised => Self::Compromised,
        }
    }
}

impl From<Rotated> for KeyOut {
    fn from(rotated: Rotated) -> Self {
        Self {
            kid: rotated.kid,
            signs_from: rotated.signs_from,
        }
    }
}
