//! A disk without room: said so, nothing half is left, and it goes on when there is room again.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tests::{Actor, Scratch, ServerProcess, TestApp, within};

use super::disk::files_in;
use crate::imports::hostile::{cells, workbook};

/// Longest file that the server can write, KiB.
const ROOM: u64 = 256;
/// A busy machine takes its time.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(90);

/// Rows of about a hundred bytes.
fn list(rows: std::ops::Range<usize>, price: &str) -> String {
    let mut list = "sku;name;unit;price\n".to_owned();
    for number in rows {
        let name = "a name that takes its room ".repeat(3);
        let _ = writeln!(list, "S{number:05};{name};pcs;{price}");
    }
    list
}

/// A server that can't write longer files than that, and a dealer's owner there.
async fn cramped() -> (TestApp, ServerProcess, Actor) {
    let app = TestApp::start_on(Scratch::with_dealers().await, &[]).await;
    let keys = [("TUBEX_JOBS__INSIDE", "true")];
    let server = ServerProcess::with_room(&app.database, &keys, ROOM).await;
    let acme = app.dealer().await;
    let stranger = server.stranger("acme.localhost");
    let reply = stranger.sign_in(&acme.email, &acme.password).await;
    let token = reply.expect(200).json["access_token"].clone();
    let owner = stranger.with_token(token.as_str().unwrap());
    (app, server, owner)
}

/// What it is once it is over; nobody waits for the next attempt.
async fn over(app: &TestApp, owner: &Actor, path: &str, is_over: fn(&Value) -> bool) -> Value {
    let mut it = Value::Null;
    within(PATIENCE, "it is over", async || {
        let soon = "UPDATE jobs.job SET run_at = now() WHERE state IN ('ready', 'scheduled')";
        app.sql(soon).await;
        it = owner.get(path).await.expect(200).json;
        is_over(&it)
    })
    .await;
    it
}

fn files(app: &TestApp) -> Vec<String> {
    match Path::new(&app.database.storage()) {
        folder if folder.exists() => files_in(folder),
        _ => Vec::new(),
    }
}

#[actix_web::test]
async fn an_upload_without_room_is_told_so_and_leaves_nothing_and_the_next_one_works() {
    let (app, _server, owner) = cramped().await;

    let refused = owner.import("", list(0..8000, "1,50")).await;

    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (507, "storage_full"),
        "{}",
        refused.text()
    );
    tests::eventually("nothing half is left", async || files(&app).is_empty()).await;
    let listed = owner.get("/imports").await.expect(200).json;
    assert_eq!(listed["data"], json!([]));
    let next = owner.import("", list(0..100, "1,50")).await.expect(200);
    assert_eq!(next.json["created"], 100);
}

#[actix_web::test]
async fn an_export_without_room_fails_with_its_reason_and_a_smaller_one_is_written() {
    let (app, _server, owner) = cramped().await;
    for rows in [0..2000, 2000..4000] {
        owner.import("", list(rows, "1,50")).await.expect(200);
    }
    let ask = async |wishes: Value| -> Value {
        let asked = owner.post("/exports", wishes).await.expect(202).json;
        let path = format!("/exports/{}", asked["id"].as_str().unwrap());
        over(&app, &owner, &path, |export| export["state"] != "pending").await
    };

    let large = ask(json!({"kind": "items", "format": "csv"})).await;
    let small = ask(json!({"kind": "items", "format": "csv", "columns": ["sku"]})).await;

    assert_eq!(large["state"], "failed", "{large}");
    let why = large["error"].as_str().unwrap();
    assert!(why.contains("no room"), "{why}");
    assert_eq!(
        (&small["state"], &small["rows"]),
        (&json!("done"), &json!(4000))
    );
    let left = files(&app);
    assert!(
        matches!(&left[..], [one] if one.ends_with(small["id"].as_str().unwrap())),
        "{left:?}"
    );
}

#[actix_web::test]
async fn a_workbook_that_there_is_no_room_to_unpack_fails_with_its_reason() {
    let (app, _server, owner) = cramped().await;
    let name = "a name that takes its room ".repeat(3);
    let rows: String = (0..4000)
        .map(|number| cells(&[&format!("S{number}"), &name, "pcs", "1.50"]))
        .collect();
    let workbook = workbook(&(cells(&["sku", "name", "unit", "price"]) + &rows));
    assert!((workbook.len() as u64) < ROOM * 1024);

    let sent = owner.send_file("apply=true", workbook).await.expect(202);
    let path = format!("/imports/{}", sent.json["id"].as_str().unwrap());
    let import = over(&app, &owner, &path, |import| import["status"] == "failed").await;

    assert_eq!(import["error"]["code"], "storage_full", "{import}");
    tests::eventually("nothing is left", async || files(&app).is_empty()).await;
}

#[actix_web::test]
async fn rejected_rows_need_no_room() {
    let (_app, _server, owner) = cramped().await;
    let report = owner
        .import("", list(0..2000, "dear"))
        .await
        .expect(200)
        .json;
    assert_eq!(report["rejected"], 2000);

    let path = format!("/imports/{}/rejected.csv", report["id"].as_str().unwrap());
    let file = owner.get(&path).await.expect(200);

    assert!(file.body.len() as u64 > ROOM * 1024, "{}", file.body.len());
    assert_eq!(file.text().lines().count(), 2001);
}
