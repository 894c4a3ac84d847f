//! Who gets a file, and until when.

use serde_json::json;
use time::Duration;

use super::*;

#[actix_web::test]
async fn costs_are_for_those_who_may_see_them_when_they_ask_and_when_they_fetch() {
    let app = working().await;
    let acme = app.dealer().await;
    let price = json!({"amount": "10", "currency": "EUR"});
    acme.item("A", json!({"price": price, "cost": "7.5"})).await;
    let grants = json!([{"permission": "export.run"}, {"permission": "item.read"}]);
    let role = json!({"name": "Clerk", "grants": grants});
    let role = acme.post("/roles", role).await.expect(201).json["id"].clone();
    let clerk = app.member(&acme, "viewer").await;
    let schema = app.database.schema_of(&acme.slug).await;
    let role = role.as_str().unwrap();
    let given = format!("UPDATE {schema}.member SET role_id = '{role}' WHERE role = 'viewer'");
    app.sql_on_access(&schema, &given).await;

    let with_costs = json!({"columns": ["sku", "cost"]});
    let export = exported(&acme, with_costs.clone()).await;
    let file = file_of(&acme, &export).await;

    assert_eq!(file.text(), "\u{feff}SKU,Cost\r\nA,7.5\r\n");
    assert!(
        file.header("content-disposition")
            .starts_with("attachment; filename=\"items-")
    );
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    let path = format!("/exports/{}/file", export["id"].as_str().unwrap());
    let refused = clerk.get(&path).await.expect(403);
    assert_eq!(refused.problem(), "permission_denied");
    let mut body = json!({"kind": "items", "format": "csv"});
    body["columns"] = with_costs["columns"].clone();
    let refused = clerk.post("/exports", body).await.expect(403);
    assert_eq!(refused.json["errors"][0]["pointer"], "/columns/1");

    let own = exported(&clerk, json!({"columns": ["sku"]})).await;
    assert_eq!(file_of(&clerk, &own).await.text(), "\u{feff}SKU\r\nA\r\n");
}

#[actix_web::test]
async fn a_file_that_is_not_written_yet_is_a_conflict() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    let body = json!({"kind": "items", "format": "csv"});
    let asked = acme.post("/exports", body).await.expect(202).json;
    let path = format!("/exports/{}/file", asked["id"].as_str().unwrap());

    assert_eq!(
        acme.get(&path).await.expect(409).problem(),
        "export_not_ready"
    );
}

#[actix_web::test]
async fn an_export_is_told_of_listed_and_gone_with_its_file_when_its_time_is_over() {
    let app = working().await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of(&acme.slug).await;
    let first = exported(&acme, json!({})).await;
    let second = exported(&acme, json!({})).await;
    let path = format!("/exports/{}/file", first["id"].as_str().unwrap());

    let listed = acme.get("/exports?limit=1").await.expect(200).json;
    assert_eq!(listed["data"][0]["id"], second["id"]);
    let next = format!(
        "/exports?limit=1&cursor={}",
        listed["next"].as_str().unwrap()
    );
    let listed = acme.get(&next).await.expect(200).json;
    assert_eq!(listed["data"][0]["id"], first["id"]);
    assert!(listed["next"].is_null());
    let mut connection = app.database.connect().await;
    let told = format!("SELECT count(*) FROM {schema}.event WHERE kind = 'export.ready'");
    let told: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(told))
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(told, 2);

    app.advance(Duration::hours(73));
    let acme = app.enter(&acme.slug).await;
    assert_eq!(
        acme.get(&path).await.expect(404).problem(),
        "export_not_found"
    );
    let purge = format!(
        "INSERT INTO jobs.job (id, tenant, queue, kind, version, payload, priority, state, run_at, \
         max_attempts, keep_seconds, enqueued_at) VALUES (gen_random_uuid(), '{schema}', 'quick', \
         'export.purge', 1, '{{}}', 5, 'ready', clock_timestamp(), 3, 0, clock_timestamp())"
    );
    app.sql(&purge).await;
    eventually("the rows are gone", async || {
        let listed = acme.get("/exports").await.expect(200).json;
        listed["data"].as_array().unwrap().is_empty()
    })
    .await;
    let folder = std::path::PathBuf::from(app.database.storage());
    let left = std::process::Command::new("find")
        .args([folder.to_str().unwrap(), "-type", "f"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

#[actix_web::test]
async fn the_same_request_sent_again_makes_one_export() {
    let app = working().await;
    let acme = app.dealer().await;
    let send = async || {
        let request = acme
            .request(reqwest::Method::POST, "/exports")
            .header("idempotency-key", "once")
            .json(&json!({"kind": "items", "format": "csv"}));
        acme.send(request).await.expect(202).json["id"].clone()
    };

    let (first, again) = (send().await, send().await);

    assert_eq!(first, again);
    let listed = acme.get("/exports").await.expect(200).json;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}
