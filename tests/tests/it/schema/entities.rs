//! Every entity fits its table.

use std::collections::BTreeMap;

use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait, EntityTrait, Iterable, PrimaryKeyToColumn};
use sqlx::PgConnection;
use tests::TestApp;

/// What the database says about a column.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    kind: String,
    is_nullable: bool,
    is_generated: bool,
}

async fn columns_of(connection: &mut PgConnection, schema: &str, table: &str) -> Vec<Column> {
    let rows: Vec<(String, String, bool, bool)> = sqlx::query_as(
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
            a.attgenerated <> ''
         FROM pg_attribute a WHERE a.attrelid = format('%I.%I', $1, $2)::regclass
            AND a.attnum > 0 AND NOT a.attisdropped",
    )
    .bind(schema)
    .bind(table)
    .fetch_all(connection)
    .await
    .unwrap();
    let column = |(name, kind, is_nullable, is_generated)| Column {
        name,
        kind,
        is_nullable,
        is_generated,
    };
    rows.into_iter().map(column).collect()
}

async fn primary_key_of(connection: &mut PgConnection, schema: &str, table: &str) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (number, place)
         JOIN pg_attribute a ON a.attnum = k.number
         WHERE i.indrelid = format('%I.%I', $1, $2)::regclass AND a.attrelid = i.indrelid
            AND i.indisprimary ORDER BY k.place",
    )
    .bind(schema)
    .bind(table)
    .fetch_all(connection)
    .await
    .unwrap()
}

/// The types of the database that an entity's type may stand for.
fn kinds_of(kind: &ColumnType) -> &'static [&'static str] {
    match kind {
        ColumnType::Uuid => &["uuid"],
        ColumnType::String(_) | ColumnType::Text => &["text"],
        ColumnType::SmallInteger => &["smallint"],
        ColumnType::Integer => &["integer"],
        ColumnType::BigInteger => &["bigint"],
        ColumnType::Boolean => &["boolean"],
        ColumnType::Decimal(_) => &["numeric(18,6)"],
        ColumnType::TimestampWithTimeZone => &["timestamp with time zone"],
        ColumnType::Array(_) => &["text[]"],
        ColumnType::Json | ColumnType::JsonBinary => &["jsonb"],
        ColumnType::VarBinary(_) | ColumnType::Binary(_) | ColumnType::Blob => &["bytea"],
        other => panic!("say what {other:?} stands for in the database"),
    }
}

/// Columns of migrations that are newer than the oldest a dealer may stand at: code that selects
/// them would fail where they are not yet.
const NOT_NEEDED_YET: [(&str, &str); 1] = [("item_barcode", "kind")];

/// Compares an entity with its table; returns the table's name.
async fn assert_fits<E: EntityTrait>(
    connection: &mut PgConnection,
    schema: &str,
    entity: E,
) -> String {
    let table = entity.table_name().to_owned();
    let there: BTreeMap<String, Column> = columns_of(connection, schema, &table)
        .await
        .into_iter()
        .map(|column| (column.name.clone(), column))
        .collect();
    assert!(!there.is_empty(), "{table} is there");

    let mut believed = Vec::new();
    for column in E::Column::iter() {
        let name = sea_orm::Iden::to_string(&column);
        let definition = column.def();
        let found = there
            .get(&name)
            .unwrap_or_else(|| panic!("{table} has no column {name}"));
        let kinds = kinds_of(definition.get_column_type());
        assert!(
            kinds.contains(&found.kind.as_str()),
            "{table}.{name}: {} is not {kinds:?}",
            found.kind
        );
        assert_eq!(
            found.is_nullable,
            definition.is_null(),
            "{table}.{name}: null"
        );
        assert!(!found.is_generated, "{table}.{name} can't be written");
        believed.push(name);
    }
    for (name, column) in &there {
        // A column that is generated, or kept by triggers, is for the database alone.
        assert!(
            column.is_generated
                || ["changed_xid", "revision"].contains(&name.as_str())
                || NOT_NEEDED_YET.contains(&(table.as_str(), name))
                || believed.contains(name),
            "{table}.{name} is unknown to the entity"
        );
    }
    let key: Vec<String> = E::PrimaryKey::iter()
        .map(|key| sea_orm::Iden::to_string(&key.into_column()))
        .collect();
    assert_eq!(
        primary_key_of(connection, schema, &table).await,
        key,
        "{table}"
    );
    table
}

/// The tables of a schema, but for the migrations' own.
async fn tables_of(connection: &mut PgConnection, schema: &str) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables
         WHERE table_schema = $1 AND table_name NOT LIKE 'seaql%' ORDER BY 1",
    )
    .bind(schema)
    .fetch_all(connection)
    .await
    .unwrap()
}

#[actix_web::test]
async fn every_entity_of_a_dealer_fits_its_table_and_every_table_has_one() {
    use entity::tenant as of;
    let app = TestApp::start().await;
    let schema = app.database.schema_of(&app.dealer().await.slug).await;
    let mut connection = app.database.connect().await;
    let connection = &mut connection;

    let mut known = vec![
        assert_fits(connection, &schema, of::item::Entity).await,
        assert_fits(connection, &schema, of::item_barcode::Entity).await,
        assert_fits(connection, &schema, of::item_group::Entity).await,
        assert_fits(connection, &schema, of::member::Entity).await,
        assert_fits(connection, &schema, of::refresh_token::Entity).await,
        assert_fits(connection, &schema, of::session::Entity).await,
        assert_fits(connection, &schema, of::setting::Entity).await,
        assert_fits(connection, &schema, of::unit::Entity).await,
    ];

    known.sort();
    assert_eq!(tables_of(connection, &schema).await, known);
}

#[actix_web::test]
async fn every_entity_of_the_platform_fits_its_table_and_every_table_has_one() {
    use entity::platform as of;
    let app = TestApp::start().await;
    let mut connection = app.database.connect().await;
    let connection = &mut connection;

    let mut known = vec![
        assert_fits(connection, "platform", of::lane::Entity).await,
        assert_fits(connection, "platform", of::migration_run::Entity).await,
        assert_fits(connection, "platform", of::migration_run_tenant::Entity).await,
        assert_fits(connection, "platform", of::node::Entity).await,
        assert_fits(connection, "platform", of::operator::Entity).await,
        assert_fits(connection, "platform", of::operator_refresh_token::Entity).await,
        assert_fits(connection, "platform", of::operator_session::Entity).await,
        assert_fits(connection, "platform", of::plan::Entity).await,
        assert_fits(connection, "platform", of::rehearsal::Entity).await,
        assert_fits(connection, "platform", of::security_event::Entity).await,
        assert_fits(connection, "platform", of::server_process::Entity).await,
        assert_fits(connection, "platform", of::spare_goal::Entity).await,
        assert_fits(connection, "platform", of::tenant::Entity).await,
        assert_fits(connection, "platform", of::tenant_domain::Entity).await,
        assert_fits(connection, "platform", of::tenant_event::Entity).await,
        assert_fits(connection, "platform", of::tenant_export::Entity).await,
        assert_fits(connection, "platform", of::tenant_traffic::Entity).await,
        assert_fits(connection, "platform", of::tenant_vitals::Entity).await,
        // Written by triggers and read by one query; no code has a use for its shape.
        "directory_mark".to_owned(),
    ];

    known.sort();
    assert_eq!(tables_of(connection, "platform").await, known);
}

/// States are text with a check; the check and the enum must know the same words.
#[actix_web::test]
async fn every_state_that_code_knows_is_one_that_the_database_takes() {
    use sea_orm::ActiveEnum;
    let app = TestApp::start().await;
    let schema = app.database.schema_of(&app.dealer().await.slug).await;
    let mut connection = app.database.connect().await;

    for (constraint, schema, words) in [
        (
            "member_role_check",
            schema.as_str(),
            entity::tenant::member::Role::values(),
        ),
        (
            "member_status_check",
            &schema,
            entity::tenant::member::Status::values(),
        ),
        (
            "item_status_check",
            &schema,
            entity::tenant::item::Status::values(),
        ),
        (
            "tenant_status_check",
            "platform",
            entity::platform::tenant::Status::values(),
        ),
        (
            "lane_state_check",
            "platform",
            entity::platform::lane::State::values(),
        ),
    ] {
        let rule: String = sqlx::query_scalar(
            "SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
             JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.conname = $1 AND n.nspname = $2",
        )
        .bind(constraint)
        .bind(schema)
        .fetch_one(&mut connection)
        .await
        .unwrap();
        let taken: Vec<&str> = rule.split('\'').skip(1).step_by(2).collect();

        assert_eq!(taken.len(), words.len(), "{constraint}: {rule}");
        for word in words {
            assert!(taken.contains(&word.as_str()), "{constraint} lacks {word}");
        }
    }
}
