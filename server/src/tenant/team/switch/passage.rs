//! From one dealer to another: a ticket here, a session there.

use ::entity::tenant::session;
use actix_web::{HttpRequest, HttpResponse};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::http::TicketOut;
use super::{places, service};
use crate::audit::{Actor, Change};
use crate::auth::{AuthError, Beginning, Client, Method, OneTimeToken};
use crate::http::{Answer, Caller, Dealer, Done, Problem, handed_out, visitor};
use crate::state::AppState;
use crate::tenant::team::error::TeamError;

/// Makes a ticket for another dealer. Its record stands there: nothing changes here.
pub(super) async fn leave(
    req: &HttpRequest,
    caller: &Caller,
    to: Uuid,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(req);
    let person = &caller.principal.person;
    caller.session_id()?;
    let session = caller.principal.session();
    if session.is_none_or(|session| session.method != Method::Password.name()) {
        return Err(TeamError::SwitchRefused(
            "only a session that you began with your password leads to other dealers",
        )
        .into());
    }
    let email = person.email.as_str();
    let here = caller
        .db
        .read(async |tx| service::proven_member(tx, email).await)
        .await?;
    if here.is_none() {
        return Err(TeamError::NotThere.into());
    }
    let there = places::entered(state, email, to).await?;
    let (from, now) = (caller.db.tenant().key().id(), state.clock.now());
    let host = state.mailer.links().home(there.tenant().slug());
    let gate = caller.gate.at(there.clone(), Actor::Anonymous);
    gate.write(async |tx| {
        let whose = (email, from);
        let (member, ticket) = service::issue_ticket(tx, &state.sealer, whose, now).await?;
        let record =
            Change::new("switch.prepare", "member", member).after(&json!({ "from": from }));
        let answer = Answer::ok(&TicketOut::new(&ticket, host.clone())).secret();
        Ok::<_, TeamError>(Done::new(record, answer))
    })
    .await
}

/// Begins a session with a ticket.
pub(super) async fn arrive(
    req: &HttpRequest,
    dealer: &Dealer,
    ticket: OneTimeToken,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &dealer.db);
    let now = state.clock.now();
    let visitor = visitor(req, Client::Bearer);
    let beginning = Beginning {
        method: Method::Switch,
        second_factor: false,
        visitor: &visitor,
    };
    dealer
        .gate
        .write(async |tx| {
            let member = service::redeem(tx, &state.sealer, &ticket, now).await?;
            let issued = state.sessions.begin(tx, member, beginning, now).await?;
            nothing_was_proven(tx, issued.session_id).await?;
            let record = Change::new("session.begin", "session", issued.session_id)
                .after(&json!({ "method": beginning.method.name() }));
            Ok::<_, Problem>(Done::new(record, handed_out(req, db, issued)?))
        })
        .await
}

/// What is sensitive needs a proof that was given here.
async fn nothing_was_proven(tx: &crate::db::TenantTx, session_id: Uuid) -> Result<(), AuthError> {
    session::Entity::update_many()
        .col_expr(
            session::Column::ProvenAt,
            Expr::value(OffsetDateTime::UNIX_EPOCH),
        )
        .filter(session::Column::Id.eq(session_id))
        .exec(tx)
        .await?;
    Ok(())
}
