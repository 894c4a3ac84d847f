//! `/me/password`, `/me/email` and what links in messages lead to.

use actix_web::{HttpRequest, HttpResponse, post};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::{email, password};
use crate::auth::OneTimeToken;
use crate::http::{Body, Caller, Dealer, Problem, ProblemOut};

/// The routes of one's own account.
pub(in crate::tenant::team) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(forgot_password)
        .service(reset_password)
        .service(change_password)
        .service(ask_to_verify)
        .service(verify_email)
        .service(change_email)
        .service(confirm_email);
}

/// Somebody who has forgotten their password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ForgotIn {
    #[validate(length(min = 1, max = 320))]
    #[schema(example = "olga@acme.example")]
    email: String,
}

/// A password to be set with a token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetIn {
    /// From the message.
    #[validate(length(min = 1, max = 200))]
    #[schema(example = "tbxo_q8pX5cF0…")]
    token: String,
    /// 10 to 128 characters, and not easily guessed.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// A password in place of another.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordIn {
    #[schema(value_type = String, format = Password)]
    current: SecretString,
    /// 10 to 128 characters, and not easily guessed.
    #[schema(value_type = String, format = Password)]
    new: SecretString,
}

/// A token from a message.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenIn {
    /// From the message.
    #[validate(length(min = 1, max = 200))]
    #[schema(example = "tbxo_q8pX5cF0…")]
    token: String,
}

/// An address in place of another.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EmailIn {
    #[validate(length(min = 3, max = 320))]
    #[schema(example = "olga@acme.example")]
    email: String,
    /// The present one.
    #[schema(value_type = String, format = Password)]
    password: SecretString,
}

/// What became of a message.
#[derive(Serialize, ToSchema)]
pub(super) struct Sent {
    /// For people.
    message: &'static str,
}

impl Sent {
    /// The same whoever was asked about.
    pub(super) const TO_WHOM: Self = Self {
        message: "if a member of the team has this address, a message is on its way",
    };
    pub(super) const TO_YOU: Self = Self {
        message: "a message is on its way",
    };
}

/// Ask for a new password
///
/// Whether anybody has the address is not told. The message may be asked for a few times an hour.
#[utoipa::path(tag = "auth", operation_id = "forgot_password", request_body = ForgotIn, responses(
    (status = 202, body = Sent),
    (status = 429, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/forgot-password")]
async fn forgot_password(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<ForgotIn>,
) -> Result<HttpResponse, Problem> {
    password::forgot(&req, &dealer, &body.0.email).await
}

/// Set a new password
///
/// With the token of a message. All sessions end; sign in with the new password.
#[utoipa::path(tag = "auth", operation_id = "reset_password", request_body = ResetIn, responses(
    (status = 204),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/reset-password")]
async fn reset_password(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<ResetIn>,
) -> Result<HttpResponse, Problem> {
    let token = OneTimeToken::from_wire(body.0.token);
    password::reset(&req, &dealer, token, body.0.password).await
}

/// Change your password
///
/// All your other sessions end.
#[utoipa::path(tag = "auth", operation_id = "change_password", request_body = PasswordIn,
    security(("bearer" = [])), responses(
    (status = 204),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
    (status = 429, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/me/password")]
async fn change_password(
    req: HttpRequest,
    caller: Caller,
    body: Body<PasswordIn>,
) -> Result<HttpResponse, Problem> {
    password::change(&req, &caller, body.0.current, body.0.new).await
}

/// Ask for a message that proves your address
///
/// It may be asked for a few times an hour; after that nothing is sent for a while.
#[utoipa::path(tag = "auth", operation_id = "ask_to_verify_email", security(("bearer" = [])),
    responses((status = 202, body = Sent)))]
#[post("/me/verify-email")]
async fn ask_to_verify(req: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    email::ask(&req, &caller).await
}

/// Prove an address
#[utoipa::path(tag = "auth", operation_id = "verify_email", request_body = TokenIn, responses(
    (status = 204),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/verify-email")]
async fn verify_email(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<TokenIn>,
) -> Result<HttpResponse, Problem> {
    email::verify(&req, &dealer, OneTimeToken::from_wire(body.0.token)).await
}

/// Ask for another mail address
///
/// The new address gets a message with a link that makes it yours; the present one is told.
#[utoipa::path(tag = "auth", operation_id = "change_email", request_body = EmailIn,
    security(("bearer" = [])), responses(
    (status = 202, body = Sent),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
    (status = 429, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/me/email")]
async fn change_email(
    req: HttpRequest,
    caller: Caller,
    body: Body<EmailIn>,
) -> Result<HttpResponse, Problem> {
    email::change(&req, &caller, &body.0.email, body.0.password).await
}

/// Take another mail address
#[utoipa::path(tag = "auth", operation_id = "confirm_email", request_body = TokenIn, responses(
    (status = 204),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/auth/confirm-email")]
async fn confirm_email(
    req: HttpRequest,
    dealer: Dealer,
    body: Body<TokenIn>,
) -> Result<HttpResponse, Problem> {
    email::confirm(&req, &dealer, OneTimeToken::from_wire(body.0.token)).await
}
