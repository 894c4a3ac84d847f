//! A dealer that is closing can be read, and changed no more.

use serde_json::json;
use tests::{TestApp, eventually};

use crate::openapi::walk::walk;
use crate::openapi::{document, operations};

/// What begins, renews or ends a session.
const SESSIONS: [&str; 6] = [
    "/auth/sign-in",
    "/auth/refresh",
    "/auth/second-factor",
    "/auth/sso/discover",
    "/auth/switch/redeem",
    "/auth/sign-out",
];

#[actix_web::test]
async fn a_closing_dealer_is_read_and_changed_no_more() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let item = acme.item("KEPT", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    app.sql("UPDATE platform.tenant SET status = 'closing' WHERE slug = 'acme'")
        .await;
    eventually("everybody knows", async || {
        acme.delete("/units/none").await.problem() == "tenant_closing"
    })
    .await;

    let mut shut = 0;
    for operation in operations(&document(&acme).await) {
        let route = operation.path.strip_prefix("/api/v1").unwrap();
        if operation.method == "get" || SESSIONS.contains(&route) {
            continue;
        }
        let reply = walk(&acme, &operation).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (403, "tenant_closing"),
            "{}: {}",
            operation.name(),
            reply.text()
        );
        shut += 1;
    }

    assert!(shut >= 8, "{shut} routes");
    assert_eq!(acme.get(&path).await.expect(200).header("etag"), "\"1\"");
    acme.get("/items").await.expect(200);
    acme.signed_out().get("/").await.expect(200);
    let signed_in = acme.sign_in(&acme.email, &acme.password).await.expect(200);
    let token = json!({"refresh_token": signed_in.json["refresh_token"]});
    let renewed = acme.post("/auth/refresh", token).await.expect(200);
    let later = acme.with_token(renewed.json["access_token"].as_str().unwrap());
    later.get("/me").await.expect(200);
    later.post("/auth/sign-out", json!({})).await.expect(204);
    later.get("/me").await.expect(401);
    bolt.item("NEW", json!({})).await;
}
