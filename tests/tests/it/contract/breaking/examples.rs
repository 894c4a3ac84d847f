//! What is called a break, and what is not, on small documents.

use serde_json::{Value, json};

use super::breaks;

/// A document with one operation, which takes and answers an `Item`.
fn document() -> Value {
    json!({
        "paths": {"/items/{id}": {"patch": {
            "operationId": "change_item",
            "security": [{"bearer": []}],
            "parameters": [
                {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "If-Match", "in": "header", "required": false, "schema": {"type": "string"}},
                {"name": "view", "in": "query", "schema": {"type": "string", "enum": ["a", "b"]}},
            ],
            "requestBody": {"required": true, "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/ItemIn"}}}},
            "responses": {
                "200": {"headers": {"ETag": {}}, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/ItemOut"}}}},
                "404": {"description": "Not found"},
            },
        }}},
        "components": {"schemas": {
            "ItemIn": {"type": "object", "required": ["sku"], "properties": {
                "sku": {"type": "string", "maxLength": 40},
                "count": {"type": "integer", "minimum": 0, "maximum": 10},
                "group": {"type": ["string", "null"]},
            }},
            "ItemOut": {"type": "object", "required": ["sku", "rows"], "properties": {
                "sku": {"type": "string"},
                "status": {"type": "string", "enum": ["active", "retired"]},
                "price": {"oneOf": [{"$ref": "#/components/schemas/Price"}, {"type": "null"}]},
                "rows": {"type": "array", "items": {"$ref": "#/components/schemas/ItemOut"}},
            }},
            "Price": {"type": "object", "required": ["amount"], "properties": {
                "amount": {"type": "string"},
            }},
        }},
    })
}

const OPERATION: &str = "/paths/~1items~1{id}/patch";

/// The breaks after something in the document was replaced; null removes it.
fn after(changes: &[(&str, Value)]) -> Vec<String> {
    let (old, mut new) = (document(), document());
    for (pointer, value) in changes {
        let pointer = pointer.replacen("OP", OPERATION, 1);
        let pointer = pointer.replacen("IN", "/components/schemas/ItemIn", 1);
        let pointer = pointer.replacen("OUT", "/components/schemas/ItemOut", 1);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/");
        match new.pointer_mut(parent).unwrap() {
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = value.clone(),
            Value::Object(map) if value.is_null() => drop(map.remove(&key).unwrap()),
            Value::Object(map) => drop(map.insert(key, value.clone())),
            other => panic!("{pointer}: {other}"),
        }
    }
    let found = breaks(&old, &new).into_iter();
    found
        .map(|it| format!("{} {}", it.place, it.what).trim().to_owned())
        .collect()
}

#[test]
fn what_is_gone_is_missed() {
    for (pointer, lost) in [
        ("/paths/~1items~1{id}", "the operation is gone"),
        (OPERATION, "the operation is gone"),
        (
            "OP/requestBody/content/application~1json",
            "request application/json is gone",
        ),
        ("OP/responses/404", "response 404 is gone"),
        (
            "OP/responses/200/headers/ETag",
            "response 200 header ETag is gone",
        ),
        ("IN/properties/count", "request count is gone"),
        ("OUT/properties/sku", "response 200 sku is gone"),
        (
            "/components/schemas/Price/properties/amount",
            "response 200 price no counterpart",
        ),
    ] {
        let found = after(&[(pointer, Value::Null)]);

        assert_eq!(found.len(), 1, "{pointer}: {found:?}");
        assert!(found[0].starts_with(lost), "{pointer}: {found:?}");
    }
    let found = after(&[("OP/parameters/2", json!({"name": "look", "in": "query"}))]);
    assert_eq!(found, ["query view is gone"]);
}

#[test]
fn what_is_asked_for_beyond_is_refused() {
    for (pointer, value, lost) in [
        (
            "OP/operationId",
            json!("other"),
            "operationId was \"change_item\", is \"other\"",
        ),
        (
            "OP/security",
            json!([{"key": []}]),
            "security {\"bearer\":[]} opens it no more",
        ),
        (
            "OP/parameters/1/required",
            json!(true),
            "header if-match is required now",
        ),
        (
            "OP/parameters/2/schema/enum",
            json!(["a"]),
            "query view enum was",
        ),
        (
            "IN/required",
            json!(["sku", "count"]),
            "request count is required now",
        ),
        (
            "IN/properties/sku/maxLength",
            json!(39),
            "request sku maxLength was 40, is 39",
        ),
        (
            "IN/properties/sku/minLength",
            json!(1),
            "request sku minLength was null, is 1",
        ),
        (
            "IN/properties/sku/format",
            json!("uuid"),
            "request sku format was null",
        ),
        (
            "IN/properties/count/minimum",
            json!(1),
            "request count minimum was 0, is 1",
        ),
        (
            "IN/properties/group/type",
            json!("string"),
            "request group type was",
        ),
        (
            "IN/additionalProperties",
            json!(false),
            "request fields that it doesn't name",
        ),
    ] {
        let found = after(&[(pointer, value)]);

        assert_eq!(found.len(), 1, "{pointer}: {found:?}");
        assert!(found[0].starts_with(lost), "{pointer}: {found:?}");
    }
    let another = json!({"name": "why", "in": "query", "required": true});
    let found = after(&[("OP/parameters/2", another)]);
    assert_eq!(found, ["query view is gone", "query why is required now"]);
}

#[test]
fn what_is_answered_beyond_is_refused() {
    for (pointer, value, lost) in [
        (
            "OUT/required",
            json!(["rows"]),
            "response 200 sku is not always there any more",
        ),
        (
            "OUT/properties/sku/type",
            json!(["string", "null"]),
            "response 200 sku type was",
        ),
        (
            "OUT/properties/sku/type",
            json!("integer"),
            "response 200 sku type was",
        ),
        (
            "OUT/properties/status/enum",
            json!(["active", "retired", "new"]),
            "response 200 status enum was",
        ),
        (
            "OUT/properties/rows/items",
            json!({"type": "string"}),
            "response 200 rows[]",
        ),
        (
            "OUT/properties/price/oneOf/1",
            json!({"type": "string"}),
            "response 200 price no counterpart",
        ),
    ] {
        let found = after(&[(pointer, value)]);

        assert!(!found.is_empty(), "{pointer}");
        assert!(found[0].starts_with(lost), "{pointer}: {found:?}");
    }
}

#[test]
fn an_open_door_that_closes_is_a_break_and_the_other_way_round_it_is_not() {
    let mut open = document();
    open.pointer_mut(OPERATION).unwrap()["security"] = json!([]);

    let closed = breaks(&open, &document());
    let opened = breaks(&document(), &open);

    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].what, "was open, and asks for something");
    assert_eq!(opened, []);
}

#[test]
fn what_only_adds_breaks_nobody() {
    let found = after(&[
        (
            "/paths/~1units",
            json!({"get": {"operationId": "list_units"}}),
        ),
        ("OP/security", json!([{"bearer": []}, {"key": []}])),
        ("OP/parameters/2/schema/enum", json!(["a", "b", "c"])),
        ("OP/responses/409", json!({"description": "Conflict"})),
        ("OP/responses/200/headers/Vary", json!({})),
        ("OP/summary", json!("Change an item")),
        ("IN/required", json!([])),
        ("IN/properties/note", json!({"type": "string"})),
        ("IN/properties/sku/maxLength", json!(80)),
        ("IN/properties/count/type", json!("number")),
        ("IN/properties/count/maximum", Value::Null),
        ("OUT/required", json!(["sku", "rows", "note"])),
        ("OUT/properties/note", json!({"type": "string"})),
        ("OUT/properties/status/enum", json!(["active"])),
        (
            "OUT/properties/price",
            json!({"$ref": "#/components/schemas/Price"}),
        ),
    ]);

    assert_eq!(found, [""; 0]);
}

#[test]
fn a_parameter_of_a_path_may_have_another_name() {
    let (old, mut new) = (document(), document());
    let paths = new["paths"].as_object_mut().unwrap();
    let item = paths.remove("/items/{id}").unwrap();
    paths.insert("/items/{item_id}".to_owned(), item);

    assert_eq!(breaks(&old, &new), []);
}
