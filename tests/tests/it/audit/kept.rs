//! Records are only ever added: the database sees to it.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tests::TestApp;

const CHANGES: [&str; 3] = [
    "UPDATE audit_record SET at = now()",
    "DELETE FROM audit_record",
    "TRUNCATE audit_record",
];

#[actix_web::test]
async fn the_dealers_own_role_can_add_records_and_neither_change_nor_remove_any() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of(&acme.slug).await;
    let mut connection = app.database.connect().await;

    for change in CHANGES {
        let act =
            format!("BEGIN; SET LOCAL ROLE {schema}; SET LOCAL search_path = {schema}; {change}");
        let refused = refusal(&mut connection, &act).await;
        assert!(refused.contains("permission denied"), "{change}: {refused}");
        let meant = format!(
            "BEGIN; SET LOCAL ROLE {schema}; SET LOCAL search_path = {schema};
             SET LOCAL tubex.records_may_go = 'on'; {change}"
        );
        let refused = refusal(&mut connection, &meant).await;
        assert!(refused.contains("permission denied"), "{change}: {refused}");
    }
}

#[actix_web::test]
async fn the_owner_can_only_do_it_on_purpose() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of(&acme.slug).await;
    let mut connection = app.database.connect().await;

    for change in CHANGES {
        let act = format!("BEGIN; SET LOCAL search_path = {schema}; {change}");
        let refused = refusal(&mut connection, &act).await;
        assert!(refused.contains("only ever added"), "{change}: {refused}");
    }

    let meant = format!(
        "BEGIN; SET LOCAL search_path = {schema}; SET LOCAL tubex.records_may_go = 'on';
         DELETE FROM audit_record; ROLLBACK"
    );
    connection.execute(AssertSqlSafe(meant)).await.unwrap();
}

#[actix_web::test]
async fn a_write_that_fails_is_on_no_record() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    acme.item("A", serde_json::json!({})).await;
    let before = super::records(&app, &acme).await.len();

    let taken = serde_json::json!({"sku": "A", "name": "a", "base_unit": "pcs"});
    acme.post("/items", taken).await.expect(409);

    assert_eq!(super::records(&app, &acme).await.len(), before);
}

async fn refusal(connection: &mut PgConnection, sql: &str) -> String {
    let refused = connection.execute(AssertSqlSafe(sql.to_owned())).await;
    let told = refused.map(|_| String::from("it was done"));
    let told = told.unwrap_or_else(|error| error.to_string());
    connection.execute("ROLLBACK").await.unwrap();
    connection.ping().await.unwrap();
    told
}
