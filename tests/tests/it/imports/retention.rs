//! What is kept of imports that are over, and for how long.

use serde_json::{Value, json};
use tests::{Dealer, TestApp, eventually};
use time::Duration;

use super::load;

/// Removes what is over every second.
const BUSY: [(&str, &str); 2] = [
    ("TUBEX_JOBS__INSIDE", "true"),
    ("TUBEX_WORKER__PURGE", "* * * * * *"),
];

/// More rows than are removed at once, one of them bad.
fn list(price: &str) -> String {
    let rows = (0..6_000).map(|n| format!("S{n:05};row;m;{price}\n"));
    let rows: String = rows.collect();
    format!("sku;name;unit;price\n{rows}BAD;bad;m;dear\n")
}

async fn import(dealer: &Dealer, id: &str) -> Value {
    dealer.get(&format!("/imports/{id}")).await.expect(200).json
}

/// How many rows and notes there are of an import.
async fn kept(app: &TestApp, dealer: &Dealer, id: &str) -> (i64, i64) {
    let schema = app.database.schema_of(&dealer.slug).await;
    let sql = format!(
        "SELECT (SELECT count(*) FROM {schema}.import_row WHERE import_id = '{id}'),
            (SELECT count(*) FROM {schema}.import_change WHERE import_id = '{id}')"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap()
}

#[actix_web::test]
async fn of_an_import_long_over_the_numbers_stay_and_it_is_not_undone_any_more() {
    let app = TestApp::start_with(&BUSY).await;
    let dealer = app.dealer().await;
    let first = load(&dealer, list("1,50")).await["id"].clone();
    let first = first.as_str().unwrap();
    let before = import(&dealer, first).await;
    assert_eq!(before["has_details"], true);
    assert_eq!(kept(&app, &dealer, first).await, (1, 6_000));

    app.advance(Duration::days(60));
    let dealer = app.enter(&dealer.slug).await;
    let second = load(&dealer, list("2,50")).await["id"].clone();
    let second = second.as_str().unwrap();
    app.advance(Duration::days(31));
    let dealer = app.enter(&dealer.slug).await;

    eventually("the first one's rows are gone", async || {
        kept(&app, &dealer, first).await == (0, 0)
            && import(&dealer, first).await["has_details"] == false
    })
    .await;
    let after = import(&dealer, first).await;
    for field in ["id", "status", "counts", "mapping", "finished_at", "file"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(after["samples"]["created"], json!([]));
    assert!(after["version"].as_i64() > before["version"].as_i64());
    for path in ["rows", "rejected.csv"] {
        let gone = dealer.get(&format!("/imports/{first}/{path}")).await;
        assert_eq!(gone.expect(410).problem(), "import_forgotten", "{path}");
    }

    // The later one can still be undone, and then the first can't.
    assert_eq!(kept(&app, &dealer, second).await, (1, 6_000));
    let undo = async |id: &str| dealer.post(&format!("/imports/{id}/undo"), json!({})).await;
    undo(second).await.expect(202);
    let undone = dealer.import_at_rest(second).await;
    assert_eq!(undone["undone"]["restored"], 6_000);
    assert_eq!(undo(first).await.expect(410).problem(), "import_forgotten");
}

#[actix_web::test]
async fn an_import_that_nobody_applies_is_cancelled_in_the_end_and_its_file_goes() {
    let app = TestApp::start_with(&BUSY).await;
    let dealer = app.dealer().await;
    let waiting = dealer.import("apply=false", list("1,50")).await.expect(200);
    let waiting = waiting.json["id"].as_str().unwrap().to_owned();
    let count = |folder: &str| {
        let found = std::process::Command::new("find")
            .args([folder, "-type", "f"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&found.stdout).lines().count()
    };
    assert_eq!(count(&app.database.storage()), 1);

    app.advance(Duration::days(91));
    let dealer = app.enter(&dealer.slug).await;

    eventually("it is cancelled, and its file gone", async || {
        import(&dealer, &waiting).await["status"] == "cancelled"
            && count(&app.database.storage()) == 0
    })
    .await;
    let told = dealer
        .get("/audit-records?action=import.cancel")
        .await
        .expect(200)
        .json;
    let record = &told["data"][0];
    assert_eq!(record["actor"]["kind"], "system", "{told}");
    assert_eq!(record["target"]["id"], waiting.as_str());
}

#[actix_web::test]
async fn a_list_of_imports_is_small_and_one_import_has_it_all() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let report = load(&dealer, list("1,50")).await;
    let id = report["id"].as_str().unwrap();

    let listed = dealer.get("/imports").await.expect(200);
    let one = import(&dealer, id).await;

    let row = &listed.json["data"][0];
    assert!(listed.body.len() < 1_500, "{}", listed.text());
    assert!(row.get("samples").is_none() && row.get("mapping").is_none());
    for field in ["id", "status", "counts", "file", "progress", "finished_at"] {
        assert_eq!(row[field], one[field], "{field}");
    }
    assert_eq!(one["samples"]["created"].as_array().unwrap().len(), 20);
    assert_eq!(one["samples"]["rejected"].as_array().unwrap().len(), 1);
}
