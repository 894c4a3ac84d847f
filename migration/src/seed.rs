//! What a new dealer is born with: standard units, settings, the owner, and on request a
//! demonstration catalogue.

mod anonymise;
mod demo;
mod units;
mod words;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use uuid::Uuid;

pub use self::anonymise::anonymise;
pub use self::words::{CURRENCY, DEFAULT_CURRENCY, SEEDS, currency};

/// The facts about a dealer that its first rows are made of.
#[derive(Debug, Clone)]
pub struct Birth {
    /// Name of the first owner; the address if it isn't known.
    pub owner_name: Option<String>,
    /// Address of the first owner, or none for a dealer that starts without people.
    pub owner_email: Option<String>,
    /// The owner's password as an argon2id PHC string; without it the owner can't sign in yet.
    pub owner_password_hash: Option<String>,
    /// ISO 4217 code that new prices have unless they say otherwise; `EUR` when absent.
    pub currency: Option<String>,
    /// Whether the demonstration catalogue is loaded.
    pub demo: bool,
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
    if let Some(email) = &birth.owner_email {
        insert_owner(tx, email, birth).await?;
    }
    if birth.demo {
        demo::insert(tx, currency).await?;
    }
    Ok(())
}

async fn insert_owner(tx: &DatabaseTransaction, email: &str, birth: &Birth) -> Result<(), DbErr> {
    let name = birth.owner_name.as_deref().unwrap_or(email);
    execute(
        tx,
        "INSERT INTO member (id, email, name, role, status, password_hash)
         VALUES ($1, lower(btrim($2)), $3, 'owner', 'active', $4)",
        [
            Uuid::now_v7().into(),
            email.into(),
            name.into(),
            birth.owner_password_hash.clone().into(),
        ],
    )
    .await
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
