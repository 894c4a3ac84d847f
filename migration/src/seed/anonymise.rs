//! Takes the people out of a copy of a dealer.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseTransaction;

/// People keep their role and lose name, address and password; nobody stays signed in, and nothing
/// of theirs lets anybody in. What a dealer sells is no personal data and stays. The trail of what
/// was done tells who did it, so it goes as a whole, and the copy begins its own.
const ANONYMISE: &str = "
DELETE FROM session;
SET LOCAL tubex.records_may_go = 'on';
DO $$
DECLARE named text;
BEGIN
    -- A copy of a dealer that is behind has not all of them yet.
    FOREACH named IN ARRAY ARRAY['invitation', 'one_time_token', 'api_key', 'totp_credential',
        'recovery_code', 'sso_identity', 'sso_connection', 'webhook_endpoint', 'idempotency_key',
        'audit_record', 'audit_head', 'mail', 'notification', 'notification_preference',
        'export'] LOOP
        IF to_regclass(named) IS NOT NULL THEN
            EXECUTE format('DELETE FROM %I', named);
        END IF;
    END LOOP;
    FOR named IN SELECT attname FROM pg_attribute WHERE attrelid = 'member'::regclass
        AND attname IN ('email_verified_at', 'password_changed_at', 'last_sign_in_at',
            'mail_bounced_at') LOOP
        EXECUTE format('UPDATE member SET %I = NULL', named);
    END LOOP;
END $$;
SET LOCAL tubex.records_may_go = 'off';
UPDATE member SET email = 'member-' || id || '@example.invalid', name = 'Member ' || left(id::text, 8),
    password_hash = NULL, token_version = token_version + 1";

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
