//! Items, groups and units, through HTTP.

mod changes;
mod creation;
mod group_moves;
mod groups;
mod lists;
mod preconditions;
mod retirement;
mod search;
mod search_pages;
mod texts;
mod units;

use serde_json::{Value, json};
use tests::{Actor, Reply};

/// Where an item is read and changed.
fn path_of(item: &Value) -> String {
    format!("/items/{}", item["id"].as_str().unwrap())
}

/// The pointers of the fields that a problem names.
fn pointers(reply: &Reply) -> Vec<&str> {
    let errors = reply.json["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect()
}

/// A query of names and values, each escaped.
fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    let pairs = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{path}?{pairs}")
}

/// One text of every row of a page, such as its SKU.
fn column(reply: &Reply, field: &str) -> Vec<String> {
    let rows = reply.json["data"].as_array().unwrap();
    rows.iter()
        .map(|row| row[field].as_str().unwrap().to_owned())
        .collect()
}

/// The SKUs of the items that a query finds, in the order of the list.
async fn skus(who: &Actor, pairs: &[(&str, &str)]) -> Vec<String> {
    let reply = who.get(&query("/items", pairs)).await.expect(200);
    column(&reply, "sku")
}

/// Creates items of SKU, name and description.
async fn items(who: &Actor, all: &[(&str, &str, &str)]) {
    for (sku, name, description) in all {
        who.item(sku, json!({ "name": name, "description": description }))
            .await;
    }
}

/// Creates a group and returns it.
async fn group(who: &Actor, name: &str, parent: Option<&Value>) -> Value {
    let parent = parent.map(|parent| parent["id"].clone());
    let body = json!({ "name": name, "parent_id": parent });
    who.post("/item-groups", body).await.expect(201).json
}
