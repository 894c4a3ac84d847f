//! What members are told, and how they want to be told.

mod preferences;
mod reading;

use reqwest::Method;
use serde_json::Value;
use tests::{Actor, Reply};

async fn id_of(who: &Actor) -> String {
    let me = who.get("/me").await.expect(200).json;
    me["id"].as_str().unwrap().to_owned()
}

/// What somebody was told, the latest first.
async fn told(who: &Actor, query: &str) -> Vec<Value> {
    let list = who.get(&format!("/me/notifications{query}")).await;
    list.expect(200).json["data"].as_array().unwrap().clone()
}

async fn unread(who: &Actor) -> u64 {
    let count = who.get("/me/notifications/unread").await.expect(200);
    count.json["unread"].as_u64().unwrap()
}

/// Replaces somebody's preferences.
async fn prefer(who: &Actor, version: u32, body: Value) -> Reply {
    let request = who.request(Method::PUT, "/me/notification-preferences");
    let request = request.header("if-match", format!("\"{version}\""));
    who.send(request.json(&body)).await
}
