//! Finds in the catalogues what stands open to PUBLIC, and writes the statement that closes it.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// One thing that PUBLIC may do and should not.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) object: String,
    pub(super) owner: String,
    /// Whether we may close it.
    pub(super) is_ours: bool,
    pub(super) remedy: String,
}

/// Everything that stands open, in a stable order.
pub(super) async fn open(db: &impl ConnectionTrait) -> Result<Vec<Opening>, DbErr> {
    let rows = db
        .query_all_raw(Statement::from_string(DbBackend::Postgres, OPEN))
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Opening {
                object: row.try_get("", "object")?,
                owner: row.try_get("", "owner")?,
                is_ours: row.try_get("", "is_ours")?,
                remedy: row.try_get("", "remedy")?,
            })
        })
        .collect()
}

/// One row for each opening.
///
/// A right taken from PUBLIC is given to the current role where we need it ourselves (`pg_notify`
/// for the directory's triggers, advisory locks and the catalogue's estimates for the provisioner)
/// and to Postgres' own role for the purpose, so that monitoring goes on. `grantee = 0` is PUBLIC,
/// and `acldefault` says what an empty list means.
///
/// `set_limit` is special: its extension's functions belong to the first superuser whoever makes
/// the extension, and where the fence must be complete that making was undone with all the rest.
/// So the remedy makes it again, before it closes it.
///
/// `pg_class` is special: clients read it all the time, so PUBLIC keeps every column but the
/// estimates of rows and pages.
const OPEN: &str = r"
WITH me AS (
    SELECT quote_ident(current_user) AS name
),
wanted_function AS (
    SELECT p.proowner, p.proacl,
        format('%I.%I(%s)', p.pronamespace::regnamespace, p.proname,
            oidvectortypes(p.proargtypes)) AS signature,
        CASE WHEN p.proname = 'set_limit' THEN
            'CREATE SCHEMA IF NOT EXISTS shared AUTHORIZATION ' || (SELECT name FROM me)
            || '; CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA shared; '
        ELSE '' END AS before,
        CASE
        WHEN p.proname = 'set_limit' THEN NULL
        WHEN p.proname ~ '^lo_' OR p.proname IN ('loread', 'lowrite') THEN NULL
        WHEN p.proname = 'pg_notify' THEN (SELECT name FROM me)
        WHEN p.proname ~ '^pg_(try_)?advisory_(lock|unlock)' THEN (SELECT name FROM me)
        WHEN p.proname IN ('pg_cancel_backend', 'pg_terminate_backend') THEN 'pg_signal_backend'
        ELSE 'pg_monitor' END AS heir
    FROM pg_catalog.pg_proc p
    WHERE p.proname = 'set_limit' AND p.pronamespace = to_regnamespace('shared')
        OR p.pronamespace = 'pg_catalog'::regnamespace AND (
        p.proname ~ '^lo_' OR p.proname IN ('loread', 'lowrite', 'pg_notify')
        OR p.proname ~ '^pg_(try_)?advisory_(lock|unlock)'
        OR p.proname IN ('pg_cancel_backend', 'pg_terminate_backend')
        OR p.proname ~ '^pg_stat_get_'
        OR p.proname IN ('pg_relation_size', 'pg_table_size', 'pg_indexes_size',
            'pg_total_relation_size', 'pg_lock_status', 'pg_blocking_pids',
            'pg_safe_snapshot_blocking_pids', 'pg_isolation_test_session_is_blocked',
            'pg_prepared_statement', 'pg_prepared_xact'))
),
estimates AS (
    SELECT c.oid, c.relowner, c.relacl,
        string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS others
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.oid = 'pg_catalog.pg_class'::regclass AND NOT a.attisdropped
        AND a.attname NOT IN ('reltuples', 'relpages', 'relallvisible', 'relallfrozen')
    GROUP BY c.oid
)
SELECT object, pg_get_userbyid(owner) AS owner, pg_has_role(current_user, owner, 'USAGE') AS is_ours,
    remedy
FROM (
    SELECT 1 AS place, 'database ' || quote_ident(d.datname) AS object, d.datdba AS owner,
        format('REVOKE ALL ON DATABASE %I FROM PUBLIC;', d.datname) AS remedy
    FROM pg_catalog.pg_database d
    WHERE d.datname = current_database() AND EXISTS (
        SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) WHERE grantee = 0)
    UNION ALL
    SELECT 2, 'schema public', n.nspowner, 'REVOKE ALL ON SCHEMA public FROM PUBLIC;'
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname = 'public' AND EXISTS (
        SELECT FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) WHERE grantee = 0)
    UNION ALL
    SELECT 3, 'function ' || f.signature, f.proowner,
        f.before || 'REVOKE EXECUTE ON FUNCTION ' || f.signature || ' FROM PUBLIC;'
            || coalesce(' GRANT EXECUTE ON FUNCTION ' || f.signature || ' TO ' || heir || ';', '')
    FROM wanted_function f
    WHERE EXISTS (
        SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) WHERE grantee = 0)
    UNION ALL
    SELECT 4, 'view ' || c.relname, c.relowner,
        format('REVOKE ALL ON pg_catalog.%1$I FROM PUBLIC; GRANT SELECT ON pg_catalog.%1$I TO pg_monitor;',
            c.relname)
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'v'
        AND (c.relname ~ '^pg_(stat|statio)_' OR c.relname IN ('pg_locks', 'pg_prepared_statements',
            'pg_prepared_xacts'))
        AND EXISTS (
            SELECT FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner)))
            WHERE grantee = 0)
    UNION ALL
    SELECT 5, 'estimates in pg_class', e.relowner,
        format('REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC; '
            'GRANT SELECT (%s) ON pg_catalog.pg_class TO PUBLIC; '
            'GRANT SELECT ON pg_catalog.pg_class TO pg_monitor, %s;', others, (SELECT name FROM me))
    FROM estimates e
    WHERE EXISTS (
        SELECT FROM aclexplode(coalesce(e.relacl, acldefault('r', e.relowner)))
        WHERE grantee = 0 AND privilege_type = 'SELECT')
) opening
ORDER BY place, object";
