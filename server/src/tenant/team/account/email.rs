//! Proving a mail address and replacing it, each by a link that goes to the address itself.

use std::cell::RefCell;

use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde_json::json;
use time::Duration;

use super::http::Sent;
use super::password::{at, may_write, proven, write_to};
use super::service;
use crate::audit::{Actor, Change};
use crate::auth::{OneTimeKind, OneTimeToken};
use crate::http::{Answer, Caller, Dealer, Done, Problem};
use crate::kernel::Email;
use crate::mail::{self, Occasion, To};
use crate::state::AppState;
use crate::tenant::team::error::TeamError;
use crate::tenant::team::switch::remember;

/// Sends a link that proves the present address.
pub(super) async fn ask(req: &HttpRequest, caller: &Caller) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &caller.db);
    let (person, now) = (&caller.principal.person, state.clock.now());
    let may_write = may_write(state, db, &person.email).await;
    caller
        .gate
        .write(async |tx| {
            let member = service::by_id(tx, person.id).await?;
            let (kind, whose) = (
                OneTimeKind::EmailVerification,
                (Some(member.id), member.email.as_str()),
            );
            let token = service::issue(tx, &state.sealer, kind, whose, (life(state), now)).await?;
            if may_write {
                let token = token.as_str().to_owned();
                let occasion = Occasion::Verification { token };
                write_to(state, (db, tx), Some(&member), occasion).await?;
            }
            let record = Change::new("email.ask", "member", member.id);
            Ok::<_, TeamError>(Done::new(record, Answer::accepted(&Sent::TO_YOU)))
        })
        .await
}

/// Proves an address.
pub(super) async fn verify(
    req: &HttpRequest,
    dealer: &Dealer,
    token: OneTimeToken,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(req);
    let now = state.clock.now();
    let proven = RefCell::new(None);
    let answered = dealer
        .gate
        .write(async |tx| {
            let member = service::verify(tx, &state.sealer, &token, now).await?;
            mail::reaches_again(tx, &member.email).await?;
            let record = Change::new("email.verify", "member", member.id);
            proven.replace(Some(member.email));
            Ok::<_, TeamError>(Done::new(record, Answer::no_content()))
        })
        .await?;
    if let Some(email) = proven.take() {
        remember(req, &dealer.db, &email);
    }
    Ok(answered)
}

/// Asks for another address: it is written to, and the present one is told.
pub(super) async fn change(
    req: &HttpRequest,
    caller: &Caller,
    email: &str,
    password: SecretString,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &caller.db);
    let now = state.clock.now();
    caller.session_id()?;
    let new = Email::parse(email).map_err(|error| TeamError::NoEmail("/email", error))?;
    let member = proven(state, caller, password)
        .await
        .map_err(|error| at("/password", error))?;
    let may_write = may_write(state, db, new.as_str()).await;
    caller
        .gate
        .write(async |tx| {
            service::must_be_free(tx, &new).await?;
            let (kind, whose) = (OneTimeKind::EmailChange, (Some(member.id), new.as_str()));
            let token = service::issue(tx, &state.sealer, kind, whose, (life(state), now)).await?;
            if may_write {
                let to = To {
                    email: Some(&new),
                    name: &member.name,
                    member: Some(member.id),
                    language: None,
                };
                let token = token.as_str().to_owned();
                let outbox = state.mailer.of(db.tenant().key());
                outbox
                    .post(tx, to, Occasion::EmailChange { token }, now)
                    .await?;
                write_to(state, (db, tx), Some(&member), Occasion::EmailLeaving).await?;
            }
            let record = Change::new("email.change_ask", "member", member.id)
                .after(&json!({ "email": new.as_str() }));
            Ok::<_, TeamError>(Done::new(record, Answer::accepted(&Sent::TO_YOU)))
        })
        .await
}

/// Takes the other address.
pub(super) async fn confirm(
    req: &HttpRequest,
    dealer: &Dealer,
    token: OneTimeToken,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(req);
    let now = state.clock.now();
    let taken = RefCell::new(None);
    let gate = dealer.gate.by(Actor::Anonymous);
    let answered = gate
        .write(async |tx| {
            let (before, after) = service::confirm(tx, &state.sealer, &token, now).await?;
            mail::reaches_again(tx, &after.email).await?;
            let address = |email: &str| json!({ "email": email });
            let record = Change::new("email.change", "member", after.id)
                .from_to(&address(&before.email), &address(&after.email));
            taken.replace(Some(after.email));
            Ok::<_, TeamError>(Done::new(record, Answer::no_content()))
        })
        .await?;
    if let Some(email) = taken.take() {
        remember(req, &dealer.db, &email);
    }
    Ok(answered)
}

fn life(state: &AppState) -> Duration {
    Duration::hours(state.config.auth.verification_hours.into())
}
