//! Where the API of operators is, and where it is not.

use serde_json::json;
use tests::TestApp;

use super::{HOST, app, operator};
use crate::openapi::{document, operations};

#[actix_web::test]
async fn a_server_without_the_owners_address_has_no_such_host() {
    let app = TestApp::start().await;
    let (admin, unknown) = (app.stranger(HOST), app.stranger("nobody.localhost"));

    for path in [
        "/platform/v1/me",
        "/platform/v1/tenants",
        "/api/openapi.json",
        "/problems",
    ] {
        let (here, there) = (admin.get(path).await, unknown.get(path).await);

        assert_eq!(here.status, 404, "{path}");
        assert_eq!(here.body, there.body, "{path}");
    }
}

#[actix_web::test]
async fn everywhere_else_its_addresses_are_nobodys() {
    let app = app().await;
    let dealer = app.dealer().await;
    let admin = operator(&app, "admin").await;
    let unknown = admin.at("nobody.localhost");
    let api = admin.at("api.localhost");

    for operation in operations(&document(&admin).await) {
        let path = operation.path.replace(['{', '}'], "");
        let method = reqwest::Method::from_bytes(operation.method.to_uppercase().as_bytes());
        let method = method.unwrap();
        let send = async |who: &tests::Actor| {
            who.send(who.request(method.clone(), &path).json(&json!({})))
                .await
        };

        let at_dealers = send(&dealer).await;
        assert_eq!(
            (at_dealers.status.as_u16(), at_dealers.problem()),
            (404, "not_found"),
            "{path}"
        );
        let with_our_token = send(&admin.at(&dealer.host)).await;
        assert_eq!(with_our_token.problem(), "not_found", "{path}");
        let nobodys = unknown.get("/nothing").await;
        for elsewhere in [&unknown, &api] {
            let reply = send(elsewhere).await;
            assert_eq!(
                (reply.status.as_u16(), &reply.body),
                (404, &nobodys.body),
                "{path}"
            );
        }
    }
}

#[actix_web::test]
async fn dealers_are_not_served_at_the_host_of_operators() {
    let app = app().await;
    let dealer = app.dealer().await;

    let reply = dealer.at(HOST).get("/items").await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem()),
        (404, "tenant_unknown")
    );
    let named = dealer.at(HOST).request(reqwest::Method::GET, "/items");
    let reply = dealer.send(named.header("x-tenant-id", &dealer.slug)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem()),
        (404, "tenant_unknown")
    );
}

#[actix_web::test]
async fn each_host_shows_its_own_document_and_both_explain_problems() {
    let app = app().await;
    let dealer = app.dealer().await;
    let admin = app.stranger(HOST);

    let ours = document(&admin).await;
    let dealers = document(&dealer).await;

    let paths = |document: &serde_json::Value| -> Vec<String> {
        document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    assert!(
        paths(&ours)
            .iter()
            .all(|path| path.starts_with("/platform/v1/"))
    );
    assert!(
        paths(&dealers)
            .iter()
            .all(|path| path.starts_with("/api/v1/"))
    );
    for operation in operations(&ours) {
        assert_eq!(
            operation.says["tags"],
            json!(["platform"]),
            "{}",
            operation.name()
        );
        assert!(
            operation.says["summary"].is_string(),
            "{}",
            operation.name()
        );
    }
    admin.get("/problems").await.expect(200);
}

#[actix_web::test]
async fn a_wrong_method_and_a_wrong_address_are_told_apart() {
    let app = app().await;
    let admin = operator(&app, "viewer").await;

    let reply = admin.delete("/platform/v1/tenants").await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem()),
        (405, "method_not_allowed")
    );
    assert_eq!(reply.header("allow"), "GET, POST");
    let reply = admin.get("/platform/v1/nothing").await;
    assert_eq!((reply.status.as_u16(), reply.problem()), (404, "not_found"));
}
