//! Proving who one is. It opens its own transactions, unlike a service: the password is checked
//! between two of them, because no connection should wait for that.

use ::entity::tenant::member;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use time::OffsetDateTime;

use crate::auth::{AuthError, Issued, Proof, RefreshToken, prove};
use crate::db::{SecurityEvent, TenantDb};
use crate::state::AppState;

/// Begins a session for whoever knows the password. Takes as long for an unknown address as for
/// a wrong password, and answers the same.
pub(super) async fn sign_in(
    state: &AppState,
    db: &TenantDb,
    proof: Proof,
    now: OffsetDateTime,
) -> Result<Issued, AuthError> {
    let attempts_key = db.tenant().key().scoped(proof.attempts_key());
    let keepers = (&state.attempts, &state.passwords);
    let member = prove(keepers, &attempts_key, &proof, async |email| {
        find(db, email).await
    })
    .await
    .inspect_err(|error| {
        if matches!(error, AuthError::TooManyAttempts(_)) {
            record(state, db, "sign_in_blocked", proof.request_id.clone());
        }
    })?;
    let agent = proof.user_agent.as_deref();
    db.write(async |tx| state.sessions.begin(tx, member.clone(), agent, now).await)
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
    state: &AppState,
    db: &TenantDb,
    token: &RefreshToken,
    request_id: Option<String>,
    now: OffsetDateTime,
) -> Result<Issued, AuthError> {
    match db
        .write(async |tx| state.sessions.refresh(tx, token, now).await)
        .await?
    {
        Ok(issued) => Ok(issued),
        Err(ended) => {
            state.sessions.forget(db, ended);
            record(state, db, "refresh_token_reused", request_id);
            Err(AuthError::InvalidRefreshToken)
        }
    }
}

fn record(state: &AppState, db: &TenantDb, kind: &'static str, request_id: Option<String>) {
    let tenant = Some(db.tenant().key());
    state.security.record(SecurityEvent {
        tenant,
        kind,
        detail: json!({}),
        request_id,
    });
}
