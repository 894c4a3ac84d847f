//! Getting a second factor, using it, losing it.

use ::entity::tenant::member::{self, Role};
use ::entity::tenant::session;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use super::code::{self, Given};
use super::error::SecondFactorError;
use super::store;
use crate::auth::{Person, Sealer, end_all_sessions, epoch};
use crate::db::TenantTx;
use crate::kernel::TenantKey;

/// Seals and digests for one dealer.
#[derive(Debug, Clone, Copy)]
pub struct Keeper<'a> {
    /// With what.
    pub sealer: &'a Sealer,
    /// For whom.
    pub tenant: TenantKey,
}

/// What an app has to be told, once.
pub(super) struct Enrolment {
    /// For whoever types it, in base 32.
    pub(super) secret: String,
    /// For a QR code.
    pub(super) address: String,
}

/// How a member stands.
pub(super) struct Standing {
    pub(super) confirmed_at: Option<OffsetDateTime>,
    pub(super) recovery_codes_left: u64,
}

impl Keeper<'_> {
    fn place(&self, member: Uuid) -> String {
        self.tenant.scoped(format_args!("totp:{member}"))
    }

    /// What is kept of a recovery code. The member is part of it: it is nobody else's.
    fn recovery_hash(&self, member: Uuid, code: &str) -> Vec<u8> {
        let text = self
            .tenant
            .scoped(format_args!("{member}:{}", code::folded(code)));
        self.sealer.digest("recovery code", text.as_bytes())
    }

    /// What is kept of a challenge.
    pub(super) fn challenge_hash(&self, challenge: &str) -> Vec<u8> {
        let text = self.tenant.scoped(challenge);
        self.sealer
            .digest("second factor challenge", text.as_bytes())
    }
}

/// How a member stands.
///
/// # Errors
///
/// [`SecondFactorError::Db`].
pub(super) async fn standing(tx: &TenantTx, member: Uuid) -> Result<Standing, SecondFactorError> {
    let app = store::find(tx, member).await?;
    Ok(Standing {
        confirmed_at: app.and_then(|app| app.confirmed_at),
        recovery_codes_left: store::recovery_codes_left(tx, member).await?,
    })
}

/// Makes a secret for a member's app, which counts from its first code on.
///
/// # Errors
///
/// [`SecondFactorError::Exists`] while there is one in use.
pub(super) async fn begin(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    person: &Person,
    dealer: &str,
    now: OffsetDateTime,
) -> Result<Enrolment, SecondFactorError> {
    let secret = code::new_secret()?;
    let sealed = keeper.sealer.seal(&keeper.place(person.id), &secret);
    if !store::keep_waiting(tx, person.id, sealed, now).await? {
        return Err(SecondFactorError::Exists);
    }
    let app = code::named_app(&secret, dealer, &person.email)?;
    let broken = |error: totp_rs::TotpError| SecondFactorError::Broken(error.to_string());
    Ok(Enrolment {
        secret: app.secret().to_base32(),
        address: app.to_url().map_err(broken)?,
    })
}

/// Takes an app into use that shows the right code; the answer is its recovery codes.
///
/// # Errors
///
/// [`SecondFactorError::NotFound`] when none waits for that, [`SecondFactorError::Wrong`].
pub(super) async fn confirm(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    (member, session): (Uuid, Uuid),
    code: &str,
    now: OffsetDateTime,
) -> Result<Vec<String>, SecondFactorError> {
    let waiting = store::find(tx, member)
        .await?
        .filter(|app| app.confirmed_at.is_none());
    if waiting.is_none() {
        return Err(SecondFactorError::NotFound);
    }
    if !takes_code(tx, keeper, member, code, now).await? {
        return Err(SecondFactorError::Wrong);
    }
    if !store::confirm(tx, member, now).await? {
        return Err(SecondFactorError::NotFound);
    }
    prove_session(tx, session, Proven::WithSecondFactor, now).await?;
    new_recovery_codes(tx, keeper, member).await
}

/// Gives a member new recovery codes; those before are void.
///
/// # Errors
///
/// [`SecondFactorError::NotFound`] without a second factor.
pub(super) async fn renew_recovery_codes(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    member: Uuid,
) -> Result<Vec<String>, SecondFactorError> {
    let app = store::find(tx, member).await?;
    if app.is_none_or(|app| app.confirmed_at.is_none()) {
        return Err(SecondFactorError::NotFound);
    }
    new_recovery_codes(tx, keeper, member).await
}

async fn new_recovery_codes(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    member: Uuid,
) -> Result<Vec<String>, SecondFactorError> {
    let codes = code::new_recovery_codes()?;
    let hashes = codes
        .iter()
        .map(|code| keeper.recovery_hash(member, code))
        .collect();
    store::replace_recovery_codes(tx, member, hashes).await?;
    Ok(codes)
}

/// Whether a member has shown their second factor. What was shown is used up, if it was right.
///
/// # Errors
///
/// [`SecondFactorError::Db`], or [`SecondFactorError::Broken`] when the secret can't be opened.
pub(super) async fn takes(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    member: Uuid,
    given: &Given,
    now: OffsetDateTime,
) -> Result<bool, SecondFactorError> {
    let app = store::find(tx, member).await?;
    if app.is_none_or(|app| app.confirmed_at.is_none()) {
        return Ok(false);
    }
    match given {
        Given::Code(code) => takes_code(tx, keeper, member, code, now).await,
        Given::RecoveryCode(code) => {
            let hash = keeper.recovery_hash(member, code);
            Ok(store::take_recovery_code(tx, member, hash, now).await?)
        }
    }
}

async fn takes_code(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    member: Uuid,
    code: &str,
    now: OffsetDateTime,
) -> Result<bool, SecondFactorError> {
    let Some(app) = store::find(tx, member).await? else {
        return Ok(false);
    };
    let secret = keeper
        .sealer
        .open(&keeper.place(member), &app.sealed_secret)?;
    match code::step_of(&code::app(&secret)?, code, now) {
        Some(step) => Ok(store::take_step(tx, member, step).await?),
        None => Ok(false),
    }
}

/// Removes a member's own.
///
/// # Errors
///
/// [`SecondFactorError::NotFound`].
pub(super) async fn remove(tx: &TenantTx, member: Uuid) -> Result<(), SecondFactorError> {
    if !store::remove(tx, member).await? {
        return Err(SecondFactorError::NotFound);
    }
    epoch::bump(tx).await?;
    Ok(())
}

/// Removes somebody else's, who has lost it. Their sessions end: whoever found it may be in one.
///
/// # Errors
///
/// [`SecondFactorError::NoSuchMember`], [`SecondFactorError::OwnersOnly`],
/// [`SecondFactorError::NotFound`].
pub(super) async fn reset(
    tx: &TenantTx,
    by: Option<Role>,
    member: Uuid,
    now: OffsetDateTime,
) -> Result<(), SecondFactorError> {
    let member = member::Entity::find_by_id(member)
        .one(tx)
        .await?
        .ok_or(SecondFactorError::NoSuchMember)?;
    if member.role == Role::Owner && by != Some(Role::Owner) {
        return Err(SecondFactorError::OwnersOnly);
    }
    if !store::remove(tx, member.id).await? {
        return Err(SecondFactorError::NotFound);
    }
    end_all_sessions(tx, member.id, None, "second_factor_reset", now).await?;
    Ok(())
}

/// With what somebody has proven anew who they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proven {
    /// With their password.
    WithPassword,
    /// With their second factor.
    WithSecondFactor,
}

/// Puts into a session that its holder has proven anew who they are; for all processes within a
/// second.
///
/// # Errors
///
/// [`SecondFactorError::Db`].
pub(super) async fn prove_session(
    tx: &TenantTx,
    session: Uuid,
    proven: Proven,
    now: OffsetDateTime,
) -> Result<(), SecondFactorError> {
    let mut change = session::Entity::update_many()
        .col_expr(session::Column::ProvenAt, Expr::value(now))
        .filter(session::Column::Id.eq(session));
    if proven == Proven::WithSecondFactor {
        change = change.col_expr(session::Column::SecondFactorAt, Expr::value(now));
    }
    change.exec(tx).await?;
    epoch::bump(tx).await?;
    Ok(())
}
