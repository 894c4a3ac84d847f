//! Signing keys in the platform's table: read, made when one is due, and retired.

use ::entity::platform::signing_key::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
};
use time::{Duration, OffsetDateTime};

use super::ring::{Key, NewKey, Ring};
use crate::auth::AuthError;
use crate::config::Auth;
use crate::db::PlatformTx;
use crate::kernel::Sealer;

/// Clocks of our machines are apart by no more.
const SKEW: Duration = Duration::minutes(1);
/// A retired key stays in the table for as long, for whoever looks into what happened.
const KEPT: Duration = Duration::days(90);

/// When keys are made, and how long they are good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// How long a key signs.
    pub(super) signs: Duration,
    /// How long it is known before it signs.
    pub(super) overlap: Duration,
    /// How long a token that it signed at last is good.
    pub(super) token: Duration,
}

/// Why a key is replaced before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Somebody wants it; nobody's token becomes void.
    Wanted,
    /// Somebody else may have it: it is trusted no more, and everybody's access token is void.
    Compromised,
}

/// The key that came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Its name.
    pub kid: String,
    /// UTC; when it begins to sign.
    pub signs_from: OffsetDateTime,
}

impl Terms {
    pub(super) fn of(config: &Auth) -> Self {
        Self {
            signs: Duration::days(config.signing_key_days.into()),
            overlap: Duration::minutes(config.signing_overlap_minutes.into()),
            token: Duration::minutes(config.access_minutes.into()),
        }
    }

    /// Whether the next key must be made known.
    pub(super) fn is_due(&self, ring: &Ring, now: OffsetDateTime) -> bool {
        let newest = ring.newest();
        newest.is_none_or(|key| key.signs_from + self.signs - self.overlap <= now)
    }
}

/// All keys that are still good. One that can't be opened was made under another secret, or by
/// somebody else, and is not trusted.
pub(super) async fn read(
    tx: &PlatformTx,
    sealer: &Sealer,
    now: OffsetDateTime,
) -> Result<Ring, AuthError> {
    let good = Condition::any()
        .add(Column::VerifiesUntil.is_null())
        .add(Column::VerifiesUntil.gt(now));
    let rows = Entity::find().filter(good).all(tx).await?;
    let keys = rows.into_iter().filter_map(|row| opened(row, sealer));
    Ok(Ring::of(keys.collect()))
}

/// Makes the next key if it is due. Processes that find that at the same time go one by one, and
/// all but the first find that it is not.
pub(super) async fn renew(
    tx: &PlatformTx,
    sealer: &Sealer,
    terms: Terms,
    now: OffsetDateTime,
) -> Result<(), AuthError> {
    let ring = locked(tx, sealer, now).await?;
    if terms.is_due(&ring, now) {
        // Nobody has a token yet that the first could come too early for.
        let overlap = if ring.is_empty() {
            Duration::ZERO
        } else {
            terms.overlap
        };
        let from = now + overlap;
        replace(tx, sealer, (from, from + terms.token + SKEW), now).await?;
    }
    Ok(())
}

/// Makes the next key, whether it is due or not.
pub(super) async fn rotate(
    tx: &PlatformTx,
    sealer: &Sealer,
    terms: Terms,
    (because, now): (Because, OffsetDateTime),
) -> Result<Rotated, AuthError> {
    locked(tx, sealer, now).await?;
    match because {
        Because::Wanted => {
            let from = now + terms.overlap;
            replace(tx, sealer, (from, from + terms.token + SKEW), now).await
        }
        Because::Compromised => replace(tx, sealer, (now, now), now).await,
    }
}

async fn locked(tx: &PlatformTx, sealer: &Sealer, now: OffsetDateTime) -> Result<Ring, AuthError> {
    tx.execute_unprepared("LOCK TABLE platform.signing_key IN SHARE ROW EXCLUSIVE MODE")
        .await?;
    read(tx, sealer, now).await
}

/// Adds a key, and says until when those before it are trusted.
async fn replace(
    tx: &PlatformTx,
    sealer: &Sealer,
    (signs_from, others_until): (OffsetDateTime, OffsetDateTime),
    now: OffsetDateTime,
) -> Result<Rotated, AuthError> {
    let ends_later = Condition::any()
        .add(Column::VerifiesUntil.is_null())
        .add(Column::VerifiesUntil.gt(others_until));
    Entity::update_many()
        .col_expr(Column::VerifiesUntil, Expr::value(others_until))
        .filter(ends_later)
        .exec(tx)
        .await?;
    Entity::delete_many()
        .filter(Column::VerifiesUntil.lt(now - KEPT))
        .exec(tx)
        .await?;
    let new = NewKey::generate()?;
    let row = ActiveModel {
        kid: Set(new.kid.clone()),
        sealed_private_key: Set(sealer.seal(&place(&new.kid), &new.private)),
        public_key: Set(new.public),
        created_at: Set(now),
        signs_from: Set(signs_from),
        verifies_until: Set(None),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    tracing::info!(kid = new.kid, %signs_from, "a new key will sign access tokens");
    Ok(Rotated {
        kid: new.kid,
        signs_from,
    })
}

fn opened(row: Model, sealer: &Sealer) -> Option<Key> {
    let private = sealer.open(&place(&row.kid), &row.sealed_private_key);
    let key = private.ok().and_then(|private| {
        let times = (row.signs_from, row.verifies_until);
        Key::opened((row.kid.clone(), row.public_key), &private, times)
    });
    if key.is_none() {
        tracing::warn!(
            kid = row.kid,
            "a signing key was not made by us and is not trusted"
        );
    }
    key
}

fn place(kid: &str) -> String {
    format!("platform:signing-key:{kid}")
}
