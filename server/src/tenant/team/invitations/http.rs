//! `/invitations`, and accepting one.

use ::entity::tenant::invitation::Model;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use sea_orm::ActiveEnum;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::acceptance::{self, Acceptance};
use super::service::{self, NewInvitation};
use crate::audit::Change;
use crate::auth::{InvitationToken, ManageMembers};
use crate::db::TenantTx;
use crate::http::{
    Answer, Body, Dealer, Done, Fields, Listing, Member, PageOut, PageQuery, Problem, ProblemOut,
    TokensOut,
};
use crate::kernel::Email;
use crate::mail::{Occasion, To};
use crate::state::AppState;
use crate::tenant::team::assignment::{Assignment, is_role, role_named};
use crate::tenant::team::error::TeamError;
use crate::tenant::team::name::person_name;
use crate::tenant::team::reach::Reach;

/// The routes of invitations.
pub(in crate::tenant::team) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(resend)
        .service(revoke)
        .service(accept);
}

/// Somebody to be asked.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = has_one_role))]
struct InvitationIn {
    #[validate(length(min = 3, max = 320))]
    #[schema(example = "olga@acme.example")]
    email: String,
    /// How to address them; they may change it when they accept.
    #[validate(custom(function = person_name))]
    name: Option<String>,
    /// Built-in role; this or `role_id`.
    #[validate(custom(function = is_role))]
    #[schema(example = "sales")]
    role: Option<String>,
    /// Role of your own.
    role_id: Option<Uuid>,
    branch_id: Option<Uuid>,
}

/// An invitation that has not been accepted.
#[derive(Serialize, ToSchema)]
struct InvitationOut {
    id: Uuid,
    email: String,
    /// May be empty.
    name: String,
    /// Built-in role, such as `sales`.
    role: String,
    /// Role of your own, which counts in place of the built-in one.
    #[schema(required)]
    role_id: Option<Uuid>,
    #[schema(required)]
    branch_id: Option<Uuid>,
    /// Member who invited them; null for a first owner.
    #[schema(required)]
    invited_by: Option<Uuid>,
    /// The ETag's number.
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// After this it can't be accepted, but sent again.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// What somebody who was invited says.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptanceIn {
    /// From the message.
    #[validate(length(min = 1, max = 200))]
    #[schema(example = "tbxi_q8pX5cF0…")]
    token: String,
    /// The name of the invitation when absent.
    #[validate(custom(function = person_name))]
    name: Option<String>,
    /// 10 to 128 characters, and not easily guessed.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// List invitations
///
/// Those that were neither accepted nor taken back.
#[utoipa::path(tag = "team", operation_id = "list_invitations", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<InvitationOut>)))]
#[get("/invitations")]
async fn list(
    req: HttpRequest,
    who: Member<ManageMembers>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (list, reach) = (Listing::of(&req), Reach::of(&who.principal, who.scope));
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<InvitationOut>(page.fields.as_deref())?;
    let page = who
        .db
        .read(async |tx| service::list(tx, &reach, limit, cursor.clone()).await)
        .await?;
    list.answer::<InvitationOut>(page, &fields)
}

/// Invite somebody
///
/// They get a message with a link that works once. Nobody invites to more than they hold.
#[utoipa::path(tag = "team", operation_id = "create_invitation", request_body = InvitationIn,
    security(("bearer" = [])), responses(
    (status = 201, body = InvitationOut),
    (status = 403, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/invitations")]
async fn create(
    req: HttpRequest,
    who: Member<ManageMembers>,
    body: Body<InvitationIn>,
) -> Result<HttpResponse, Problem> {
    let new = NewInvitation::try_from(body.0)?;
    let reach = Reach::of(&who.principal, who.scope);
    let (life, now) = (life(&req), AppState::of(&req).clock.now());
    who.write(async |tx| {
        let (invitation, token) = service::create(tx, &reach, &new, life, now).await?;
        post_letter(&req, &who, tx, (&invitation, &token)).await?;
        let shown = InvitationOut::from(invitation);
        let address = format!("/api/v1/invitations/{}", shown.id);
        let answer = Answer::created(&address, &shown).version(shown.version);
        let record = Change::new("invitation.create", "invitation", shown.id).after(&shown);
        Ok::<_, TeamError>(Done::new(record, answer))
    })
    .await
}

/// Send an invitation again
///
/// With a new link, good for the whole time; the old one is void.
#[utoipa::path(tag = "team", operation_id = "resend_invitation", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = InvitationOut),
    (status = 403, body = ProblemOut, content_type = "application/problem+json"),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/invitations/{id}/resend")]
async fn resend(
    req: HttpRequest,
    who: Member<ManageMembers>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let reach = Reach::of(&who.principal, who.scope);
    let (life, now) = (life(&req), AppState::of(&req).clock.now());
    who.write(async |tx| {
        let (invitation, token) = service::resend(tx, &reach, *id, life, now).await?;
        post_letter(&req, &who, tx, (&invitation, &token)).await?;
        let shown = InvitationOut::from(invitation);
        let answer = Answer::ok(&shown).version(shown.version);
        let record = Change::new("invitation.resend", "invitation", shown.id).after(&shown);
        Ok::<_, TeamError>(Done::new(record, answer))
    })
    .await
}

/// Take an invitation back
#[utoipa::path(tag = "team", operation_id = "revoke_invitation", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 204),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[delete("/invitations/{id}")]
async fn revoke(
    req: HttpRequest,
    who: Member<ManageMembers>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (reach, now) = (
        Reach::of(&who.principal, who.scope),
        AppState::of(&req).clock.now(),
    );
    who.write(async |tx| {
        let revoked = InvitationOut::from(service::revoke(tx, &reach, *id, now).await?);
        let record = Change::new("invitation.revoke", "invitation", revoked.id).before(&revoked);
        Ok::<_, TeamError>(Done::new(record, Answer::no_content()))
    })
    .await
}

/// Accept an invitation
///
/// Whoever holds the token becomes a member and is signed in.
#[utoipa::path(tag = "auth", operation_id = "accept_invitation", request_body = AcceptanceIn,
    responses(
    (status = 200, body = TokensOut),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
    (status = 403, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/accept-invitation")]
async fn accept(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<AcceptanceIn>,
) -> Result<HttpResponse, Problem> {
    let acceptance = Acceptance {
        token: InvitationToken::from_wire(body.0.token),
        name: body.0.name.map(|name| name.trim().to_owned()),
        password: body.0.password,
    };
    acceptance::accept(&req, &dealer, acceptance).await
}

fn life(req: &HttpRequest) -> Duration {
    Duration::days(AppState::of(req).config.auth.invitation_days.into())
}

async fn post_letter(
    req: &HttpRequest,
    who: &Member<ManageMembers>,
    tx: &TenantTx,
    (invitation, token): (&Model, &InvitationToken),
) -> Result<(), TeamError> {
    let state = AppState::of(req);
    let occasion = Occasion::Invitation {
        token: token.as_str().to_owned(),
        by: Some(who.person().name.clone()),
        days: state.config.auth.invitation_days,
    };
    // An address from before addresses were looked at so closely may be one that nobody can write to.
    let email = Email::parse(&invitation.email).ok();
    let to = To {
        email: email.as_ref(),
        name: &invitation.name,
        ..To::default()
    };
    let outbox = state.mailer.of(who.db.tenant().key());
    Ok(outbox.post(tx, to, occasion, state.clock.now()).await?)
}

fn has_one_role(body: &InvitationIn) -> Result<(), ValidationError> {
    match (&body.role, body.role_id) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        _ => Err(ValidationError::new("role").with_message("give either role or role_id".into())),
    }
}

impl TryFrom<InvitationIn> for NewInvitation {
    type Error = TeamError;

    fn try_from(body: InvitationIn) -> Result<Self, TeamError> {
        let email =
            Email::parse(&body.email).map_err(|error| TeamError::NoEmail("/email", error))?;
        let assignment = match (body.role_id, body.role.as_deref().and_then(role_named)) {
            (Some(own), _) => Assignment::own(own),
            (None, Some(role)) => Assignment::built_in(role),
            (None, None) => return Err(TeamError::UnknownRole),
        };
        Ok(Self {
            email,
            name: body
                .name
                .map_or_else(String::new, |name| name.trim().to_owned()),
            assignment,
            branch_id: body.branch_id,
        })
    }
}

impl From<Model> for InvitationOut {
    fn from(invitation: Model) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            name: invitation.name,
            role: invitation.role.to_value(),
            role_id: invitation.role_id,
            branch_id: invitation.branch_id,
            invited_by: invitation.invited_by,
            version: invitation.version,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}
