//! Imports whose job has died.

use serde_json::{Value, json};
use tests::{Dealer, TestApp};

use super::{all_is_quiet, events, let_it_be_refused, notices, pause, retry};
use crate::imports::sizes;

const FILE: &str = "sku;name;unit;price\nA;a;m;1,50\nB;b;m;2,50\n";
const OTHER: &str = "sku;name;unit;price\nC;c;m;3,50\n";

/// An import that was applied, put back to where a worker left it; a job of this kind that nobody can
/// do has it.
async fn left_at(app: &TestApp, dealer: &Dealer, status: &str, kind: &str) -> String {
    let loaded = dealer.import("", FILE).await.expect(200).json;
    let id = loaded["id"].as_str().unwrap().to_owned();
    all_is_quiet(app).await;
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&format!(
        "UPDATE {schema}.import SET status = '{status}', finished_at = NULL WHERE id = '{id}';
         INSERT INTO jobs.job (id, tenant, queue, kind, version, payload, priority, state, run_at,
             max_attempts, enqueued_at)
         VALUES (gen_random_uuid(), '{schema}', 'bulk', '{kind}', 0, '{{\"import\": \"{id}\"}}', 5,
             'ready', clock_timestamp(), 8, clock_timestamp())"
    ))
    .await;
    id
}

async fn undo(dealer: &Dealer, id: &str) -> Value {
    let path = format!("/imports/{id}/undo");
    dealer.post(&path, json!({})).await.expect(202);
    dealer.import_at_rest(id).await
}

#[actix_web::test]
async fn an_import_whose_job_dies_while_it_is_read_has_failed_and_says_what_to_do() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    pause(&app, "import.read").await;
    let sent = dealer.send_file("apply=true", FILE).await.expect(202);
    let id = sent.json["id"].as_str().unwrap();

    let_it_be_refused(&app, "import.read").await;

    let import = dealer.import_at_rest(id).await;
    assert_eq!(import["status"], "failed");
    let error = &import["error"];
    assert_eq!(error["type"], "/problems/import-given-up");
    assert!(
        error["title"]
            .as_str()
            .unwrap()
            .contains("send the file again")
    );
    all_is_quiet(&app).await;
    assert_eq!(events(&app, &dealer, "import.failed").await[0]["id"], id);
    assert_eq!(
        events(&app, &dealer, "job.dead").await[0]["kind"],
        "import.read"
    );
    let told = notices(&dealer, "import.failed").await;
    assert_eq!(told, [json!({"id": id, "name": "prices.csv"})]);
    assert_eq!(notices(&dealer, "job.dead").await.len(), 1);
    let files = std::process::Command::new("find")
        .args([app.database.storage().as_str(), "-type", "f"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&files.stdout),
        "",
        "its file is gone"
    );

    // The dead letter finds an import that is over, and is over itself.
    retry(&app, &dealer, "import.read").await;
    all_is_quiet(&app).await;
    let left = dealer.get("/jobs?kind=import.read").await.expect(200).json;
    assert_eq!(left["data"], json!([]));
    assert_eq!(dealer.import_at_rest(id).await["status"], "failed");
    dealer.import("", FILE).await.expect(200);
    assert_eq!(sizes(&app, &dealer).await[0], 2);
}

#[actix_web::test]
async fn an_import_whose_job_dies_while_it_is_applied_is_taken_back_and_has_failed() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    let id = left_at(&app, &dealer, "applying", "import.apply").await;

    let import = dealer.import_at_rest(&id).await;
    assert_eq!(import["status"], "failed");
    assert_eq!(import["error"]["type"], "/problems/import-given-up");
    assert_eq!(sizes(&app, &dealer).await[0], 0);
    all_is_quiet(&app).await;
    assert_eq!(events(&app, &dealer, "import.failed").await.len(), 1);
    assert_eq!(notices(&dealer, "import.failed").await.len(), 1);
}

#[actix_web::test]
async fn what_can_not_be_taken_back_keeps_no_other_import_waiting_and_can_be_undone_later() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    let id = left_at(&app, &dealer, "cancelling", "import.undo").await;

    let import = dealer.import_at_rest(&id).await;
    assert_eq!(import["status"], "failed");
    assert_eq!(import["error"]["type"], "/problems/import-left-behind");
    dealer.import("", OTHER).await.expect(200);
    assert_eq!(sizes(&app, &dealer).await[0], 3);

    let undone = undo(&dealer, &id).await;

    assert_eq!(undone["status"], "undone");
    assert_eq!(undone["undone"]["removed"], 2);
    assert_eq!(sizes(&app, &dealer).await[0], 1);
    let again = dealer.post(&format!("/imports/{id}/undo"), json!({})).await;
    assert_eq!(again.expect(409).problem(), "import_status_wrong");
}

#[actix_web::test]
async fn an_import_that_could_not_be_undone_is_applied_again_and_can_be_undone_again() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let loaded = dealer.import("", FILE).await.expect(200).json;
    let id = loaded["id"].as_str().unwrap();
    all_is_quiet(&app).await;
    pause(&app, "import.undo").await;
    let path = format!("/imports/{id}/undo");
    dealer.post(&path, json!({})).await.expect(202);

    let_it_be_refused(&app, "import.undo").await;

    let import = dealer.import_at_rest(id).await;
    assert_eq!(import["status"], "applied");
    assert_eq!(sizes(&app, &dealer).await[0], 2);
    assert_eq!(undo(&dealer, id).await["status"], "undone");
    assert_eq!(sizes(&app, &dealer).await[0], 0);
}
