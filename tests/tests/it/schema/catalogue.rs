//! Habits that every table keeps: names, indexes, types.

use sqlx::PgConnection;
use tests::TestApp;

/// The first column of a query about the schemas `platform` and `$1`.
async fn list(connection: &mut PgConnection, schema: &str, sql: &str) -> Vec<String> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned()))
        .bind(schema)
        .fetch_all(connection)
        .await
        .unwrap()
}

/// A database, a dealer's schema in it, and a connection.
async fn look() -> (TestApp, String, PgConnection) {
    let app = TestApp::start().await;
    let schema = app.database.schema_of("acme").await;
    let connection = app.database.connect().await;
    (app, schema, connection)
}

#[actix_web::test]
async fn every_foreign_key_has_an_index_that_begins_with_it() {
    let (_app, schema, mut connection) = look().await;
    let all = "SELECT c.conname::text FROM pg_constraint c
        WHERE c.contype = 'f' AND c.connamespace IN ('platform'::regnamespace, $1::regnamespace)";
    // An index over what is not null serves a foreign key: null refers to nothing.
    let without = format!(
        "{all} AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid
            AND coalesce(pg_get_expr(i.indpred, i.indrelid) = format('(%s IS NOT NULL)',
                (SELECT a.attname FROM pg_attribute a
                 WHERE a.attrelid = c.conrelid AND a.attnum = c.conkey[1])), true)
            AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)"
    );

    let (all, without) = (
        list(&mut connection, &schema, all).await,
        list(&mut connection, &schema, &without).await,
    );

    assert!(all.len() >= 9, "{all:?}");
    // Asked only when a unit is removed, and an index would be written with every price.
    // Members are few, and branches and roles hardly ever go.
    let reasoned = [
        "item_base_unit_fkey",
        "item_price_unit_fkey",
        "member_branch_id_fkey",
        "member_role_id_fkey",
    ];
    let missing: Vec<_> = without
        .iter()
        .filter(|name| !reasoned.contains(&name.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[actix_web::test]
async fn every_constraint_and_index_is_named_after_its_table_and_purpose() {
    let (_app, schema, mut connection) = look().await;
    // `not null` constraints have names of their own from Postgres 18 on.
    let constraints = "SELECT r.relname || ' ' || c.conname || ' ' || c.contype::text
        FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
        WHERE c.connamespace IN ('platform'::regnamespace, $1::regnamespace) AND c.contype <> 'n'
            AND c.contype <> 't' AND r.relname NOT LIKE 'seaql%'";
    let indexes = "SELECT r.relname || ' ' || i.relname || ' i' FROM pg_index x
        JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class r ON r.oid = x.indrelid
        WHERE r.relnamespace IN ('platform'::regnamespace, $1::regnamespace)
            AND r.relname NOT LIKE 'seaql%'
            AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid)";

    let mut all = list(&mut connection, &schema, constraints).await;
    all.extend(list(&mut connection, &schema, indexes).await);

    assert!(all.len() > 40);
    for named in all {
        let [table, name, kind] =
            <[&str; 3]>::try_from(named.split(' ').collect::<Vec<_>>()).unwrap();
        let ending = match kind {
            "p" => "_pkey",
            "u" => "_key",
            "f" => "_fkey",
            "c" => "_check",
            "i" => "_idx",
            other => panic!("{name}: {other}"),
        };

        assert!(
            name.starts_with(table) && name.ends_with(ending),
            "{name} on {table}"
        );
        let numbered = name
            .trim_end_matches(ending)
            .ends_with(|c: char| c.is_ascii_digit());
        let is_default = name.ends_with("_check1") || name.ends_with("_key1");
        assert!(
            !numbered && !is_default && name.len() < 63,
            "{name} was named by Postgres"
        );
    }
}

#[actix_web::test]
async fn nothing_is_used_that_is_hard_to_change_later() {
    let (_app, schema, mut connection) = look().await;

    for (what, sql) in [
        (
            "enum types, domains and composite types",
            "SELECT t.typname::text FROM pg_type t LEFT JOIN pg_class r ON r.oid = t.typrelid
             WHERE t.typnamespace IN ('platform'::regnamespace, $1::regnamespace)
                AND (t.typtype IN ('e', 'd') OR (t.typtype = 'c' AND r.relkind = 'c'))",
        ),
        (
            "sequences",
            "SELECT relname::text FROM pg_class WHERE relkind = 'S'
                AND relnamespace IN ('platform'::regnamespace, $1::regnamespace)",
        ),
        (
            "times without a zone, inexact and sized types",
            "SELECT r.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
             WHERE r.relnamespace IN ('platform'::regnamespace, $1::regnamespace) AND r.relkind = 'r'
                AND r.relname NOT LIKE 'seaql%' AND a.attnum > 0
                -- The very bytes that were hashed: jsonb would spell them anew.
                AND (r.relname, a.attname) <> ('audit_record', 'content')
                AND a.atttypid IN ('timestamp'::regtype, 'time'::regtype, 'real'::regtype,
                    'double precision'::regtype, 'money'::regtype, 'varchar'::regtype,
                    'char'::regtype, 'json'::regtype)",
        ),
        (
            "tables without a primary key",
            "SELECT r.relname::text FROM pg_class r WHERE r.relkind = 'r'
                AND r.relnamespace IN ('platform'::regnamespace, $1::regnamespace)
                AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = r.oid AND i.indisprimary)",
        ),
        (
            "constraints that were never checked, and indexes that are broken",
            "SELECT conname::text FROM pg_constraint WHERE NOT convalidated
                AND connamespace IN ('platform'::regnamespace, $1::regnamespace)
             UNION ALL SELECT i.indexrelid::regclass::text FROM pg_index i
                JOIN pg_class r ON r.oid = i.indrelid WHERE NOT i.indisvalid
                AND r.relnamespace IN ('platform'::regnamespace, $1::regnamespace)",
        ),
    ] {
        let found = list(&mut connection, &schema, sql).await;

        assert!(found.is_empty(), "{what}: {found:?}");
    }
}

/// The code matches constraints by name; a name that isn't there would never match.
#[actix_web::test]
async fn every_constraint_that_code_names_exists() {
    let (_app, schema, mut connection) = look().await;
    let there = "SELECT conname::text FROM pg_constraint
        WHERE connamespace IN ('platform'::regnamespace, $1::regnamespace)";
    let there = list(&mut connection, &schema, there).await;

    let mut named = Vec::new();
    for source in [
        "catalog/error.rs",
        "catalog/items/service.rs",
        "catalog/groups/service.rs",
        "imports/error.rs",
    ] {
        let path = format!(
            "{}/../server/src/tenant/{source}",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(path).unwrap();
        let words = text.split('"').skip(1).step_by(2).map(str::to_owned);
        named.extend(words.filter(|word| {
            ["_key", "_pkey", "_fkey", "_check"]
                .iter()
                .any(|end| word.ends_with(end))
        }));
    }

    assert!(named.len() >= 9, "{named:?}");
    for name in named {
        assert!(there.contains(&name), "{name}");
    }
}

#[actix_web::test]
async fn a_list_of_items_is_served_by_an_index_whatever_its_order() {
    let (_app, schema, mut connection) = look().await;
    let load = format!(
        "INSERT INTO {schema}.item (id, sku, name, base_unit, status, created_at, updated_at)
         SELECT gen_random_uuid(), 'S' || n, 'Name ' || n, 'pcs', 'active', now(), now()
         FROM generate_series(1, 5000) n"
    );
    sqlx::query(sqlx::AssertSqlSafe(load))
        .execute(&mut connection)
        .await
        .unwrap();
    // Whether an index can serve is the question, not whether it pays for so few rows.
    let settle = format!("ANALYZE {schema}.item; SET enable_seqscan = off");
    sqlx::raw_sql(sqlx::AssertSqlSafe(settle))
        .execute(&mut connection)
        .await
        .unwrap();

    for (condition, index) in [
        (
            "retired_at IS NULL AND sku > 'S3' ORDER BY sku LIMIT 51",
            "item_sku_key",
        ),
        (
            "retired_at IS NULL AND (name, sku) > ('Name 3', 'S3') ORDER BY name, sku LIMIT 51",
            "item_name_idx",
        ),
        (
            "retired_at IS NOT NULL ORDER BY sku LIMIT 51",
            "item_set_aside_idx",
        ),
        (
            "search LIKE '%' || shared.fold('ame 4999') || '%'",
            "item_search_idx",
        ),
        (
            "search LIKE '% ' || shared.fold('4999') || '%'",
            "item_search_idx",
        ),
    ] {
        let sql = format!("EXPLAIN SELECT * FROM {schema}.item WHERE {condition}");
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .unwrap();

        assert!(plan.concat().contains(index), "{condition}: {plan:#?}");
    }
}
