//! What happens beside a sign-in that went well: the hash is brought up to date, and it is remembered
//! where the person is a member.

use ::entity::tenant::member::{self, Column, Entity};
use actix_web::HttpRequest;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

use super::switch::remember;
use crate::audit::{Actor, Change, Stamp};
use crate::auth::Passwords;
use crate::db::{TenantDb, TenantTx};
use crate::events;
use crate::state::AppState;

/// To be called once somebody has proven their password. It makes nobody wait.
pub(super) fn proved(req: &HttpRequest, db: &TenantDb, member: &member::Model, by: SecretString) {
    let state = AppState::of(req);
    if member.email_verified_at.is_some() {
        remember(req, db, &member.email);
    }
    let Some(kept) = member.password_hash.clone() else {
        return;
    };
    let (passwords, db, id) = (state.passwords.clone(), db.clone(), member.id);
    let now = state.clock.now();
    actix_web::rt::spawn(async move { renew(&passwords, &db, (id, &kept, by), now).await });
}

/// Hashes of an earlier cost are replaced when their password is known: at no other time.
async fn renew(
    passwords: &Passwords,
    db: &TenantDb,
    (id, kept, password): (Uuid, &str, SecretString),
    now: OffsetDateTime,
) {
    let hash = match passwords.renewed(password, kept).await {
        Ok(Some(hash)) => hash,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(error = %error, "a password's hash was not brought up to date");
            return;
        }
    };
    let written = db
        .write(async |tx| replace(tx, (id, kept), &hash, now).await)
        .await;
    if let Err(error) = written {
        tracing::warn!(error = %error, "a password's hash was not brought up to date");
    }
}

/// Unless the password was changed meanwhile.
async fn replace(
    tx: &TenantTx,
    (id, kept): (Uuid, &str),
    hash: &str,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let replaced = Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(hash))
        .filter(Column::Id.eq(id))
        .filter(Column::PasswordHash.eq(kept))
        .exec(tx)
        .await?;
    if replaced.rows_affected == 0 {
        return Ok(());
    }
    let stamp = Stamp {
        actor: Actor::System,
        request_id: None,
        address: None,
        at: now,
    };
    let record = Change::new("password.renew_hash", "member", id);
    events::record(tx, &stamp, &record).await
}
