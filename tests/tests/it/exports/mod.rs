//! Exports: asked for, written by a worker, fetched, read back by an import, gone after a while.

mod fetching;
mod files;

use serde_json::{Value, json};
use tests::{Actor, Reply, TestApp, eventually};

/// A server that does background work, too.
async fn working() -> TestApp {
    TestApp::start_with(&[("TUBEX_JOBS__INSIDE", "true")]).await
}

/// Asks for an export of items and waits until it is over.
async fn exported(who: &Actor, wishes: Value) -> Value {
    let mut body = json!({"kind": "items", "format": "csv"});
    let fields = wishes.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let asked = who.post("/exports", body).await.expect(202).json;
    assert_eq!(asked["state"], "pending");
    let path = format!("/exports/{}", asked["id"].as_str().unwrap());
    let mut export = Value::Null;
    eventually("the export is over", async || {
        export = who.get(&path).await.expect(200).json;
        export["state"] != "pending"
    })
    .await;
    export
}

/// Its file.
async fn file_of(who: &Actor, export: &Value) -> Reply {
    assert_eq!(export["state"], "done", "{export}");
    let path = format!("/exports/{}/file", export["id"].as_str().unwrap());
    let reply = who.get(&path).await.expect(200);
    assert_eq!(export["bytes"], reply.body.len());
    reply
}
