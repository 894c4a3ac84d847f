//! Every route asks for a permission, and whoever holds just that one opens just those routes.

use std::collections::BTreeSet;

use serde_json::json;
use tests::{Actor, TestApp};

use super::{member_with, only};
use crate::openapi::walk::walk;
use crate::openapi::{Operation, document, operations};

/// What would end or change the very session or key that walks: what is its own, and what its
/// permission opens that puts everybody out.
fn ends_the_walk(permission: &str, operation: &Operation) -> bool {
    let is_own = operation.permission() == "own" && operation.method != "get";
    let puts_all_out = operation.path.ends_with("/void-all-tokens");
    is_own || (puts_all_out && operation.permission() == permission)
}

/// What somebody is let through to who holds just this.
async fn opened(who: &Actor, permission: &str, all: &[Operation]) -> BTreeSet<String> {
    let mut opened = BTreeSet::new();
    for operation in all.iter().filter(|one| !ends_the_walk(permission, one)) {
        let reply = walk(who, operation).await;
        let what = format!("{} {}", operation.name(), reply.text());
        assert!(reply.status.as_u16() < 500, "{what}");
        let is_open = !matches!(reply.problem(), "permission_denied" | "unauthenticated");
        if is_open {
            opened.insert(operation.name());
        }
    }
    opened
}

/// What a permission should open.
fn asking_for(permission: &str, all: &[Operation]) -> BTreeSet<String> {
    let all = all.iter().filter(|one| !ends_the_walk(permission, one));
    all.filter(|one| [permission, "own", "anybody"].contains(&one.permission()))
        .map(Operation::name)
        .collect()
}

#[actix_web::test]
async fn a_role_of_one_permission_opens_just_the_routes_that_ask_for_it() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let all = operations(&document(&dealer).await);
    let catalogue = dealer.get("/permissions").await.expect(200).json["data"].clone();
    let mut asked = BTreeSet::new();

    for (number, permission) in catalogue.as_array().unwrap().iter().enumerate() {
        let permission = permission["name"].as_str().unwrap();
        let name = format!("only-{number}");
        let (who, _) = member_with(&app, &dealer, &name, only(permission)).await;

        let open = opened(&who, permission, &all).await;

        assert_eq!(open, asking_for(permission, &all), "{permission}");
        asked.insert(permission.to_owned());
    }

    let unknown: Vec<_> = all
        .iter()
        .filter(|one| !asked.contains(one.permission()))
        .filter(|one| !["own", "anybody"].contains(&one.permission()))
        .map(Operation::name)
        .collect();
    assert!(unknown.is_empty(), "not in the catalogue: {unknown:?}");
}

#[actix_web::test]
async fn a_key_of_one_permission_opens_just_the_routes_that_ask_for_it() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let all = operations(&document(&dealer).await);
    let catalogue = dealer.get("/permissions").await.expect(200).json["data"].clone();
    let for_keys = |one: &&serde_json::Value| one["for_api_keys"] == true;
    let mut walked = 0;

    for permission in catalogue.as_array().unwrap().iter().filter(for_keys) {
        let permission = permission["name"].as_str().unwrap();
        let new = json!({"name": permission, "permissions": [permission]});
        let made = dealer.post("/api-keys", new).await.expect(201);
        let key = dealer.with_token(made.json["key"].as_str().unwrap());

        let mut open = opened(&key, permission, &all).await;

        // What is a person's own, such as their sessions, is closed to machines by itself.
        let mut expected = asking_for(permission, &all);
        let own = |one: &&Operation| one.permission() == "own";
        let own: BTreeSet<_> = all.iter().filter(own).map(Operation::name).collect();
        open.retain(|name| !own.contains(name));
        expected.retain(|name| !own.contains(name));
        assert_eq!(open, expected, "{permission}");
        walked += 1;
    }
    assert!(walked > 5, "{walked} permissions");
}

#[actix_web::test]
async fn what_a_route_asks_for_stands_in_the_document() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    for operation in operations(&document(&dealer).await) {
        let is_open = operation.permission() == "anybody";
        assert_eq!(operation.is_secured(), !is_open, "{}", operation.name());
    }
}
