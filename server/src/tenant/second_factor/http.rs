//! `/me/second-factor`: one's own second factor.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::error::SecondFactorError;
use super::service::{self, Enrolment, Keeper, Standing};
use super::{members, settings, sign_in, step_up};
use crate::audit::Change;
use crate::db::TenantDb;
use crate::http::{Answer, Body, Caller, Code, Done, Problem, ProblemOut};
use crate::state::AppState;
use crate::tenant::notifications::{Kind, Notice, notify};

/// The routes of second factors.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read)
        .service(begin)
        .service(confirm)
        .service(renew_recovery_codes)
        .service(remove);
    members::routes(cfg);
    sign_in::routes(cfg);
    step_up::routes(cfg);
    settings::routes(cfg);
}

/// How one's second factor stands.
#[derive(Serialize, ToSchema)]
struct SecondFactorOut {
    /// Whether signing in asks for a code.
    is_enabled: bool,
    /// UTC; when the first code was given.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    confirmed_at: Option<OffsetDateTime>,
    /// Recovery codes that are still good.
    #[schema(example = 10)]
    recovery_codes_left: u64,
    /// Whether the role asks for a second factor and there is none: nothing else opens before.
    must_enrol: bool,
}

/// What an authenticator app has to be told, once.
#[derive(Serialize, ToSchema)]
struct EnrolmentOut {
    /// For whoever types it, in base 32.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    secret: String,
    /// For a QR code.
    #[schema(example = "otpauth://totp/Acme:ada%40acme.example?secret=JBSWY3DPEHPK3PXP")]
    otpauth_uri: String,
}

/// What the app shows.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CodeIn {
    /// Six digits; each works once.
    #[validate(length(min = 6, max = 12))]
    #[schema(example = "081804")]
    code: String,
}

/// Codes for when the app is lost. They are told once, and each works once.
#[derive(Serialize, ToSchema)]
struct RecoveryCodesOut {
    recovery_codes: Vec<String>,
}

/// How does my second factor stand?
#[utoipa::path(tag = "second-factor", operation_id = "read_second_factor",
    security(("bearer" = [])), responses((status = 200, body = SecondFactorOut)))]
#[get("/me/second-factor")]
async fn read(who: Caller) -> Result<web::Json<SecondFactorOut>, Problem> {
    who.session_id()?;
    let (id, session) = (who.principal.person.id, who.principal.session());
    let must_enrol = session.is_some_and(|session| session.must_enrol);
    let standing = who
        .db
        .read(async |tx| service::standing(tx, id).await)
        .await?;
    Ok(web::Json(SecondFactorOut::of(standing, must_enrol)))
}

/// Set up an authenticator app
///
/// Needs a recent proof of who you are. It counts once its first code is confirmed; until then
/// another one may be set up in its place.
#[utoipa::path(tag = "second-factor", operation_id = "begin_totp", security(("bearer" = [])),
    responses((status = 200, body = EnrolmentOut),
        (status = 403, body = ProblemOut, content_type = "application/problem+json"),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/me/second-factor/totp")]
async fn begin(req: HttpRequest, who: Caller) -> Result<HttpResponse, Problem> {
    who.session_id()?;
    who.must_have_proven(&req)?;
    let state = AppState::of(&req);
    let (keeper, now) = (keeper(state, &who.db), state.clock.now());
    let person = &who.principal.person;
    let dealer = who.db.tenant().name().to_owned();
    who.gate
        .write(async |tx| {
            let enrolment = service::begin(tx, keeper, person, &dealer, now).await?;
            let record = Change::new("second_factor.begin", "member", person.id);
            let answer = Answer::ok(&EnrolmentOut::from(enrolment)).secret();
            Ok::<_, SecondFactorError>(Done::new(record, answer))
        })
        .await
}

/// Take the app into use
///
/// The answer is ten recovery codes, told this once.
#[utoipa::path(tag = "second-factor", operation_id = "confirm_totp", security(("bearer" = [])),
    request_body = CodeIn, responses((status = 200, body = RecoveryCodesOut),
        (status = 404, body = ProblemOut, content_type = "application/problem+json"),
        (status = 422, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/me/second-factor/totp/confirm")]
async fn confirm(
    req: HttpRequest,
    who: Caller,
    body: Body<CodeIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (keeper, now) = (keeper(state, &who.db), state.clock.now());
    let whose = (who.principal.person.id, who.session_id()?);
    let answered = who
        .gate
        .write(async |tx| {
            let codes = service::confirm(tx, keeper, whose, &body.0.code, now).await?;
            let record = Change::new("second_factor.confirm", "member", whose.0);
            Ok::<_, SecondFactorError>(Done::new(record, told(codes)))
        })
        .await;
    state.access.forget(&who.db);
    answered
}

/// Get new recovery codes
///
/// Those before are void. Needs a second factor, given a moment ago.
#[utoipa::path(tag = "second-factor", operation_id = "renew_recovery_codes",
    security(("bearer" = [])), responses((status = 200, body = RecoveryCodesOut),
        (status = 403, body = ProblemOut, content_type = "application/problem+json"),
        (status = 404, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/me/second-factor/recovery-codes")]
async fn renew_recovery_codes(req: HttpRequest, who: Caller) -> Result<HttpResponse, Problem> {
    let id = in_use(&req, &who).await?;
    let keeper = keeper(AppState::of(&req), &who.db);
    who.gate
        .write(async |tx| {
            let codes = service::renew_recovery_codes(tx, keeper, id).await?;
            let record = Change::new("second_factor.renew_recovery_codes", "member", id);
            Ok::<_, SecondFactorError>(Done::new(record, told(codes)))
        })
        .await
}

/// Remove my second factor
///
/// Needs that very second factor, given a moment ago: step up with a code before.
#[utoipa::path(tag = "second-factor", operation_id = "remove_second_factor",
    security(("bearer" = [])), responses((status = 204),
        (status = 403, body = ProblemOut, content_type = "application/problem+json"),
        (status = 404, body = ProblemOut, content_type = "application/problem+json")))]
#[delete("/me/second-factor")]
async fn remove(req: HttpRequest, who: Caller) -> Result<HttpResponse, Problem> {
    let id = in_use(&req, &who).await?;
    let state = AppState::of(&req);
    let (outbox, now) = (state.mailer.of(who.db.tenant().key()), state.clock.now());
    let answered = who
        .gate
        .write(async |tx| {
            service::remove(tx, id).await?;
            notify(tx, &outbox, &Notice::to(id, Kind::SecondFactorRemoved), now).await?;
            let record = Change::new("second_factor.remove", "member", id);
            Ok::<_, SecondFactorError>(Done::new(record, Answer::no_content()))
        })
        .await;
    state.access.forget(&who.db);
    answered
}

/// Somebody who has a second factor and has just used it.
async fn in_use(req: &HttpRequest, who: &Caller) -> Result<uuid::Uuid, Problem> {
    who.session_id()?;
    let id = who.principal.person.id;
    let standing = who
        .db
        .read(async |tx| service::standing(tx, id).await)
        .await?;
    if standing.confirmed_at.is_none() {
        return Err(SecondFactorError::NotFound.into());
    }
    who.must_have_used_second_factor(req)?;
    Ok(id)
}

pub(super) fn keeper<'a>(state: &'a AppState, db: &TenantDb) -> Keeper<'a> {
    Keeper {
        sealer: &state.sealer,
        tenant: db.tenant().key(),
    }
}

fn told(recovery_codes: Vec<String>) -> Answer {
    Answer::ok(&RecoveryCodesOut { recovery_codes }).secret()
}

impl SecondFactorOut {
    fn of(standing: Standing, must_enrol: bool) -> Self {
        Self {
            is_enabled: standing.confirmed_at.is_some(),
            confirmed_at: standing.confirmed_at,
            recovery_codes_left: standing.recovery_codes_left,
            must_enrol,
        }
    }
}

impl From<Enrolment> for EnrolmentOut {
    fn from(enrolment: Enrolment) -> Self {
        Self {
            secret: enrolment.secret,
            otpauth_uri: enrolment.address,
        }
    }
}

impl From<SecondFactorError> for Problem {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::Exists => Self::new(Code::SecondFactorExists),
            SecondFactorError::NotFound => Self::new(Code::SecondFactorNotFound),
            SecondFactorError::NoSuchMember => {
                Self::new(Code::SecondFactorNotFound).detail("there is no such member")
            }
            SecondFactorError::OwnersOnly => Self::new(Code::PermissionDenied).detail(error),
            SecondFactorError::Wrong => Self::new(Code::ProofWrong),
            SecondFactorError::ChallengeOver => Self::new(Code::SecondFactorWrong),
            SecondFactorError::Changed(_) => Self::new(Code::PreconditionFailed).detail(error),
            SecondFactorError::Broken(cause) => Self::internal(cause),
            SecondFactorError::Auth(error) => error.into(),
            SecondFactorError::Db(error) => Self::database(&error),
        }
    }
}
