//! Schema `shared`: the extensions and the one function that tenant code may call. Expand-only.

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

// * An extension that is already here (some hosts install them in `public`) is moved, because
//   tenants cannot look into `public`.
// * `fold` names its dictionary and its collation, and its body is parsed now, not when it runs:
//   nothing about the caller's search path or column collation can change what it answers. That
//   is what lets us call it IMMUTABLE although `unaccent` is only STABLE, and so use it in
//   generated columns and indexes. Whoever edits unaccent.rules must rebuild those.
// * The blanks include the three no-break spaces that price files bring along. A single plain
//   blank is no match, so that a text with nothing to mend is not rewritten: half the time.
// * pg_trgm's `set_limit` is closed by the fence: its owner is the first superuser, not us.
const UP: &str = r#"
CREATE SCHEMA IF NOT EXISTS shared;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA shared;
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA shared;
DO $body$
DECLARE
    stray text;
BEGIN
    FOR stray IN
        SELECT extname FROM pg_catalog.pg_extension
        WHERE extname IN ('pg_trgm', 'unaccent')
            AND extnamespace <> 'shared'::pg_catalog.regnamespace
    LOOP
        EXECUTE pg_catalog.format('ALTER EXTENSION %I SET SCHEMA shared', stray);
    END LOOP;
END
$body$;

CREATE FUNCTION shared.fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN pg_catalog.btrim(pg_catalog.regexp_replace(
        pg_catalog.lower(shared.unaccent('shared.unaccent'::pg_catalog.regdictionary, value)
            COLLATE "default"),
        '[\s\u00a0\u2007\u202f]{2,}|[^\S ]|[\u00a0\u2007\u202f]', ' ', 'g'));
COMMENT ON FUNCTION shared.fold(text) IS
    'lower case, no accents, single blanks: the form in which people''s words are compared';

REVOKE ALL ON SCHEMA shared FROM PUBLIC;
GRANT USAGE ON SCHEMA shared TO PUBLIC;
GRANT EXECUTE ON FUNCTION shared.fold(text) TO PUBLIC;
"#;

const DOWN: &str = r"
DROP FUNCTION shared.fold(text);
DROP EXTENSION unaccent;
DROP EXTENSION pg_trgm;
DROP SCHEMA shared;
";
