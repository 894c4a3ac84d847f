//! Proving who one is. It opens its own transactions, unlike a service: the password is checked
//! between two of them, because no connection should wait for that.

use std::cell::Cell;

use ::entity::tenant::member;
use actix_web::{HttpRequest, HttpResponse};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::arrival;
use crate::audit::{Actor, Change};
use crate::auth::{
    AuthError, Beginning, Client, Method, Proof, RefreshToken, Refreshed, has_second_factor,
    must_use_sso, prove,
};
use crate::db::{SecurityEvent, TenantDb};
use crate::http::{
    Code, Dealer, Done, Problem, RequestId, handed_out, must_be_own_page, refresh_cookie, visitor,
};
use crate::state::AppState;
use crate::tenant::second_factor;

/// Lets in whoever knows the password. Takes as long for an unknown address as for a wrong password,
/// and answers the same.
///
/// Where single sign-on is enforced for an address's domain, every failure says so, whoever it was.
/// Only owners with a second factor may use their password there: they break the glass when the
/// identity provider fails.
pub(super) async fn sign_in(
    req: &HttpRequest,
    dealer: &Dealer,
    proof: Proof,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &dealer.db);
    let attempts_key = db.tenant().key().scoped(proof.attempts_key());
    let keepers = (&state.attempts, &state.passwords);
    let is_sso_enforced = Cell::new(false);
    let proven = prove(keepers, &attempts_key, &proof, async |email| {
        let (member, by_sso) = find(db, email).await?;
        is_sso_enforced.set(by_sso);
        Ok(member)
    });
    let member = proven.await.map_err(|error| match error {
        AuthError::WrongCredentials if is_sso_enforced.get() => Problem::new(Code::SsoRequired),
        AuthError::TooManyAttempts(_) => {
            record(req, db, "sign_in_blocked");
            error.into()
        }
        error => error.into(),
    })?;
    let beginning = Beginning {
        method: Method::Password,
        second_factor: false,
        visitor: &proof.visitor,
    };
    arrival::proved(req, db, &member, proof.password());
    let gate = dealer.gate.by(Actor::Member { id: member.id });
    gate.write(async |tx| {
        let let_in = second_factor::let_in(req, db, tx, member.clone(), beginning).await?;
        Ok::<_, Problem>(Done::new(let_in.record, let_in.answer))
    })
    .await
}

/// Who may sign in with an address and a password, and with which hash; and whether its domain has
/// to use single sign-on.
async fn find(
    db: &TenantDb,
    email: &str,
) -> Result<(Option<(member::Model, Option<String>)>, bool), AuthError> {
    db.read(async |tx| {
        let by_sso = must_use_sso(tx, email).await?;
        let member = member::Entity::find()
            .filter(member::Column::Email.eq(email))
            .filter(member::Column::Status.eq(member::Status::Active))
            .one(tx)
            .await?;
        let Some(member) = member else {
            return Ok((None, by_sso));
        };
        let may = !by_sso
            || (member.role == member::Role::Owner && has_second_factor(tx, member.id).await?);
        let hash = member.password_hash.clone();
        Ok((may.then_some((member, hash)), by_sso))
    })
    .await
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
    let was_reused = Cell::new(false);
    let answered = dealer
        .gate
        .write(
            async |tx| match state.sessions.refresh(tx, token, visitor, now).await? {
                Refreshed::Replaced(issued) => {
                    if is_cookie {
                        must_be_own_page(req, tenant, issued.session_id)?;
                    }
                    let record = Change::new("session.refresh", "session", issued.session_id);
                    Ok::<_, Problem>(Done::new(record, handed_out(req, db, *issued)?))
                }
                Refreshed::Reused(ended) => {
                    was_reused.set(true);
                    let record = Change::new("session.end", "session", ended)
                        .after(&json!({ "because": "refresh_token_reused" }));
                    Ok(Done::refusing(record, AuthError::InvalidRefreshToken))
                }
            },
        )
        .await;
    if was_reused.get() {
        state.access.forget(db);
        record(req, db, "refresh_token_reused");
    }
    answered
}

fn record(req: &HttpRequest, db: &TenantDb, kind: &'static str) {
    AppState::of(req).security.record(SecurityEvent {
        tenant: Some(db.tenant().key()),
        kind,
        detail: json!({}),
        request_id: RequestId::of(req).map(|id| id.to_string()),
    });
}
