//! Proving who one is. It opens its own transactions, unlike a service: the password is checked
//! between two of them, because no connection should wait for that.

use std::cell::Cell;

use ::entity::tenant::member;
use actix_web::{HttpRequest, HttpResponse};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::arrival;
use crate::audit::{Actor, Change};
use crate::auth::{AuthError, Beginning, Client, Method, Proof, RefreshToken, Refreshed, prove};
use crate::db::{SecurityEvent, TenantDb};
use crate::http::{
    Answer, Dealer, Done, Problem, RequestId, handed_out, must_be_own_page, refresh_cookie, visitor,
};
use crate::state::AppState;

/// Begins a session for whoever knows the password. Takes as long for an unknown address as for
/// a wrong password, and answers the same.
pub(super) async fn sign_in(
    req: &HttpRequest,
    dealer: &Dealer,
    proof: Proof,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &dealer.db);
    let attempts_key = db.tenant().key().scoped(proof.attempts_key());
    let keepers = (&state.attempts, &state.passwords);
    let member = prove(keepers, &attempts_key, &proof, async |email| {
        find(db, email).await
    })
    .await
    .inspect_err(|error| {
        if matches!(error, AuthError::TooManyAttempts(_)) {
            record(req, db, "sign_in_blocked");
        }
    })?;
    let now = state.clock.now();
    let beginning = Beginning {
        method: Method::Password,
        second_factor: false,
        visitor: &proof.visitor,
    };
    arrival::proved(req, db, &member, proof.password());
    let gate = dealer.gate.by(Actor::Member { id: member.id });
    gate.write(async |tx| {
        arrival::signed_in(tx, member.id, now).await?;
        let begun = state.sessions.begin(tx, member.clone(), beginning, now);
        let issued = begun.await?;
        let record = Change::new("session.begin", "session", issued.session_id)
            .after(&json!({ "method": beginning.method.name() }));
        Ok::<_, Problem>(Done::new(record, handed_out(req, db, issued)?))
    })
    .await
}

/// Who may sign in with an address, and with which hash.
async fn find(
    db: &TenantDb,
    email: &str,
) -> Result<Option<(member::Model, Option<String>)>, AuthError> {
    let member = db
        .read(async |tx| {
            let by_email = member::Column::Email.eq(email);
            Ok::<_, AuthError>(member::Entity::find().filter(by_email).one(tx).await?)
        })
        .await?
        .filter(|member| member.status == member::Status::Active);
    Ok(member.map(|member| {
        let hash = member.password_hash.clone();
        (member, hash)
    }))
}

/// Replaces a refresh token. One that was replaced before ends its session: somebody has a copy.
pub(super) async fn refresh(
    req: &HttpRequest,
    dealer: &Dealer,
    token: Option<RefreshToken>,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &dealer.db);
    let (now, tenant) = (state.clock.now(), db.tenant().key());
    let cookie = refresh_cookie(req).filter(|_| token.is_none());
    let is_cookie = cookie.is_some();
    let token = &token.or(cookie).ok_or(AuthError::InvalidRefreshToken)?;
    // Which client keeps the tokens is known from when the session began.
    let visitor = &visitor(req, Client::default());
    let reused = Cell::new(None);
    let answered = dealer
        .gate
        .write(
            async |tx| match state.sessions.refresh(tx, token, visitor, now).await? {
                Refreshed::Replaced(issued) => {
                    if is_cookie {
                        must_be_own_page(req, tenant, issued.session_id)?;
                    }
                    let record = Change::new("session.refresh", "session", issued.session_id);
                    Ok::<_, Problem>(Done::new(record, handed_out(req, db, issued)?))
                }
                Refreshed::Reused(ended) => {
                    reused.set(Some(ended));
                    let record = Change::new("session.end", "session", ended)
                        .after(&json!({ "because": "refresh_token_reused" }));
                    Ok(Done::new(record, Answer::no_content()))
                }
            },
        )
        .await?;
    let Some(ended) = reused.get() else {
        return Ok(answered);
    };
    state.access.forget(db, ended);
    record(req, db, "refresh_token_reused");
    Err(AuthError::InvalidRefreshToken.into())
}

fn record(req: &HttpRequest, db: &TenantDb, kind: &'static str) {
    AppState::of(req).security.record(SecurityEvent {
        tenant: Some(db.tenant().key()),
        kind,
        detail: json!({}),
        request_id: RequestId::of(req).map(|id| id.to_string()),
    });
}
