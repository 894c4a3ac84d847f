//! The second half of signing in: `/auth/second-factor`.

use std::cell::Cell;

use ::entity::tenant::member;
use actix_web::{HttpRequest, HttpResponse, post};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::challenge::{self, Entry, LIFE, Outcome};
use super::code::Given;
use super::http::keeper;
use crate::audit::{Actor, Change};
use crate::auth::{AuthError, Beginning, Method, Standing, must_use_sso};
use crate::db::{SecurityEvent, TenantDb, TenantTx};
use crate::http::{
    Answer, Body, Code, Dealer, Done, Problem, ProblemOut, RequestId, TokensOut, handed_out,
};
use crate::state::AppState;

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(answer);
}

/// A question that stands between a proof and its session.
#[derive(Serialize, ToSchema)]
pub struct ChallengeOut {
    /// Belongs to the answer; it lives for a few minutes and a few wrong codes.
    #[schema(example = "tbxc_q2mYw1c0n5o3bq8Yh1vXK2dQmPz7r9sTuVwXyZ01234")]
    challenge: String,
    /// What may be given.
    #[schema(example = json!(["totp", "recovery_code"]))]
    methods: [&'static str; 2],
    /// Life of the challenge, seconds.
    #[schema(example = 300)]
    expires_in: i64,
}

/// The answer to a challenge: either a code or a recovery code.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecondFactorIn {
    /// As it was handed out.
    #[validate(length(min = 1, max = 200))]
    #[schema(example = "tbxc_q2mYw1c0n5o3bq8Yh1vXK2dQmPz7r9sTuVwXyZ01234")]
    challenge: String,
    /// What the app shows.
    #[validate(length(min = 6, max = 12))]
    #[schema(example = "081804")]
    code: Option<String>,
    /// One of the recovery codes, when the app is lost.
    #[validate(length(min = 1, max = 40))]
    #[schema(example = "k3vd-7mq2-aaxe-p5tn")]
    recovery_code: Option<String>,
}

/// What comes of letting somebody in.
#[derive(Debug)]
pub struct LetIn {
    /// For the record.
    pub record: Change,
    /// Tokens, or a challenge.
    pub answer: Answer,
    /// The challenge, for an answer in other words.
    pub challenge: Option<String>,
}

/// Lets somebody in who has proven who they are: with tokens, or with a challenge if they have a
/// second factor. For whatever begins a session, within its transaction.
///
/// # Errors
///
/// When the database fails, or a token can't be signed.
pub async fn let_in(
    req: &HttpRequest,
    db: &TenantDb,
    tx: &TenantTx,
    member: member::Model,
    beginning: Beginning<'_>,
) -> Result<LetIn, Problem> {
    let state = AppState::of(req);
    let parts = (&state.sessions, keeper(state, db));
    let (id, now) = (member.id, state.clock.now());
    let how = json!({ "method": beginning.method.name() });
    match challenge::ask_or_begin(tx, parts, member, beginning, now).await? {
        Entry::Begun(issued) => {
            let record = Change::new("session.begin", "session", issued.session_id).after(&how);
            Ok(LetIn {
                record,
                answer: handed_out(req, db, *issued)?,
                challenge: None,
            })
        }
        Entry::Asked(asked) => {
            let record = Change::new("second_factor.ask", "member", id).after(&how);
            let challenge = asked.into_wire();
            let question = ChallengeOut {
                challenge: challenge.clone(),
                methods: ["totp", "recovery_code"],
                expires_in: LIFE.whole_seconds(),
            };
            Ok(LetIn {
                record,
                answer: Answer::accepted(&question).secret(),
                challenge: Some(challenge),
            })
        }
    }
}

/// Give the second factor
///
/// Answers the challenge of a sign-in. A challenge takes few wrong codes, and a member few within
/// some minutes, whatever the challenge.
#[utoipa::path(tag = "auth", operation_id = "give_second_factor", request_body = SecondFactorIn,
    responses((status = 200, body = TokensOut),
        (status = 401, body = ProblemOut, content_type = "application/problem+json"),
        (status = 429, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/auth/second-factor")]
async fn answer(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<SecondFactorIn>,
) -> Result<HttpResponse, Problem> {
    let SecondFactorIn {
        challenge,
        code,
        recovery_code,
    } = body.0;
    let given = given(code, recovery_code)?;
    let (state, db) = (AppState::of(&req), &dealer.db);
    let (parts, now) = ((&state.sessions, keeper(state, db)), state.clock.now());
    let asked = db.read(async |tx| challenge::asked_of(tx, parts.1, &challenge, now).await);
    let member = asked.await?;
    let attempts = attempts_key(db, member);
    count(state, &attempts).await?;
    let (was_right, is_break_glass) = (Cell::new(false), Cell::new(false));
    let gate = dealer.gate.by(Actor::Member { id: member });
    let answered = gate
        .write(
            async |tx| match challenge::answer(tx, parts, &challenge, &given, now).await? {
                Outcome::Right(issued, method) => {
                    was_right.set(true);
                    let sso = must_use_sso(tx, &issued.member.email).await?;
                    is_break_glass.set(sso && method == Method::Password);
                    let how = json!({ "method": method.name(), "second_factor": given.name() });
                    let record = Change::new("session.begin", "session", issued.session_id);
                    let answer = handed_out(&req, db, *issued)?;
                    Ok::<_, Problem>(Done::new(record.after(&how), answer))
                }
                Outcome::Wrong => {
                    was_right.set(false);
                    let record = Change::new("second_factor.refuse", "member", member);
                    Ok(Done::refusing(
                        record,
                        Problem::new(Code::SecondFactorWrong),
                    ))
                }
            },
        )
        .await;
    if !was_right.get() || answered.is_err() {
        return answered;
    }
    state.attempts.forgive(&attempts).await;
    if is_break_glass.get() {
        record(&req, db, "break_glass_sign_in", member);
    }
    answered
}

/// Reads what was given: exactly one of the two.
pub(super) fn given(code: Option<String>, recovery_code: Option<String>) -> Result<Given, Problem> {
    match (code, recovery_code) {
        (Some(code), None) => Ok(Given::Code(code)),
        (None, Some(code)) => Ok(Given::RecoveryCode(code)),
        _ => Err(Problem::field(
            "/code",
            "required",
            "give either `code` or `recovery_code`",
        )),
    }
}

/// Under which wrong codes of a member are counted, wherever they are given.
pub(super) fn attempts_key(db: &TenantDb, member: Uuid) -> String {
    let key = db.tenant().key();
    key.scoped(format_args!("second-factor:{member}"))
}

pub(super) async fn count(state: &AppState, key: &str) -> Result<(), Problem> {
    match state.attempts.begin(key).await {
        Standing::Open => Ok(()),
        Standing::Blocked(seconds) => Err(AuthError::TooManyAttempts(seconds).into()),
    }
}

fn record(req: &HttpRequest, db: &TenantDb, kind: &'static str, member: Uuid) {
    AppState::of(req).security.record(SecurityEvent {
        tenant: Some(db.tenant().key()),
        kind,
        detail: json!({ "member_id": member }),
        request_id: RequestId::of(req).map(|id| id.to_string()),
    });
}

impl Given {
    /// For the record.
    const fn name(&self) -> &'static str {
        match self {
            Self::Code(_) => "totp",
            Self::RecoveryCode(_) => "recovery code",
        }
    }
}

impl std::fmt::Debug for ChallengeOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChallengeOut")
    }
}
