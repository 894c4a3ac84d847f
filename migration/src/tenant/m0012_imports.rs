//! Price files on their way into the catalogue, and how suppliers write theirs. Expand-only.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(UP).await?;
        m.get_connection().execute_unprepared(EXPORTS).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(NO_EXPORTS).await?;
        m.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}

/// * A file is read into nothing but numbers, samples and what is to be told of rows; the file itself
///   lies in storage until the import is over.
/// * One import at a time works on a dealer's items: the partial index says so to all workers.
/// * `checkpoint` counts the rows of the file that are done. It changes in the very transaction that
///   does them, so that whoever goes on after a crash does none twice.
/// * `import_change` is what an import did to each item: `before` is what the item was, nothing when
///   the import made it, and `version` what the import left it at. It points at items that may be gone
///   since, and looking each one up would cost every import.
/// * `details` says whether an import's rows, samples and journal are kept: some time after its end they
///   go, a part at a time, and from `going` on there is no way back.
/// * `import_source` tells which items came with a supplier's files, so that those that a list leaves
///   out can be retired.
const UP: &str = "
CREATE TABLE import_profile (
    id uuid CONSTRAINT import_profile_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT import_profile_name_key UNIQUE
        CONSTRAINT import_profile_name_check CHECK (length(name) BETWEEN 1 AND 100),
    mapping jsonb NOT NULL
        CONSTRAINT import_profile_mapping_check CHECK (jsonb_typeof(mapping) = 'object'),
    options jsonb NOT NULL
        CONSTRAINT import_profile_options_check CHECK (jsonb_typeof(options) = 'object'),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE import (
    id uuid CONSTRAINT import_pkey PRIMARY KEY,
    status text NOT NULL CONSTRAINT import_status_check CHECK (status IN ('uploaded', 'reading',
        'ready', 'queued', 'applying', 'applied', 'failed', 'cancelling', 'cancelled', 'undoing',
        'undone')),
    file_name text NOT NULL,
    file_bytes bigint NOT NULL,
    file_sha256 bytea NOT NULL,
    profile_id uuid
        CONSTRAINT import_profile_id_fkey REFERENCES import_profile (id) ON DELETE SET NULL,
    mapping jsonb,
    options jsonb NOT NULL,
    plan jsonb,
    summary jsonb NOT NULL DEFAULT '{}',
    rows_total bigint,
    rows_done bigint NOT NULL DEFAULT 0,
    checkpoint bigint NOT NULL DEFAULT 0,
    job_id uuid,
    requested_by uuid,
    error jsonb,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    details text NOT NULL DEFAULT 'kept'
        CONSTRAINT import_details_check CHECK (details IN ('kept', 'going', 'gone'))
) WITH (fillfactor = 50);
CREATE INDEX import_profile_id_idx ON import (profile_id) WHERE profile_id IS NOT NULL;
CREATE INDEX import_finished_at_idx ON import (finished_at) WHERE status = 'applied';
CREATE INDEX import_details_idx ON import (updated_at) WHERE details <> 'gone';
CREATE UNIQUE INDEX import_one_at_work_idx ON import ((true))
    WHERE status IN ('applying', 'cancelling', 'undoing');

CREATE TABLE import_row (
    import_id uuid NOT NULL
        CONSTRAINT import_row_import_id_fkey REFERENCES import (id) ON DELETE CASCADE,
    kind text NOT NULL CONSTRAINT import_row_kind_check
        CHECK (kind IN ('rejected', 'superseded', 'warning', 'kept')),
    number bigint NOT NULL,
    line bigint NOT NULL,
    column_name text,
    value text NOT NULL,
    code text NOT NULL,
    hint text NOT NULL,
    raw text,
    CONSTRAINT import_row_pkey PRIMARY KEY (import_id, kind, number)
);

CREATE TABLE import_change (
    import_id uuid NOT NULL,
    item_id uuid NOT NULL,
    before jsonb,
    version bigint NOT NULL,
    barcodes text[],
    outcome text CONSTRAINT import_change_outcome_check
        CHECK (outcome IN ('restored', 'removed', 'kept')),
    CONSTRAINT import_change_pkey PRIMARY KEY (import_id, item_id)
);

CREATE TABLE import_source (
    profile_id uuid NOT NULL
        CONSTRAINT import_source_profile_id_fkey REFERENCES import_profile (id) ON DELETE CASCADE,
    item_id uuid NOT NULL,
    CONSTRAINT import_source_pkey PRIMARY KEY (profile_id, item_id)
);
";

const DOWN: &str = "
DROP TABLE import_source;
DROP TABLE import_change;
DROP TABLE import_row;
DROP TABLE import;
DROP TABLE import_profile;
";

/// * Who asked for an export may leave: it stays until it expires.
const EXPORTS: &str = "
CREATE TABLE export (
    id uuid CONSTRAINT export_pkey PRIMARY KEY,
    kind text NOT NULL CONSTRAINT export_kind_check CHECK (kind IN ('items')),
    format text NOT NULL CONSTRAINT export_format_check CHECK (format IN ('csv', 'xlsx')),
    columns text[] NOT NULL,
    filter jsonb NOT NULL,
    state text NOT NULL
        CONSTRAINT export_state_check CHECK (state IN ('pending', 'done', 'failed')),
    row_count bigint NOT NULL,
    bytes bigint,
    error text,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    expires_at timestamptz NOT NULL
);
CREATE INDEX export_expires_at_idx ON export (expires_at);
";

const NO_EXPORTS: &str = "
DROP TABLE export;
";
