//! Fields that a client doesn't set are refused by every body there is, by name: none is taken over
//! silently, and none silently dropped.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::TestApp;

use crate::openapi::bodies::body_of;
use crate::openapi::{document, operations};

/// What people have smuggled into bodies elsewhere.
const SMUGGLED: [&str; 16] = [
    "id",
    "version",
    "created_at",
    "updated_at",
    "retired_at",
    "revoked_at",
    "member_id",
    "tenant_id",
    "token_version",
    "role",
    "role_id",
    "status",
    "permissions",
    "grants",
    "password_hash",
    "is_admin",
];

/// The fields that a body has by its description.
fn known(document: &Value, says: &Value) -> Option<BTreeSet<String>> {
    let schema = &says["requestBody"]["content"]["application/json"]["schema"];
    let reference = schema["$ref"].as_str()?;
    let schema = document.pointer(reference.strip_prefix('#')?)?;
    Some(schema["properties"].as_object()?.keys().cloned().collect())
}

#[actix_web::test]
async fn every_body_refuses_what_a_client_does_not_set() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let document = document(&dealer).await;
    let mut bodies = 0;

    for operation in operations(&document) {
        let Some(known) = known(&document, &operation.says) else {
            continue;
        };
        let id = operation.says["operationId"].as_str().unwrap();
        let path = operation.path.replace("{code}", "no_such_unit");
        let path: Vec<_> = path
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => "01890000-0000-7000-8000-000000000000",
                false => part,
            })
            .collect();
        for field in SMUGGLED.iter().filter(|field| !known.contains(**field)) {
            let mut body = body_of(id);
            body.as_object_mut()
                .unwrap()
                .insert((*field).to_owned(), json!(1));
            let method = operation.method.to_uppercase().parse().unwrap();
            let request = dealer.request(method, &path.join("/")).json(&body);
            let refused = dealer.send(request.header("if-match", "*")).await;

            let what = format!("{id} with {field}: {}", refused.text());
            assert_eq!(
                (refused.status.as_u16(), refused.problem()),
                (422, "fields_invalid"),
                "{what}"
            );
            assert!(refused.text().contains(field), "{what}");
        }
        bodies += 1;
    }

    assert!(bodies >= 15, "{bodies} bodies");
}
