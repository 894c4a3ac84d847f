//! Forgotten and changed passwords. It opens its own transactions, unlike a service: passwords are
//! checked and hashed between two of them, because no connection should wait for that.

use ::entity::tenant::member::Model;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use time::Duration;
use uuid::Uuid;

use super::service;
use crate::audit::{Actor, Change};
use crate::auth::{OneTimeKind, OneTimeToken, Standing, short_digest};
use crate::db::{TenantDb, TenantTx};
use crate::http::{Answer, Caller, Dealer, Done, Problem};
use crate::kernel::Email;
use crate::mail::{Occasion, To};
use crate::state::AppState;
use crate::tenant::notifications::{Kind, Notice, notify};
use crate::tenant::team::error::TeamError;

/// Sends a link to whoever has the address, if anybody does. What is done for nobody is the same: a
/// look-up, a token, a message that is thrown away, a record.
pub(super) async fn forgot(
    req: &HttpRequest,
    dealer: &Dealer,
    email: &str,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &dealer.db);
    let now = state.clock.now();
    let life = Duration::minutes(state.config.auth.reset_minutes.into());
    let email = Email::parse(email).ok();
    let text = email.as_ref().map_or("nobody", Email::as_str);
    // Somebody who was written to often enough is not written to, and nobody is told.
    let may_write = may_write(state, db, text).await;
    dealer
        .gate
        .write(async |tx| {
            let found = service::by_email(tx, text).await?;
            let member = found.filter(|_| may_write);
            let id = member.as_ref().map(|member| member.id);
            let (kind, whose) = (OneTimeKind::PasswordReset, (id, text));
            let token = service::issue(tx, &state.sealer, kind, whose, (life, now)).await?;
            let occasion = Occasion::Reset {
                token: token.as_str().to_owned(),
                minutes: state.config.auth.reset_minutes,
            };
            write_to(state, (db, tx), member.as_ref(), occasion).await?;
            let record = Change::of_all("password.forget", "member");
            Ok::<_, TeamError>(Done::new(
                record,
                Answer::accepted(&super::http::Sent::TO_WHOM),
            ))
        })
        .await
}

/// Sets a password with a token.
pub(super) async fn reset(
    req: &HttpRequest,
    dealer: &Dealer,
    token: OneTimeToken,
    password: SecretString,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &dealer.db);
    let (sealer, now) = (&state.sealer, state.clock.now());
    let member = db
        .read(async |tx| service::owner_of(tx, sealer, &token, now).await)
        .await?;
    let hash = chosen(state, db, &member, ("/password", password)).await?;
    let gate = dealer.gate.by(Actor::Member { id: member.id });
    gate.write(async |tx| {
        let member = service::reset(tx, sealer, &token, &hash, now).await?;
        tell(state, (db, tx), member.id, Kind::PasswordChanged).await?;
        let record = Change::new("password.reset", "member", member.id);
        Ok::<_, TeamError>(Done::new(record, Answer::no_content()))
    })
    .await
}

/// Changes one's password, knowing the present one.
pub(super) async fn change(
    req: &HttpRequest,
    caller: &Caller,
    current: SecretString,
    new: SecretString,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &caller.db);
    let (session, now) = (caller.session_id()?, state.clock.now());
    let member = proven(state, caller, current)
        .await
        .map_err(|error| at("/current", error))?;
    let hash = chosen(state, db, &member, ("/new", new)).await?;
    caller
        .gate
        .write(async |tx| {
            let whose = (member.id, session);
            let member = service::change_password(tx, whose, &hash, now).await?;
            tell(state, (db, tx), member.id, Kind::PasswordChanged).await?;
            let record = Change::new("password.change", "member", member.id);
            Ok::<_, TeamError>(Done::new(record, Answer::no_content()))
        })
        .await
}

/// Whoever is signed in, if the password is theirs. Guesses count as sign-ins of the account do.
pub(super) async fn proven(
    state: &AppState,
    caller: &Caller,
    password: SecretString,
) -> Result<Model, TeamError> {
    let id = caller.principal.person.id;
    let key = caller.db.tenant().key();
    let key = key.scoped(format_args!("password:{id}"));
    if let Standing::Blocked(seconds) = state.attempts.begin(&key).await {
        return Err(TeamError::Auth(crate::auth::AuthError::TooManyAttempts(
            seconds,
        )));
    }
    let member = caller
        .db
        .read(async |tx| service::by_id(tx, id).await)
        .await?;
    let kept = member.password_hash.clone();
    if !state.passwords.check(password, kept).await? {
        return Err(TeamError::WrongPassword);
    }
    state.attempts.forgive(&key).await;
    Ok(member)
}

/// Says in which field a wrong password was.
pub(super) fn at(pointer: &str, error: TeamError) -> Problem {
    match error {
        TeamError::WrongPassword => Problem::field(pointer, "wrong", error),
        other => other.into(),
    }
}

async fn chosen(
    state: &AppState,
    db: &TenantDb,
    member: &Model,
    (pointer, password): (&'static str, SecretString),
) -> Result<String, TeamError> {
    let tenant = db.tenant();
    let context = [&member.name, &member.email, tenant.name(), tenant.slug()];
    let context = context.map(ToOwned::to_owned).to_vec();
    let chosen = state.passwords.choose(password, context).await;
    chosen.map_err(|unfit| TeamError::Unfit(pointer, unfit))
}

/// Whether an address may be written to on request.
pub(super) async fn may_write(state: &AppState, db: &TenantDb, email: &str) -> bool {
    let what = format!("mail:{}", short_digest(email));
    let key = db.tenant().key().scoped(what);
    state.attempts.begin_mail(&key).await == Standing::Open
}

/// Writes to a member at their present address; to nobody, where there is none: that costs the same.
pub(super) async fn write_to(
    state: &AppState,
    (db, tx): (&TenantDb, &TenantTx),
    member: Option<&Model>,
    occasion: Occasion,
) -> Result<(), TeamError> {
    // An address from before addresses were looked at so closely may be one that nobody can write to.
    let email = member.and_then(|member| Email::parse(&member.email).ok());
    let to = To {
        email: email.as_ref(),
        name: member.map_or("", |member| &member.name),
        member: member.map(|member| member.id),
        language: None,
    };
    let outbox = state.mailer.of(db.tenant().key());
    Ok(outbox.post(tx, to, occasion, state.clock.now()).await?)
}

/// Tells a member of something that was done to their account.
async fn tell(
    state: &AppState,
    (db, tx): (&TenantDb, &TenantTx),
    member: Uuid,
    kind: Kind,
) -> Result<(), TeamError> {
    let outbox = state.mailer.of(db.tenant().key());
    let notice = Notice::to(member, kind);
    Ok(notify(tx, &outbox, &notice, state.clock.now()).await?)
}
