//! Takes the people out of a copy of a dealer.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseTransaction;

/// People keep their role and lose name, address and password; nobody stays signed in, and nothing
/// of theirs lets anybody in. What a dealer sells is no personal data and stays. The trail of what
/// was done tells who did it, so it goes as a whole, and the copy begins its own.
const ANONYMISE: &str = "
DELETE FROM session;
DELETE FROM one_time_token;
DELETE FROM invitation;
DELETE FROM totp_credential;
DELETE FROM recovery_code;
DELETE FROM api_key;
DELETE FROM sso_connection;
DELETE FROM idempotency_key;
SET LOCAL tubex.records_may_go = 'on';
DELETE FROM audit_record;
DELETE FROM audit_head;
SET LOCAL tubex.records_may_go = 'off';
UPDATE member SET email = 'member-' || id || '@example.invalid', name = 'Member ' || left(id::text, 8),
    password_hash = NULL, email_verified_at = NULL, password_changed_at = NULL, last_sign_in_at = NULL,
    token_version = token_version + 1";

/// Takes out of a copy whatever tells who a person is or lets anybody sign in, within the
/// transaction that makes the copy. The search path is the copy's schema.
///
/// # Errors
///
/// Any [`DbErr`]; the caller's transaction is then void, and with it the copy.
pub async fn anonymise(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    tx.execute_unprepared(ANONYMISE).await?;
    Ok(())
}
