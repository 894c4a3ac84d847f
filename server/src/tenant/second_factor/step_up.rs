//! `/auth/step-up`: proving anew who one is, for what is sensitive.

use ::entity::tenant::member;
use actix_web::{HttpRequest, HttpResponse, post};
use sea_orm::EntityTrait;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::code::Given;
use super::error::SecondFactorError;
use super::http::keeper;
use super::service::{self, Proven};
use super::sign_in::{attempts_key, count, given};
use crate::audit::Change;
use crate::auth::has_second_factor;
use crate::http::{Answer, Body, Caller, Code, Done, Problem, ProblemOut};
use crate::state::AppState;

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(step_up);
}

/// The password, or for whoever has a second factor a code of it.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct StepUpIn {
    /// 10 to 128 characters.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
    /// What the app shows.
    #[validate(length(min = 6, max = 12))]
    #[schema(example = "081804")]
    code: Option<String>,
    /// One of the recovery codes.
    #[validate(length(min = 1, max = 40))]
    #[schema(example = "k3vd-7mq2-aaxe-p5tn")]
    recovery_code: Option<String>,
}

/// What was offered, once it is known what has to be.
enum Offer {
    Password(SecretString),
    SecondFactor(Given),
}

/// Prove anew who you are
///
/// Opens what is sensitive for some minutes, in this session. Whoever has a second factor gives a
/// code of it: the password alone is not enough then. Whoever has neither signs in anew with their
/// identity provider.
#[utoipa::path(tag = "auth", operation_id = "step_up", request_body = StepUpIn,
    security(("bearer" = [])), responses((status = 204),
        (status = 422, body = ProblemOut, content_type = "application/problem+json"),
        (status = 429, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/auth/step-up")]
async fn step_up(
    req: HttpRequest,
    who: Caller,
    body: Body<StepUpIn>,
) -> Result<HttpResponse, Problem> {
    let (state, session) = (AppState::of(&req), who.session_id()?);
    let (id, now) = (who.principal.person.id, state.clock.now());
    let (has_factor, hash) = who
        .db
        .read(async |tx| {
            let member = member::Entity::find_by_id(id).one(tx).await?;
            let hash = member.and_then(|member| member.password_hash);
            Ok::<_, SecondFactorError>((has_second_factor(tx, id).await?, hash))
        })
        .await?;
    let offer = offer(body.0, has_factor)?;
    let attempts = attempts_key(&who.db, id);
    count(state, &attempts).await?;
    // Between two transactions: no connection should wait for a password to be checked.
    if let Offer::Password(password) = &offer
        && !state.passwords.check(password.clone(), hash).await?
    {
        return Err(Problem::new(Code::ProofWrong));
    }
    let keeper = keeper(state, &who.db);
    let answered = who
        .gate
        .write(async |tx| {
            let proven = match &offer {
                // It may have been set up while the password was checked.
                Offer::Password(_) if has_second_factor(tx, id).await? => {
                    return Err(SecondFactorError::Wrong);
                }
                Offer::Password(_) => Proven::WithPassword,
                Offer::SecondFactor(given) => {
                    if !service::takes(tx, keeper, id, given, now).await? {
                        return Err(SecondFactorError::Wrong);
                    }
                    Proven::WithSecondFactor
                }
            };
            service::prove_session(tx, session, proven, now).await?;
            let how = json!({ "second_factor": proven == Proven::WithSecondFactor });
            let record = Change::new("session.step_up", "session", session).after(&how);
            Ok(Done::new(record, Answer::no_content()))
        })
        .await?;
    state.attempts.forgive(&attempts).await;
    state.access.forget(&who.db);
    Ok(answered)
}

fn offer(body: StepUpIn, has_factor: bool) -> Result<Offer, Problem> {
    match (has_factor, body.password) {
        (true, _) => given(body.code, body.recovery_code).map(Offer::SecondFactor),
        (false, Some(password)) => Ok(Offer::Password(password)),
        (false, None) => Err(Problem::field("/password", "required", "give the password")),
    }
}
