//! What a key is, and what it may do.

use reqwest::Method;
use serde_json::json;
use tests::TestApp;

use super::{ask, key, made, opens};
use crate::authorization::member_with;

#[actix_web::test]
async fn a_key_is_shown_once_and_opens_what_it_was_given() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let made = key(&dealer, json!({})).await;

    let path = format!("/api-keys/{}", made.id);
    let secret = made.text.split('_').nth(3).unwrap();
    for told in [dealer.get(&path).await, dealer.get("/api-keys").await] {
        assert!(!told.expect(200).text().contains(secret));
    }
    made.machine.get("/items").await.expect(200);
    let refused = made
        .machine
        .post(
            "/items",
            json!({"sku": "N", "name": "n", "base_unit": "pcs"}),
        )
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (403, "permission_denied")
    );
    let me = made.machine.get("/me").await.expect(200);
    assert_eq!(me.json["permissions"], json!(["item.read"]));
}

#[actix_web::test]
async fn its_secret_is_nowhere_in_the_dealers_rows() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let made = key(&dealer, json!({})).await;
    let secret = made.text.split('_').nth(3).unwrap().to_owned();
    let schema = app.database.schema_of(&dealer.slug).await;
    let mut connection = app.database.connect().await;

    for table in ["api_key", "audit_record", "idempotency_key"] {
        let count =
            format!("SELECT count(*) FROM {schema}.{table} AS row WHERE strpos(row::text, $1) > 0");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .bind(&secret)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(count, 0, "{table}");
    }
}

#[actix_web::test]
async fn a_request_that_is_sent_again_makes_no_second_key_and_shows_the_first() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let send = async || {
        let body = json!({"name": "Once", "permissions": ["item.read"]});
        let request = dealer.request(Method::POST, "/api-keys").json(&body);
        dealer
            .send(request.header("idempotency-key", "one-key-please"))
            .await
    };

    let (first, again) = (send().await.expect(201), send().await.expect(201));

    assert_eq!(first.json["key"], again.json["key"]);
    assert!(opens(&made(&dealer, &again).machine).await);
    let all = dealer.get("/api-keys").await.expect(200);
    assert_eq!(all.json["data"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn nobody_gives_a_key_what_they_do_not_hold() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let grants = json!([{"permission": "api_key.manage"}, {"permission": "item.read"}]);
    let (maker, _) = member_with(&app, &dealer, "maker", grants).await;

    let within = ask(&maker, json!({})).await;
    let beyond = ask(&maker, json!({"permissions": ["item.read", "item.write"]})).await;
    let strong = key(&dealer, json!({"permissions": ["item.write"]})).await;
    let taken_over = format!("/api-keys/{}/rotate", strong.id);
    let taken_over = maker.post(&taken_over, json!({})).await;

    within.expect(201);
    for refused in [beyond, taken_over] {
        let got = (refused.status.as_u16(), refused.problem());
        assert_eq!(got, (403, "grant_too_wide"));
    }
    assert_eq!(
        strong.machine.get("/items").await.status,
        403,
        "it is still the old one"
    );
}

#[actix_web::test]
async fn what_is_for_people_no_key_is_given() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for permission in [
        "api_key.manage",
        "role.manage",
        "security.manage",
        "session.manage",
        "sso.manage",
    ] {
        let refused = ask(&dealer, json!({"permissions": [permission]})).await;

        assert_eq!(refused.status, 422, "{permission}");
        assert_eq!(
            refused.json["errors"][0]["code"], "for_people",
            "{permission}"
        );
    }
}

#[actix_web::test]
async fn a_key_whose_row_says_more_than_keys_may_opens_no_more() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let made = key(&dealer, json!({})).await;
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&format!(
        "UPDATE {schema}.api_key SET permissions = '{{role.manage,session.manage,item.read}}'"
    ))
    .await;

    let refused = made
        .machine
        .post("/roles", json!({"name": "R", "grants": []}))
        .await;

    assert_eq!(refused.problem(), "permission_denied");
    assert!(opens(&made.machine).await);
}

#[actix_web::test]
async fn a_persons_own_things_are_not_for_their_keys() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let made = key(&dealer, json!({})).await;

    let refused = made.machine.post("/auth/sign-out", json!({})).await;

    assert_eq!(refused.problem(), "permission_denied");
    assert!(opens(&made.machine).await && opens(&dealer).await);
}

#[actix_web::test]
async fn its_name_networks_and_rate_change_and_nothing_else_does() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let made = key(&dealer, json!({"per_minute": 100})).await;
    let path = format!("/api-keys/{}", made.id);

    let change = json!({"name": "Till", "per_minute": null, "addresses": ["127.0.0.1", "::1/128"]});
    let changed = dealer.patch(&path, 1, change).await.expect(200);
    let more = json!({"permissions": ["item.write"]});
    let more = dealer.patch(&path, 2, more).await;
    let late = dealer.patch(&path, 1, json!({"name": "Late"})).await;

    assert_eq!(changed.json["name"], "Till");
    assert_eq!(changed.json["per_minute"], json!(null));
    assert_eq!(
        changed.json["addresses"],
        json!(["127.0.0.1/32", "::1/128"])
    );
    assert_eq!(changed.json["version"], 2);
    assert_eq!(more.status, 422);
    assert_eq!(late.problem(), "precondition_failed");
}

#[actix_web::test]
async fn what_can_not_be_a_network_a_rate_or_an_end_is_refused_by_field() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for (wrong, pointer) in [
        (json!({"addresses": ["10.0.0.0/33"]}), "/addresses"),
        (json!({"addresses": ["office"]}), "/addresses"),
        (json!({"per_minute": 0}), "/per_minute"),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), "/expires_at"),
        (json!({"permissions": []}), "/permissions"),
        (json!({"permissions": ["item.destroy"]}), "/permissions/0"),
    ] {
        let refused = ask(&dealer, wrong).await.expect(422);
        assert_eq!(refused.json["errors"][0]["pointer"], pointer);
    }
}

#[actix_web::test]
async fn a_machine_at_the_api_host_names_its_dealer() {
    let app = TestApp::start().await;
    let (dealer, neighbour) = (app.dealer().await, app.dealer().await);
    let made = key(&dealer, json!({})).await;
    let machine = made.machine.at("api.localhost");
    let ask = async |name: &str| {
        let request = machine.request(Method::GET, "/items");
        machine.send(request.header("x-tenant-id", name)).await
    };

    ask(&dealer.slug).await.expect(200);
    let at_the_neighbours = ask(&neighbour.slug).await;

    assert_eq!(at_the_neighbours.problem(), "unauthenticated");
    assert_eq!(machine.get("/items").await.problem(), "tenant_unknown");
}
