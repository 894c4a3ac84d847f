//! What people are told, how they want to be told, and messages that were sent. Expand-only.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(UP).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}

/// * What a message is made of holds links that open doors: it is sealed, and gone once the message has
///   ended.
/// * A message for nobody is one that was asked for at an address that nobody has: it costs what others
///   do, and is thrown away.
/// * What waits for a digest is marked so until it was in one.
const UP: &str = "
CREATE TABLE mail (
    id uuid CONSTRAINT mail_pkey PRIMARY KEY,
    recipient text,
    kind text NOT NULL,
    language text NOT NULL
        CONSTRAINT mail_language_check CHECK (language IN ('de', 'en', 'et', 'pt')),
    sealed bytea,
    status text NOT NULL
        CONSTRAINT mail_status_check CHECK (status IN ('queued', 'sent', 'failed', 'bounced',
            'suppressed')),
    attempts integer NOT NULL DEFAULT 0,
    refusal_code integer,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT mail_sealed_check CHECK (sealed IS NULL OR status IN ('queued', 'failed'))
);
CREATE INDEX mail_created_at_idx ON mail (created_at);

CREATE TABLE notification (
    id uuid CONSTRAINT notification_pkey PRIMARY KEY,
    member_id uuid NOT NULL
        CONSTRAINT notification_member_id_fkey REFERENCES member (id) ON DELETE CASCADE,
    kind text NOT NULL,
    data jsonb NOT NULL,
    in_app boolean NOT NULL,
    awaits_digest boolean NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz
);
CREATE INDEX notification_member_id_idx ON notification (member_id, id);
CREATE INDEX notification_unread_idx ON notification (member_id, id) WHERE in_app AND read_at IS NULL;
CREATE INDEX notification_awaits_digest_idx ON notification (member_id, id) WHERE awaits_digest;
CREATE INDEX notification_created_at_idx ON notification (created_at);

CREATE TABLE notification_preference (
    member_id uuid CONSTRAINT notification_preference_pkey PRIMARY KEY
        CONSTRAINT notification_preference_member_id_fkey REFERENCES member (id) ON DELETE CASCADE,
    language text
        CONSTRAINT notification_preference_language_check
            CHECK (language IN ('de', 'en', 'et', 'pt')),
    choices jsonb NOT NULL DEFAULT '{}',
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL
);

ALTER TABLE member
    ADD COLUMN mail_bounced_at timestamptz;
";

const DOWN: &str = "
ALTER TABLE member
    DROP COLUMN mail_bounced_at;
DROP TABLE notification_preference;
DROP TABLE notification;
DROP TABLE mail;
";
