//! Every route, walked by one who may look and by one who may do all.

use reqwest::Method;
use tests::{Actor, Reply, TestApp};

use super::bodies::body_of;
use super::{Operation, document, operations};

/// Sends what an operation asks for, on things that aren't there or may stay as they are.
pub async fn walk(who: &Actor, operation: &Operation) -> Reply {
    let nobody = "01890000-0000-7000-8000-000000000000";
    let path = operation
        .path
        .replace("{id}", nobody)
        .replace("{member_id}", nobody)
        .replace("{code}", "no_such_unit");
    let method = Method::from_bytes(operation.method.to_uppercase().as_bytes()).unwrap();
    // A page where there is a stream as well: a walk goes on.
    let mut request = who
        .request(method, &path)
        .header("accept", "application/json")
        .header("if-match", "*");
    let id = operation.says["operationId"].as_str().unwrap();
    if id == "import_price_file" {
        return who
            .send_file("", "sku,name,unit,price\nA,a,pcs,1.50\n")
            .await;
    }
    if operation.says.get("requestBody").is_some() {
        request = request.json(&body_of(id));
    }
    who.send(request).await
}

/// What a viewer holds, and what anybody does who has signed in.
const HELD_BY_VIEWERS: [&str; 6] = [
    "item.read",
    "event.read",
    "organisation.read",
    "member.read",
    "own",
    "anybody",
];

#[actix_web::test]
async fn a_viewer_looks_but_does_not_touch() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let viewer = app.member(&dealer, "viewer").await;
    let before = crate::imports::sizes(&app, &dealer).await;

    for operation in operations(&document(&dealer).await) {
        let may = HELD_BY_VIEWERS.contains(&operation.permission());
        if operation.says["operationId"] == "sign_out" {
            continue; // it would end the walk
        }
        let reply = walk(&viewer, &operation).await;

        if may {
            assert_ne!(reply.status, 403, "{}", operation.name());
        } else {
            assert_eq!(
                (reply.status.as_u16(), reply.problem()),
                (403, "permission_denied"),
                "{}",
                operation.name()
            );
        }
    }
    assert_eq!(crate::imports::sizes(&app, &dealer).await, before);
}

#[actix_web::test]
async fn an_owner_finds_something_behind_every_door() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let mut all = operations(&document(&dealer).await);
    // Signing out comes last: nothing opens after it.
    all.sort_by_key(|operation| operation.says["operationId"] == "sign_out");
    for operation in all {
        let reply = walk(&dealer, &operation).await;

        let status = reply.status.as_u16();
        assert!(status < 500, "{}: {}", operation.name(), reply.text());
        assert!(
            !matches!(reply.problem(), "not_found" | "method_not_allowed"),
            "{}",
            operation.name()
        );
        let promised = operation.says["responses"].as_object().unwrap();
        assert!(
            promised.contains_key(&status.to_string()),
            "{}: {status} is not in the document",
            operation.name()
        );
    }
}
