//! The pages that links in messages lead to. They hold nothing but a form: the token stays in the
//! browser until it is handed to the API.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, get};
use askama::Template;

use super::pages::page;
use super::problem::Problem;
use super::resolve::Dealer;

const SCRIPT: &str = include_str!("../web/assets/account.js");

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    dealer: &'a str,
    title: &'static str,
    action: &'static str,
    button: &'static str,
    done: &'static str,
    asks_name: bool,
    asks_password: bool,
}

/// Where an invitation is accepted.
#[get("/account/accept-invitation")]
pub async fn accept_invitation(dealer: Dealer) -> Result<HttpResponse, Problem> {
    page(&Account {
        dealer: dealer.db.tenant().name(),
        title: "Accept your invitation",
        action: "/api/v1/auth/accept-invitation",
        button: "Join",
        done: "Welcome. You can sign in with your address and this password now.",
        asks_name: true,
        asks_password: true,
    })
}

/// Where a password is set anew.
#[get("/account/reset-password")]
pub async fn reset_password(dealer: Dealer) -> Result<HttpResponse, Problem> {
    page(&Account {
        dealer: dealer.db.tenant().name(),
        title: "Set a new password",
        action: "/api/v1/auth/reset-password",
        button: "Set the password",
        done: "Done. All your sessions have ended: sign in with the new password.",
        asks_name: false,
        asks_password: true,
    })
}

/// Where an address is proven.
#[get("/account/verify-email")]
pub async fn verify_email(dealer: Dealer) -> Result<HttpResponse, Problem> {
    page(&Account {
        dealer: dealer.db.tenant().name(),
        title: "Confirm your address",
        action: "/api/v1/auth/verify-email",
        button: "Confirm",
        done: "Thank you. Your address is confirmed.",
        asks_name: false,
        asks_password: false,
    })
}

/// Where another address is taken.
#[get("/account/confirm-email")]
pub async fn confirm_email(dealer: Dealer) -> Result<HttpResponse, Problem> {
    page(&Account {
        dealer: dealer.db.tenant().name(),
        title: "Use this address",
        action: "/api/v1/auth/confirm-email",
        button: "Use this address",
        done: "Done. From now on you sign in with this address.",
        asks_name: false,
        asks_password: false,
    })
}

/// Their script.
#[get("/assets/account.js")]
pub async fn account_script(_dealer: Dealer) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(SCRIPT)
}
