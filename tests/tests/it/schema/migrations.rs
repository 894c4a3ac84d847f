//! Up, down and up again leaves what up alone leaves.

use migration::TenantMigrator;
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use sea_orm_migration::MigratorTrait;
use sqlx::{Executor, PgConnection};
use tests::{Scratch, TestApp};

/// Everything the catalogue says about a schema, one line each.
async fn description(connection: &mut PgConnection, schema: &str) -> Vec<String> {
    let sql = "
        SELECT 'column ' || r.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
            || ' ' || a.attnotnull || ' ' || a.attgenerated::text
            || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
        FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE r.relnamespace = $1::regnamespace AND r.relkind = 'r' AND a.attnum > 0
            AND NOT a.attisdropped
        UNION ALL SELECT 'constraint ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
        FROM pg_constraint c WHERE c.connamespace = $1::regnamespace
        UNION ALL SELECT 'index ' || pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class r ON r.oid = i.indrelid WHERE r.relnamespace = $1::regnamespace
        UNION ALL SELECT 'table ' || r.relname || ' ' || coalesce(r.reloptions::text, '')
        FROM pg_class r WHERE r.relnamespace = $1::regnamespace AND r.relkind = 'r'
        UNION ALL SELECT 'function ' || p.proname FROM pg_proc p WHERE p.pronamespace = $1::regnamespace
        UNION ALL SELECT 'trigger ' || t.tgname FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid
        WHERE r.relnamespace = $1::regnamespace AND NOT t.tgisinternal
        ORDER BY 1";
    let rows: Vec<String> = sqlx::query_scalar(sql)
        .bind(schema)
        .fetch_all(connection)
        .await
        .unwrap();
    // Two schemas are to be compared, so neither's name counts.
    rows.into_iter()
        .map(|row| row.replace(&format!("{schema}."), ""))
        .collect()
}

/// Connections whose tables land in a schema.
async fn within(database: &Scratch, schema: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(database.owner_url());
    options
        .max_connections(1)
        .sqlx_logging(false)
        .set_schema_search_path(format!("{schema},shared,pg_temp"));
    Database::connect(options).await.unwrap()
}

#[actix_web::test]
async fn a_dealers_schema_goes_down_without_a_trace_and_comes_up_the_same() {
    let app = TestApp::start().await;
    let born = app.database.schema_of("acme").await;
    let mut connection = app.database.connect().await;
    connection.execute("CREATE SCHEMA trial").await.unwrap();
    let db = within(&app.database, "trial").await;

    TenantMigrator::up(&db, None).await.unwrap();
    let first = description(&mut connection, "trial").await;
    TenantMigrator::down(&db, None).await.unwrap();
    let rest = description(&mut connection, "trial").await;
    TenantMigrator::up(&db, None).await.unwrap();
    let second = description(&mut connection, "trial").await;

    let trace: Vec<_> = rest
        .iter()
        .filter(|row| !row.contains("seaql_migrations"))
        .collect();
    assert!(trace.is_empty(), "{trace:#?}");
    assert!(first.len() > 80);
    assert_eq!(second, first);
    assert_eq!(
        description(&mut connection, &born).await,
        first,
        "as the provisioner makes it"
    );
    db.close().await.unwrap();
}

#[actix_web::test]
async fn each_step_can_be_taken_back_alone() {
    let app = TestApp::start().await;
    let mut connection = app.database.connect().await;
    connection.execute("CREATE SCHEMA trial").await.unwrap();
    let db = within(&app.database, "trial").await;
    let steps = u32::try_from(TenantMigrator::migrations().len()).unwrap();

    let mut states = Vec::new();
    for _ in 0..steps {
        states.push(description(&mut connection, "trial").await);
        TenantMigrator::up(&db, Some(1)).await.unwrap();
    }
    for before in states.into_iter().rev() {
        TenantMigrator::down(&db, Some(1)).await.unwrap();
        let after: Vec<_> = description(&mut connection, "trial").await;

        let without_history = |rows: Vec<String>| {
            rows.into_iter()
                .filter(|row| !row.contains("seaql_migrations"))
                .collect::<Vec<_>>()
        };
        assert_eq!(without_history(after), without_history(before));
    }
    db.close().await.unwrap();
}
