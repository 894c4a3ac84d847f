//! Reads a snapshot, in the transaction that is watched.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{DatabaseTransaction, DbErr, QueryResult};

use super::{Column, Constraint, Index, Mode, Relation, Relkind, Rule, Snapshot, Work};
use crate::SchemaName;
use crate::query::{all, one};

const RELATIONS: &str = "
    SELECT c.oid::bigint AS oid, c.relname::text AS name, c.relkind::text AS kind,
        coalesce(pg_relation_filenode(c.oid), 0)::bigint AS file,
        c.relpersistence = 'u' AS is_unlogged,
        ARRAY(SELECT pg_get_userbyid(a.grantee)::text || '=' || a.privilege_type
              FROM aclexplode(c.relacl) a) AS rights
    FROM pg_catalog.pg_class c WHERE c.relnamespace = $1::regnamespace";

const COLUMNS: &str = "
    SELECT a.attrelid::bigint AS relation, a.attnum AS number, a.attname::text AS name,
        format_type(a.atttypid, a.atttypmod) AS kind, a.attnotnull AS is_not_null,
        pg_get_expr(d.adbin, d.adrelid) AS given,
        a.attidentity <> '' OR a.attgenerated <> '' AS is_given
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')";

const INDEXES: &str = "
    SELECT i.indexrelid::bigint AS oid, i.indrelid::bigint AS relation, i.indisunique AS is_unique,
        i.indisprimary AS is_primary, i.indpred IS NULL AND i.indexprs IS NULL AS is_plain,
        ARRAY(SELECT u.number FROM unnest(i.indkey) WITH ORDINALITY u (number, place)
              ORDER BY u.place) AS key, i.indnkeyatts AS width,
        replace(pg_get_indexdef(i.indexrelid), quote_ident(c.relname), '') AS definition
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
    WHERE c.relnamespace = $1::regnamespace";

const CONSTRAINTS: &str = "
    SELECT k.oid::bigint AS oid, k.conname::text AS name, k.contype::text AS kind,
        k.conrelid::bigint AS relation, k.conindid::bigint AS index,
        k.convalidated AS is_validated, coalesce(k.conkey, '{}') AS key
    FROM pg_catalog.pg_constraint k
    WHERE k.connamespace = $1::regnamespace AND k.conrelid <> 0";

const ENUMS: &str = "
    SELECT t.typname::text AS name FROM pg_catalog.pg_type t
    WHERE t.typnamespace = $1::regnamespace AND t.typtype = 'e'";

/// What hangs on tables, functions and types of other schemas; `shared` is there to be used.
const REFERENCES: &str = "
    WITH here AS MATERIALIZED (
        SELECT 'pg_catalog.pg_class'::regclass::oid AS class, c.oid AS object,
            c.relname::text AS name
        FROM pg_catalog.pg_class c WHERE c.relnamespace = $1::regnamespace
        UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, k.oid, k.conname::text
        FROM pg_catalog.pg_constraint k WHERE k.connamespace = $1::regnamespace
        UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, c.relname::text
        FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
        WHERE c.relnamespace = $1::regnamespace
        UNION ALL SELECT 'pg_catalog.pg_rewrite'::regclass, w.oid, c.relname::text
        FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class c ON c.oid = w.ev_class
        WHERE c.relnamespace = $1::regnamespace
        UNION ALL SELECT 'pg_catalog.pg_trigger'::regclass, t.oid, t.tgname::text
        FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = $1::regnamespace AND NOT t.tgisinternal
        UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, p.oid, p.proname::text
        FROM pg_catalog.pg_proc p WHERE p.pronamespace = $1::regnamespace
    )
    SELECT DISTINCT h.name, n.nspname || '.' || coalesce(c.relname, p.proname, t.typname) AS refers_to
    FROM here h
    JOIN pg_catalog.pg_depend d ON d.classid = h.class AND d.objid = h.object
    LEFT JOIN pg_catalog.pg_class c
        ON d.refclassid = 'pg_catalog.pg_class'::regclass AND c.oid = d.refobjid
    LEFT JOIN pg_catalog.pg_proc p
        ON d.refclassid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.refobjid
    LEFT JOIN pg_catalog.pg_type t
        ON d.refclassid = 'pg_catalog.pg_type'::regclass AND t.oid = d.refobjid
    JOIN pg_catalog.pg_namespace n
        ON n.oid = coalesce(c.relnamespace, p.pronamespace, t.typnamespace)
    WHERE n.oid <> $1::regnamespace
        AND n.nspname NOT IN ('shared', 'pg_catalog', 'pg_toast', 'information_schema')
        AND n.nspname NOT LIKE 'pg\\_temp%'";

/// Rows of catalogues that this very transaction wrote, and that are no part of the schema.
const OUTSIDE: &str = "
    SELECT 'schema ' || n.nspname AS name FROM pg_catalog.pg_namespace n
    WHERE n.xmin = pg_current_xact_id()::xid AND n.oid <> $1::regnamespace
        AND n.nspname NOT LIKE 'pg\\_%'
    UNION ALL
    SELECT 'extension ' || e.extname FROM pg_catalog.pg_extension e
    WHERE e.xmin = pg_current_xact_id()::xid
    UNION ALL
    SELECT 'relation ' || n.nspname || '.' || c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.xmin = pg_current_xact_id()::xid AND n.oid <> $1::regnamespace
        AND n.nspname NOT LIKE 'pg\\_%'
    UNION ALL
    SELECT 'function ' || n.nspname || '.' || p.proname
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.xmin = pg_current_xact_id()::xid AND n.oid <> $1::regnamespace";

const LOCKS: &str = "
    SELECT l.relation::bigint AS relation, l.mode
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted
        AND c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'm', 'i')";

const WORK: &str = "
    SELECT c.oid::bigint AS relation,
        pg_stat_get_xact_numscans(c.oid) + coalesce((
            SELECT sum(pg_stat_get_xact_numscans(i.indexrelid))
            FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid), 0)::bigint AS scans,
        pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
        pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) AS changed
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'm')";

const SETTINGS: &str = "
    SELECT current_setting('search_path') AS path, current_user::text AS role,
        session_user::text AS login, current_setting('lock_timeout') AS lock_timeout,
        current_setting('statement_timeout') AS statement_timeout,
        current_setting('session_replication_role') AS replication,
        current_setting('check_function_bodies') AS bodies,
        current_setting('row_security') AS row_security";

/// What `schema` looks like to a transaction.
pub(in crate::check) async fn snapshot(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
) -> Result<Snapshot, DbErr> {
    let read = async |sql: &str| all(tx, sql, [schema.as_str().into()]).await;
    // First: the other questions take locks of their own, though only on catalogues.
    let locks = strongest(&read(LOCKS).await?)?;
    let work = map(&read(WORK).await?, |row| {
        let work = Work {
            scans: row.try_get("", "scans")?,
            inserted: row.try_get("", "inserted")?,
            changed: row.try_get("", "changed")?,
        };
        Ok((row.try_get("", "relation")?, work))
    })?;
    Ok(Snapshot {
        relations: map(&read(RELATIONS).await?, relation)?,
        columns: map(&read(COLUMNS).await?, column)?,
        indexes: map(&read(INDEXES).await?, index)?,
        constraints: map(&read(CONSTRAINTS).await?, constraint)?,
        enums: set(&read(ENUMS).await?, |row| row.try_get("", "name"))?,
        references: set(&read(REFERENCES).await?, |row| {
            Ok((row.try_get("", "name")?, row.try_get("", "refers_to")?))
        })?,
        outside: set(&read(OUTSIDE).await?, |row| row.try_get("", "name"))?,
        locks,
        work,
        settings: settings(tx).await?,
    })
}

async fn settings(tx: &DatabaseTransaction) -> Result<BTreeMap<String, String>, DbErr> {
    let Some(row) = one(tx, SETTINGS, []).await? else {
        return Ok(BTreeMap::new());
    };
    let names = row.column_names();
    names
        .into_iter()
        .map(|name| Ok((name.clone(), row.try_get("", &name)?)))
        .collect()
}

fn map<K: Ord, V>(
    rows: &[QueryResult],
    read: impl Fn(&QueryResult) -> Result<(K, V), DbErr>,
) -> Result<BTreeMap<K, V>, DbErr> {
    rows.iter().map(read).collect()
}

fn set<T: Ord>(
    rows: &[QueryResult],
    read: impl Fn(&QueryResult) -> Result<T, DbErr>,
) -> Result<BTreeSet<T>, DbErr> {
    rows.iter().map(read).collect()
}

fn strongest(rows: &[QueryResult]) -> Result<BTreeMap<i64, Mode>, DbErr> {
    let mut locks = BTreeMap::new();
    for row in rows {
        let mode: String = row.try_get("", "mode")?;
        if let Some(mode) = Mode::parse(&mode) {
            let held = locks.entry(row.try_get("", "relation")?).or_insert(mode);
            *held = mode.max(*held);
        }
    }
    Ok(locks)
}

fn relation(row: &QueryResult) -> Result<(i64, Relation), DbErr> {
    let mut rights: BTreeMap<String, String> = BTreeMap::new();
    for right in row.try_get::<Vec<String>>("", "rights")? {
        if let Some((role, right)) = right.split_once('=') {
            let held = rights.entry(role.to_owned()).or_default();
            held.push_str(right);
            held.push(' ');
        }
    }
    let kind: String = row.try_get("", "kind")?;
    let relation = Relation {
        name: row.try_get("", "name")?,
        kind: match kind.as_str() {
            "r" | "p" => Relkind::Table,
            "v" | "m" => Relkind::View,
            "i" | "I" => Relkind::Index,
            _ => Relkind::Other,
        },
        file: row.try_get("", "file")?,
        is_unlogged: row.try_get("", "is_unlogged")?,
        rights,
    };
    Ok((row.try_get("", "oid")?, relation))
}

fn column(row: &QueryResult) -> Result<((i64, i16), Column), DbErr> {
    let column = Column {
        name: row.try_get("", "name")?,
        kind: row.try_get("", "kind")?,
        is_not_null: row.try_get("", "is_not_null")?,
        default: row.try_get("", "given")?,
        is_given: row.try_get("", "is_given")?,
    };
    Ok((
        (row.try_get("", "relation")?, row.try_get("", "number")?),
        column,
    ))
}

fn index(row: &QueryResult) -> Result<(i64, Index), DbErr> {
    let width: i16 = row.try_get("", "width")?;
    let mut key: Vec<i16> = row.try_get("", "key")?;
    key.truncate(usize::try_from(width).unwrap_or_default());
    let index = Index {
        table: row.try_get("", "relation")?,
        is_unique: row.try_get("", "is_unique")?,
        is_primary: row.try_get("", "is_primary")?,
        is_plain: row.try_get("", "is_plain")?,
        key,
        definition: row.try_get("", "definition")?,
    };
    Ok((row.try_get("", "oid")?, index))
}

fn constraint(row: &QueryResult) -> Result<(i64, Constraint), DbErr> {
    let kind: String = row.try_get("", "kind")?;
    let constraint = Constraint {
        name: row.try_get("", "name")?,
        kind: match kind.as_str() {
            "c" => Rule::Check,
            "f" => Rule::ForeignKey,
            "p" => Rule::Primary,
            "u" => Rule::Unique,
            "x" => Rule::Exclusion,
            _ => Rule::Other,
        },
        table: row.try_get("", "relation")?,
        index: row.try_get("", "index")?,
        is_validated: row.try_get("", "is_validated")?,
        key: row.try_get("", "key")?,
    };
    Ok((row.try_get("", "oid")?, constraint))
}
