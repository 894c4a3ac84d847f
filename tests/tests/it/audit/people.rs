//! A copy without people holds nothing of them: not in the trail, not in what let them in.

use serde_json::json;
use tests::{TestApp, tubex};

use super::acts::World;

#[actix_web::test]
async fn nothing_in_an_anonymised_copy_tells_of_people() {
    let world = World::start().await;
    let (app, acme) = (&world.app, &world.acme);
    furnish(&world).await;
    let url = app.database.owner_url();
    let copied = tokio::task::spawn_blocking(move || {
        tubex(
            &url,
            &["tenant", "clone", "acme", "copy", "--anonymise"],
            &[],
        )
    });
    let copied = copied.await.unwrap();
    assert!(
        copied.status.success(),
        "{}",
        String::from_utf8_lossy(&copied.stderr)
    );

    let original = everything(app, &acme.slug).await;
    let copy = everything(app, "copy").await;

    for canary in ["canary", "acme.example", "Canary Person", "203.0.113.7"] {
        assert!(original.contains(canary), "{canary} is in the original");
        assert!(!copy.contains(canary), "{canary} is in the copy");
    }
    assert!(copy.contains("KEPT-SKU"), "what is sold stays");
}

/// Something of people in every table that may hold it.
async fn furnish(world: &World) {
    let (app, acme) = (&world.app, &world.acme);
    acme.item("KEPT-SKU", json!({})).await;
    let schema = app.database.schema_of(&acme.slug).await;
    let me = &world.me;
    app.sql(&format!(
        "SET search_path = {schema};
         UPDATE member SET name = 'Canary Person' WHERE id = '{me}';
         UPDATE session SET address = '203.0.113.7', user_agent = 'canary agent';
         INSERT INTO invitation (id, email, name, role, token_hash, created_at, updated_at, expires_at)
             VALUES (gen_random_uuid(), 'canary@acme.example', 'canary', 'viewer', '\\x01', now(), now(), now());
         INSERT INTO one_time_token (hash, kind, member_id, payload, created_at, expires_at)
             VALUES ('\\x02', 'email_change', '{me}', '{{\"email\": \"canary@acme.example\"}}', now(), now());
         INSERT INTO api_key (id, name, member_id, secret_hash, permissions, created_at, updated_at, last_used_from)
             VALUES (gen_random_uuid(), 'key of canary', '{me}', '\\x03', '{{}}', now(), now(), '203.0.113.7');
         INSERT INTO totp_credential (member_id, sealed_secret, created_at)
             VALUES ('{me}', convert_to('canary', 'UTF8'), now());
         INSERT INTO recovery_code (hash, member_id) VALUES (convert_to('canary', 'UTF8'), '{me}');
         INSERT INTO sso_connection (id, name, issuer, client_id, sealed_client_secret, default_role, created_at, updated_at)
             VALUES ('{me}', 'canary', 'https://login.acme.example', 'canary', '\\x04', 'viewer', now(), now());
         INSERT INTO sso_identity (connection_id, subject, member_id, created_at, last_used_at)
             VALUES ('{me}', 'canary', '{me}', now(), now());
         INSERT INTO idempotency_key (actor, key, fingerprint, status, headers, body, is_sealed, created_at, expires_at)
             VALUES ('member/{me}', 'canary', '\\x05', 200, '[]', convert_to('canary', 'UTF8'), false, now(), now());"
    ))
    .await;
}

/// All rows of all tables of a dealer, bytes as text where they are some.
async fn everything(app: &TestApp, slug: &str) -> String {
    let schema = app.database.schema_of(slug).await;
    let mut connection = app.database.connect().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1",
    )
    .bind(&schema)
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut all = String::new();
    for table in tables {
        let sql = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM {schema}.{table} t");
        let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        all.push_str(&rows);
    }
    all
}
