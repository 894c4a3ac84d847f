//! Mail that came back: told by whoever reads the mailbox that bounces go to, or by a mail provider's
//! hook through an operator's login.

use std::sync::Arc;

use actix_web::{HttpRequest, post, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::operator::Operator;
use super::permission::RecordBounces;
use crate::audit::{Actor, Change, Stamp};
use crate::db::{Address, Found, Memberships, TenantDb};
use crate::events;
use crate::http::{Body, Code, Problem, ProblemOut, RequestId, client_address};
use crate::kernel::Email;
use crate::mail;
use crate::state::AppState;

/// The route of bounces.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(record);
}

/// Mail that came back.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct BounceIn {
    #[validate(length(min = 3, max = 320))]
    #[schema(example = "olga@acme.example")]
    address: String,
    kind: BounceKind,
    /// When it came back; a time to come counts as now.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// Why it came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum BounceKind {
    /// The address takes no mail.
    Permanent,
    /// It could not be delivered this time: nobody is marked.
    Transient,
    /// Whoever got it says that it is unwanted.
    Complaint,
}

/// What was noted.
#[derive(Serialize, ToSchema)]
struct BounceOut {
    /// Dealers at which a member has been marked by this request; those marked before are not counted.
    marked: u64,
}

/// Say that mail came back
///
/// Members who have the address, at the dealers where it is known, are written to no more, but for
/// what is about the safety of their account. The mark goes when they confirm their address. Saying
/// the same again changes nothing.
#[utoipa::path(tag = "platform", operation_id = "record_mail_bounce", request_body = BounceIn,
    security(("bearer" = [])), responses(
        (status = 200, body = BounceOut),
        (status = 422, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/mail-bounces")]
async fn record(
    req: HttpRequest,
    who: Operator<RecordBounces>,
    body: Body<BounceIn>,
) -> Result<web::Json<BounceOut>, Problem> {
    let state = AppState::of(&req);
    let address = Email::parse(&body.0.address);
    let address = address.map_err(|error| Problem::field("/address", "shape", error))?;
    if body.0.kind == BounceKind::Transient {
        return Ok(web::Json(BounceOut { marked: 0 }));
    }
    let stamp = Stamp {
        actor: Actor::Operator { id: who.id() },
        request_id: RequestId::of(&req).map(|id| id.to_string()),
        address: client_address(&req).map(|address| address.to_string()),
        at: state.clock.now(),
    };
    let bounce = (&address, body.0.kind, body.0.at.min(stamp.at));
    let digest = Memberships::digest(&state.sealer, address.as_str());
    let mut marked = 0;
    for id in state.memberships.of(&digest).await? {
        if let Some(db) = door(state, id).await? {
            marked += u64::from(mark(&db, bounce, &stamp).await?);
        }
    }
    Ok(web::Json(BounceOut { marked }))
}

/// Nothing where the dealer is closed or not to be written to: it writes to nobody either.
async fn door(state: &AppState, id: Uuid) -> Result<Option<TenantDb>, Problem> {
    match state.directory.find(&Address::Id(id)).await {
        Found::Tenant(tenant) => Ok(Arc::clone(&state.directory).enter(&tenant).ok()),
        Found::Nobody => Ok(None),
        Found::NotReady => Err(Problem::new(Code::Unavailable)),
    }
}

async fn mark(
    db: &TenantDb,
    (address, kind, at): (&Email, BounceKind, OffsetDateTime),
    stamp: &Stamp,
) -> Result<bool, Problem> {
    let marked = db.write(async |tx| {
        let Some(member) = mail::comes_back(tx, address, at).await? else {
            return Ok(false);
        };
        let change =
            Change::new("member.mail_bounce", "member", member).after(&json!({ "kind": kind }));
        events::record(tx, stamp, &change).await?;
        Ok(true)
    });
    marked.await.map_err(|error| Problem::database(&error))
}
