//! Every table has an entity, and both know the same words.

use sea_orm::EntityTrait;
use sqlx::PgConnection;
use tests::TestApp;

/// The name of an entity's table. Whether the two fit is what `tubex check` proves.
fn table_of<E: EntityTrait>(entity: E) -> String {
    entity.table_name().to_owned()
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
async fn every_table_of_a_dealer_has_an_entity() {
    use entity::tenant as of;
    let app = TestApp::start().await;
    let schema = app.database.schema_of(&app.dealer().await.slug).await;
    let mut connection = app.database.connect().await;
    let connection = &mut connection;

    let mut known = vec![
        table_of(of::access_state::Entity),
        table_of(of::api_key::Entity),
        table_of(of::api_key_usage::Entity),
        table_of(of::audit_head::Entity),
        table_of(of::audit_record::Entity),
        table_of(of::branch::Entity),
        table_of(of::event::Entity),
        table_of(of::event_head::Entity),
        table_of(of::export::Entity),
        table_of(of::idempotency_key::Entity),
        table_of(of::import::Entity),
        table_of(of::import_change::Entity),
        table_of(of::import_profile::Entity),
        table_of(of::import_row::Entity),
        table_of(of::import_source::Entity),
        table_of(of::invitation::Entity),
        table_of(of::one_time_token::Entity),
        table_of(of::recovery_code::Entity),
        table_of(of::role::Entity),
        table_of(of::role_grant::Entity),
        table_of(of::sso_connection::Entity),
        table_of(of::sso_domain::Entity),
        table_of(of::sso_identity::Entity),
        table_of(of::team::Entity),
        table_of(of::team_member::Entity),
        table_of(of::totp_credential::Entity),
        table_of(of::item::Entity),
        table_of(of::item_barcode::Entity),
        table_of(of::item_group::Entity),
        table_of(of::mail::Entity),
        table_of(of::member::Entity),
        table_of(of::notification::Entity),
        table_of(of::notification_preference::Entity),
        table_of(of::refresh_token::Entity),
        table_of(of::session::Entity),
        table_of(of::setting::Entity),
        table_of(of::unit::Entity),
        table_of(of::webhook_attempt::Entity),
        table_of(of::webhook_delivery::Entity),
        table_of(of::webhook_endpoint::Entity),
        table_of(of::webhook_secret::Entity),
    ];

    known.sort();
    assert_eq!(tables_of(connection, &schema).await, known);
}

#[actix_web::test]
async fn every_table_of_the_platform_has_an_entity() {
    use entity::platform as of;
    let app = TestApp::start().await;
    let mut connection = app.database.connect().await;
    let connection = &mut connection;

    let mut known = vec![
        table_of(of::audit_checkpoint::Entity),
        table_of(of::membership::Entity),
        table_of(of::signing_key::Entity),
        table_of(of::lane::Entity),
        table_of(of::migration_run::Entity),
        table_of(of::migration_run_tenant::Entity),
        table_of(of::node::Entity),
        table_of(of::operator::Entity),
        table_of(of::operator_refresh_token::Entity),
        table_of(of::operator_session::Entity),
        table_of(of::plan::Entity),
        table_of(of::rehearsal::Entity),
        table_of(of::security_event::Entity),
        table_of(of::server_process::Entity),
        table_of(of::spare_goal::Entity),
        table_of(of::tenant::Entity),
        table_of(of::tenant_domain::Entity),
        table_of(of::tenant_event::Entity),
        table_of(of::tenant_export::Entity),
        table_of(of::tenant_traffic::Entity),
        table_of(of::tenant_vitals::Entity),
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
            "webhook_endpoint_signing_check",
            &schema,
            entity::tenant::webhook_endpoint::Signing::values(),
        ),
        (
            "webhook_endpoint_disabled_because_check",
            &schema,
            entity::tenant::webhook_endpoint::Reason::values(),
        ),
        (
            "webhook_delivery_state_check",
            &schema,
            entity::tenant::webhook_delivery::State::values(),
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
