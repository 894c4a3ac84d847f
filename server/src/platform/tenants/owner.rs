//! A tenant's first owner: invited when it is made, and again when that came to nothing.

use ::entity::tenant::member;
use actix_web::{HttpRequest, HttpResponse, post};
use provisioner::InvitationToken;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::Named;
use crate::audit::{Actor, Change, Stamp};
use crate::auth::{AuthError, Invited, offer, open_to, renew};
use crate::db::{Address, Found, TenantDb, TenantTx};
use crate::events;
use crate::http::{Body, Code, Problem, ProblemOut, RequestId, client_address};
use crate::kernel::{Email, TenantKey};
use crate::mail::{Occasion, To};
use crate::platform::operator::Operator;
use crate::platform::permission::ChangeTenants;
use crate::state::AppState;

/// The route that invites again.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(invite_again);
}

/// Who is to be the owner.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnerInvitationIn {
    #[validate(length(min = 3, max = 320))]
    #[schema(example = "owner@acme.example")]
    email: String,
    /// How to address them.
    #[validate(length(min = 1, max = 120))]
    name: Option<String>,
}

/// An invitation that was made.
#[derive(Serialize, ToSchema)]
struct OwnerInvitationOut {
    email: String,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// What it is accepted with, told this once; null where a message with it is on its way.
    #[schema(required)]
    token: Option<String>,
}

/// Why nobody was invited.
enum Refusal {
    Present,
    Auth(AuthError),
}

/// Invite the owner again
///
/// For as long as the tenant has no owner who can sign in: after that, owners invite whom they want.
/// A token that was sent to the same address before is void.
#[utoipa::path(tag = "platform", operation_id = "invite_owner", request_body = OwnerInvitationIn,
    params(("tenant" = String, Path, description = "Id or slug")),
    security(("bearer" = [])), responses(
        (status = 201, body = OwnerInvitationOut),
        (status = 404, body = ProblemOut, content_type = "application/problem+json"),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/tenants/{tenant}/owner-invitation")]
async fn invite_again(
    req: HttpRequest,
    who: Operator<ChangeTenants>,
    tenant: Named,
    body: Body<OwnerInvitationIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let email = Email::parse(&body.0.email);
    let email = email.map_err(|error| Problem::field("/email", "shape", error))?;
    let name = body.0.name.unwrap_or_default();
    let db = door(state, &tenant).await?;
    let stamp = Stamp {
        actor: Actor::Operator { id: who.id() },
        request_id: RequestId::of(&req).map(|id| id.to_string()),
        address: client_address(&req).map(|address| address.to_string()),
        at: state.clock.now(),
    };
    let invited = invited(&email, &name);
    let (life, key) = (life(state), db.tenant().key());
    let token = db
        .write(async |tx| {
            let token = invite_within(tx, &invited, life, &stamp).await?;
            post(state, (key, tx), (&email, &name), &token).await?;
            Ok::<_, Refusal>(token)
        })
        .await?;
    Ok(HttpResponse::Created().json(OwnerInvitationOut {
        token: told(state, &token),
        email: email.to_string(),
        expires_at: stamp.at + life,
    }))
}

/// Until when an invitation that is made now stands.
pub(super) fn expiry(state: &AppState) -> OffsetDateTime {
    state.clock.now() + life(state)
}

/// The token, where no messages are sent: then it is to be told instead.
pub(super) fn told(state: &AppState, token: &InvitationToken) -> Option<String> {
    let is_told = state.mailer.is_off();
    is_told.then(|| token.as_str().to_owned())
}

/// Puts down a message with an owner's token.
///
/// # Errors
///
/// When the database refuses.
pub(super) async fn post(
    state: &AppState,
    (key, tx): (TenantKey, &TenantTx),
    (email, name): (&Email, &str),
    token: &InvitationToken,
) -> Result<(), DbErr> {
    let occasion = Occasion::Invitation {
        token: token.as_str().to_owned(),
        by: None,
        days: state.config.auth.invitation_days,
    };
    let to = To {
        email: Some(email),
        name,
        ..To::default()
    };
    let outbox = state.mailer.of(key);
    outbox.post(tx, to, occasion, state.clock.now()).await
}

async fn door(state: &AppState, named: &str) -> Result<TenantDb, Problem> {
    let address = match named.parse::<Uuid>() {
        Ok(id) => Address::Id(id),
        Err(_) => Address::Slug(named.to_owned()),
    };
    match state.directory.find(&address).await {
        Found::Tenant(tenant) => Ok(state.directory.enter(&tenant)?),
        Found::Nobody => Err(Problem::new(Code::TenantNotFound)),
        Found::NotReady => Err(Problem::new(Code::Unavailable)),
    }
}

async fn invite_within(
    tx: &TenantTx,
    invited: &Invited,
    life: Duration,
    stamp: &Stamp,
) -> Result<InvitationToken, Refusal> {
    let owner = member::Entity::find()
        .filter(member::Column::Role.eq(member::Role::Owner))
        .filter(member::Column::RoleId.is_null())
        .filter(member::Column::Status.eq(member::Status::Active));
    if owner.one(tx).await?.is_some() {
        return Err(Refusal::Present);
    }
    let (invitation, token) = match open_to(tx, &invited.email).await? {
        Some(open) if open.role == invited.role => renew(tx, open, life, stamp.at).await?,
        _ => offer(tx, invited, life, stamp.at).await?,
    };
    let record = Change::new("invitation.create", "invitation", invitation.id)
        .after(&json!({ "email": invitation.email, "role": "owner" }));
    events::record(tx, stamp, &record).await?;
    Ok(token)
}

fn invited(email: &Email, name: &str) -> Invited {
    Invited {
        email: email.clone(),
        name: name.trim().to_owned(),
        role: member::Role::Owner,
        role_id: None,
        branch_id: None,
        by: None,
    }
}

fn life(state: &AppState) -> Duration {
    Duration::days(state.config.auth.invitation_days.into())
}

impl From<DbErr> for Refusal {
    fn from(error: DbErr) -> Self {
        Self::Auth(error.into())
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Present => Self::new(Code::OwnerPresent),
            Refusal::Auth(error) => error.into(),
        }
    }
}
