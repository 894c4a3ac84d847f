//! The dealer's access epoch: goes up with every change after which somebody may be somebody else,
//! or may do other things.

use ::entity::tenant::access_state;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};

use crate::db::{TenantTx, Wake};

/// What the dealer's answers to "who may what" stand on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccessState {
    /// Goes up when sessions, people, roles or keys change.
    pub epoch: i64,
    /// Goes up when all tokens of the dealer are void.
    pub token_version: i32,
}

/// How it stands.
///
/// # Errors
///
/// When the database refuses.
pub async fn read(tx: &TenantTx) -> Result<AccessState, DbErr> {
    let row = access_state::Entity::find().one(tx).await?;
    Ok(row.map_or_else(AccessState::default, |row| AccessState {
        epoch: row.epoch,
        token_version: row.token_version,
    }))
}

/// To be called by whatever ends a session or changes a person, a role, a key or a policy, in the
/// same transaction: within a second no process believes what it remembers. Whoever serves those who
/// follow the dealer's events is woken to look at once who still may.
///
/// # Errors
///
/// When the database refuses.
pub async fn bump(tx: &TenantTx) -> Result<(), DbErr> {
    tx.execute_unprepared(
        "INSERT INTO access_state AS state (is_only, epoch) VALUES (true, 1)
         ON CONFLICT (is_only) DO UPDATE SET epoch = state.epoch + 1",
    )
    .await?;
    tx.wake(Wake::Events);
    Ok(())
}

/// Voids every token of the dealer.
///
/// # Errors
///
/// When the database refuses.
pub async fn void_all_tokens(tx: &TenantTx) -> Result<(), DbErr> {
    tx.execute_unprepared(
        "INSERT INTO access_state AS state (is_only, epoch, token_version) VALUES (true, 1, 1)
         ON CONFLICT (is_only) DO UPDATE
         SET epoch = state.epoch + 1, token_version = state.token_version + 1",
    )
    .await?;
    tx.wake(Wake::Events);
    Ok(())
}
