//! Proving who one is. It opens its own transactions, unlike a service: the password is checked
//! between two of them, because no connection should wait for that.

use ::entity::tenant::member;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::auth::{AuthError, Issued, RefreshToken, Standing};
use crate::db::{SecurityEvent, TenantDb};
use crate::state::AppState;

/// What somebody offers as proof, and from where.
pub(super) struct Proof {
    pub email: String,
    pub password: SecretString,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
}

/// Begins a session for whoever knows the password. Takes as long for an unknown address as for
/// a wrong password, and answers the same.
pub(super) async fn sign_in(
    state: &AppState,
    db: &TenantDb,
    proof: Proof,
    now: OffsetDateTime,
) -> Result<Issued, AuthError> {
    let email = proof.email.trim().to_lowercase();
    let attempts_key = db
        .tenant()
        .key()
        .scoped(format_args!("sign-in:{}", digest(&email)));
    if let Standing::Blocked(seconds) = state.attempts.begin(&attempts_key).await {
        record(state, db, "sign_in_blocked", proof.request_id);
        return Err(AuthError::TooManyAttempts(seconds));
    }
    let member = db
        .read(async |tx| {
            let by_email = member::Column::Email.eq(email.as_str());
            Ok::<_, AuthError>(member::Entity::find().filter(by_email).one(tx).await?)
        })
        .await?
        .filter(|member| member.status == member::Status::Active);
    let hash = member
        .as_ref()
        .and_then(|member| member.password_hash.clone());
    let is_proven = state.passwords.check(proof.password, hash).await?;
    let Some(member) = member.filter(|_| is_proven) else {
        return Err(AuthError::WrongCredentials);
    };
    state.attempts.forgive(&attempts_key).await;
    let agent = proof.user_agent.as_deref();
    db.write(async |tx| state.sessions.begin(tx, member.clone(), agent, now).await)
        .await
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

/// Keeps addresses out of Redis.
fn digest(email: &str) -> String {
    Sha256::digest(email.as_bytes())[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
