//! What a new dealer is born with: standard units, settings, the owner, and on request a
//! demonstration catalogue.

mod anonymise;
mod demo;
mod units;
mod words;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::anonymise::anonymise;
pub use self::words::{CURRENCY, DEFAULT_CURRENCY, SEEDS, currency};

/// The facts about a dealer that its first rows are made of.
#[derive(Debug, Clone)]
pub struct Birth {
    /// The first owner, or none for a dealer that starts without people.
    pub owner: Option<FirstOwner>,
    /// ISO 4217 code that new prices have unless they say otherwise; `EUR` when absent.
    pub currency: Option<String>,
    /// Whether the demonstration catalogue is loaded.
    pub demo: bool,
}

/// Somebody to begin with.
#[derive(Debug, Clone)]
pub struct FirstOwner {
    /// Their address.
    pub email: String,
    /// How to address them.
    pub name: String,
    /// How they get in.
    pub entrance: Entrance,
}

/// How the first owner gets in.
#[derive(Debug, Clone)]
pub enum Entrance {
    /// They are a member from the beginning.
    Password {
        /// Argon2id PHC string.
        hash: String,
    },
    /// They become one when they accept.
    Invitation {
        /// Hash of the token.
        token_hash: Vec<u8>,
        /// UTC.
        expires_at: OffsetDateTime,
    },
}

/// Writes the first rows of a new dealer, within the transaction that creates it.
///
/// # Errors
///
/// Any [`DbErr`]; the caller's transaction is then void, and with it the dealer.
pub async fn seed(tx: &DatabaseTransaction, birth: &Birth) -> Result<(), DbErr> {
    units::insert(tx).await?;
    let currency = birth.currency.as_deref().unwrap_or(DEFAULT_CURRENCY);
    execute(
        tx,
        "INSERT INTO setting (key, value) VALUES ('currency', to_jsonb($1::text))",
        [currency.into()],
    )
    .await?;
    if let Some(owner) = &birth.owner {
        insert_owner(tx, owner).await?;
    }
    if birth.demo {
        demo::insert(tx, currency).await?;
    }
    Ok(())
}

async fn insert_owner(tx: &DatabaseTransaction, owner: &FirstOwner) -> Result<(), DbErr> {
    let (id, email, name) = (Uuid::now_v7(), &owner.email, &owner.name);
    match &owner.entrance {
        Entrance::Password { hash } => {
            execute(
                tx,
                "INSERT INTO member (id, email, name, role, status, password_hash)
                 VALUES ($1, lower(btrim($2)), $3, 'owner', 'active', $4)",
                [id.into(), email.into(), name.into(), hash.into()],
            )
            .await
        }
        Entrance::Invitation {
            token_hash,
            expires_at,
        } => {
            execute(
                tx,
                "INSERT INTO invitation
                     (id, email, name, role, token_hash, created_at, updated_at, expires_at)
                 VALUES ($1, lower(btrim($2)), $3, 'owner', $4, now(), now(), $5)",
                [
                    id.into(),
                    email.into(),
                    name.into(),
                    token_hash.clone().into(),
                    (*expires_at).into(),
                ],
            )
            .await
        }
    }
}

/// Runs one statement with its values bound.
async fn execute<const N: usize>(
    tx: &DatabaseTransaction,
    sql: &str,
    values: [Value; N],
) -> Result<(), DbErr> {
    tx.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
    .await?;
    Ok(())
}
