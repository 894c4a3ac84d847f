//! A dealer that is closing can be read, and changed no more.

use reqwest::Method;
use serde_json::json;
use tests::{TestApp, eventually};

/// What begins, renews or ends a session.
const SESSIONS: [&str; 3] = ["/auth/sign-in", "/auth/refresh", "/auth/sign-out"];

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

    let document = acme.get("/api/openapi.json").await.expect(200).json;
    let mut shut = 0;
    for (route, item) in document["paths"].as_object().unwrap() {
        let route = route.strip_prefix("/api/v1").unwrap();
        for method in item.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse::<Method>();
            let Some(method) = method.ok().filter(|method| *method != Method::GET) else {
                continue;
            };
            if SESSIONS.contains(&route) {
                continue;
            }
            let path = match route.split_once('{') {
                Some((root, rest)) => {
                    let rest = rest.split_once('}').unwrap().1;
                    format!("{root}{}{rest}", item_id(&path))
                }
                None => route.to_owned(),
            };
            let request = acme
                .request(method.clone(), &path)
                .header("if-match", "*")
                .json(&json!({"sku": "X", "name": "X", "base_unit": "pcs"}));
            let reply = acme.send(request).await;
            let what = format!("{method} {route}: {}", reply.text());
            assert_eq!(
                (reply.status.as_u16(), reply.problem()),
                (403, "tenant_closing"),
                "{what}"
            );
            shut += 1;
        }
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

fn item_id(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
