//! What the document says.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use serde_json::{Value, json};
use tests::TestApp;

use super::{document, operations};

const PROBLEM: &str = "application/problem+json";

/// Every route attribute in the domains' sources, as `get /api/v1/items`.
fn routes_in_sources() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src/tenant")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            for line in std::fs::read_to_string(path).unwrap().lines() {
                let route = super::METHODS.iter().find_map(|method| {
                    let rest = line.strip_prefix(&format!("#[{method}(\""))?;
                    Some(format!("{method} /api/v1{}", rest.strip_suffix("\")]")?))
                });
                found.extend(route);
            }
        }
    }
    found
}

#[actix_web::test]
async fn it_is_openapi_3_1_and_knows_every_route() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let document = document(&dealer).await;

    let described: BTreeSet<String> = operations(&document)
        .iter()
        .map(super::Operation::name)
        .collect();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert!(described.len() > 20);
    assert_eq!(described, routes_in_sources());
}

#[actix_web::test]
async fn every_operation_is_described_in_full() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let document = document(&dealer).await;
    // The address says it all.
    let without_body: HashSet<&str> = HashSet::from([
        "add_team_member",
        "apply_import",
        "ask_to_verify_email",
        "begin_totp",
        "cancel_import",
        "deactivate_member",
        "discard_job",
        "end_my_other_sessions",
        "reactivate_member",
        "read_all_my_notifications",
        "read_my_notification",
        "renew_recovery_codes",
        "replay_webhook_delivery",
        "resend_invitation",
        "restore_item",
        "retry_job",
        "sign_out",
        "test_webhook_endpoint",
        "undo_import",
        "verify_sso_domain",
    ]);

    let mut ids = HashSet::new();
    for operation in operations(&document) {
        let (name, says) = (operation.name(), &operation.says);
        let id = says["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{name}: {id} twice");
        assert!(
            says["summary"].as_str().is_some_and(|text| text.len() > 3),
            "{name}"
        );
        assert_eq!(says["tags"].as_array().unwrap().len(), 1, "{name}");
        let is_open = operation.permission() == "anybody";
        assert_eq!(operation.is_secured(), !is_open, "{name}");
        let takes_body =
            matches!(operation.method, "post" | "put" | "patch") && !without_body.contains(id);
        assert_eq!(says.get("requestBody").is_some(), takes_body, "{name}");
        if takes_body {
            assert_eq!(says["requestBody"]["required"], true, "{name}");
        }
        assert_parameters(&operation.path, says, &name);
        assert_responses(operation.is_secured(), says, &name);
    }
}

fn assert_parameters(path: &str, says: &Value, name: &str) {
    let none = Vec::new();
    let parameters = says["parameters"].as_array().unwrap_or(&none);
    for parameter in parameters {
        let kind = &parameter["schema"]["type"];
        if parameter["in"] != "query" {
            assert!(kind.is_string(), "{name}: {parameter} can't be null");
        }
        assert!(parameter["schema"].is_object(), "{name}: {parameter}");
    }
    let in_path = |parameter: &&Value| parameter["in"] == "path" && parameter["required"] == true;
    let declared: Vec<&str> = parameters
        .iter()
        .filter(in_path)
        .filter_map(|p| p["name"].as_str())
        .collect();
    let named: Vec<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
    assert_eq!(declared, named, "{name}");
}

fn assert_responses(is_secured: bool, says: &Value, name: &str) {
    let responses = says["responses"].as_object().unwrap();
    assert!(
        responses
            .keys()
            .any(|status| status == "101" || status.starts_with(['2', '3'])),
        "{name}"
    );
    assert!(responses.contains_key("default"), "{name}");
    for status in ["401", "403"] {
        assert!(
            !is_secured || responses.contains_key(status),
            "{name} {status}"
        );
    }
    for (status, response) in responses {
        assert!(
            response["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{name} {status}"
        );
        if status == "204" || status == "101" || status.starts_with('3') {
            assert!(response.get("content").is_none(), "{name}");
            continue;
        }
        let is_file = ["/export", "/file", "/rejected.csv"]
            .iter()
            .any(|end| name.ends_with(end));
        let kind = match status.starts_with('2') {
            true if is_file => "text/csv",
            true => "application/json",
            false => PROBLEM,
        };
        let schema = &response["content"][kind]["schema"];
        assert!(schema.is_object(), "{name} {status}: {response}");
        if kind == PROBLEM {
            assert_eq!(
                schema,
                &json!({"$ref": "#/components/schemas/ProblemOut"}),
                "{name} {status}"
            );
        }
    }
}

#[actix_web::test]
async fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let document = document(&dealer).await;

    let mut used = BTreeSet::new();
    references(&document, &mut used);

    for reference in &used {
        let pointer = reference.strip_prefix('#').expect("nothing lies outside");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            used.contains(&format!("#/components/schemas/{name}")),
            "{name} is used nowhere"
        );
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Object(fields) => {
            found.extend(
                fields
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            fields.values().for_each(|value| references(value, found));
        }
        _ => {}
    }
}

#[actix_web::test]
async fn types_on_paper_are_those_on_the_wire() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let document = document(&dealer).await;
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    let property = |name: &str, field: &str| schema(name)["properties"][field].clone();

    for field in ["sku", "name", "description", "base_unit"] {
        assert_eq!(
            property("ItemPatch", field)["type"],
            "string",
            "null clears no {field}"
        );
    }
    assert_eq!(
        property("ItemPatch", "group_id")["type"],
        json!(["string", "null"])
    );
    assert_eq!(
        property("UnitPatch", "un_ece")["type"],
        json!(["string", "null"])
    );
    assert_eq!(
        property("GroupPatch", "parent_id")["type"],
        json!(["string", "null"])
    );
    assert_eq!(property("PriceBody", "amount")["type"], "string");
    assert_eq!(property("Delimiter", "x"), Value::Null);
    assert_eq!(schema("Delimiter")["enum"], json!([",", ";", "\t", "|"]));
    for row in ["ItemOut", "GroupOut", "UnitOut"] {
        let rows = property(&format!("PageOut_{row}"), "data");
        assert_eq!(
            rows["items"],
            json!({"$ref": format!("#/components/schemas/{row}")})
        );
    }
    let form = document.pointer("/paths/~1api~1v1~1imports/post/requestBody/content");
    assert!(form.is_some_and(|content| content["multipart/form-data"]["schema"].is_object()));
}

/// What a client generator would trip over: answers that have more or less than was promised.
#[actix_web::test]
async fn answers_have_exactly_the_fields_that_were_promised() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let document = document(&dealer).await;
    dealer
        .item("A", json!({"price": {"amount": "1", "currency": "EUR"}}))
        .await;
    dealer
        .post("/item-groups", json!({"name": "g"}))
        .await
        .expect(201);
    let first = async |path: &str| dealer.get(path).await.expect(200).json["data"][0].clone();
    let tokens = dealer
        .sign_in(&dealer.email, &dealer.password)
        .await
        .expect(200)
        .json;

    for (name, answer) in [
        ("ItemOut", first("/items").await),
        ("GroupOut", first("/item-groups").await),
        ("UnitOut", first("/units").await),
        ("PageOut_UnitOut", dealer.get("/units").await.json),
        ("MeOut", dealer.get("/me").await.json),
        ("DealerOut", dealer.get("/me").await.json["dealer"].clone()),
        ("TokensOut", tokens),
    ] {
        let schema = &document["components"]["schemas"][name];
        let promised: BTreeSet<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let required: BTreeSet<&str> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let given: BTreeSet<&str> = answer
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        // Shown to those who may see it, and to those who ask for it.
        let sometimes: &[&str] = match name {
            "ItemOut" => &["cost", "group", "unit"],
            // For browsers that keep their tokens in cookies.
            "TokensOut" => &["csrf_token"],
            _ => &[],
        };

        assert!(given.is_subset(&promised), "{name}: {given:?}");
        for field in promised {
            let is_always_there = required.contains(field) && given.contains(field);
            let may_be_missing = sometimes.contains(&field) && !required.contains(field);
            assert!(is_always_there != may_be_missing, "{name}: {field}");
        }
    }
}
