//! Imports that are undone or cancelled, and what is left of them.

use serde_json::json;
use tests::{Dealer, TestApp};

use super::{item, load, sizes, written};

const BEFORE: &str = "sku;name;unit;price;group;EAN\nA;a;m;1,50;g;\nB;b;m;2,50;g;\nC;c;m;3,50;g;\n";
const AFTER: &str = "sku;name;unit;price;group;EAN\nA;a new;m;1,75;h;\nB;b;m;2,50;g;96385074\n\
    C;c new;m;3,75;g;\nNEW;new;m;4,50;g;\nNEW2;new two;m;5,50;g;\n";

/// Undoes an import and waits for it.
async fn undo(dealer: &Dealer, id: &str) -> serde_json::Value {
    let path = format!("/imports/{id}/undo");
    dealer.post(&path, json!({})).await.expect(202);
    dealer.import_at_rest(id).await
}

#[actix_web::test]
async fn an_undone_import_leaves_every_item_as_it_was() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, BEFORE).await;
    let [a, b, c] = [
        item(&dealer, "A").await,
        item(&dealer, "B").await,
        item(&dealer, "C").await,
    ];
    app.advance(time::Duration::minutes(1));
    let report = load(&dealer, AFTER).await;
    let id = report["id"].as_str().unwrap();
    assert_eq!(item(&dealer, "B").await["barcodes"], json!(["96385074"]));

    let undone = undo(&dealer, id).await;

    assert_eq!(undone["status"], "undone");
    assert_eq!(
        undone["undone"],
        json!({"restored": 3, "removed": 2, "kept": 0})
    );
    for (before, sku) in [(a, "A"), (b, "B"), (c, "C")] {
        let after = item(&dealer, sku).await;
        for field in ["id", "name", "group_id", "price", "barcodes", "status"] {
            assert_eq!(after[field], before[field], "{sku} {field}");
        }
    }
    assert_eq!(sizes(&app, &dealer).await[0], 3);
}

#[actix_web::test]
async fn what_somebody_has_changed_since_is_left_alone_and_told() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, BEFORE).await;
    let report = load(&dealer, AFTER).await;
    let id = report["id"].as_str().unwrap();
    for sku in ["A", "NEW"] {
        let changed = item(&dealer, sku).await;
        let path = format!("/items/{}", changed["id"].as_str().unwrap());
        let version = changed["version"].as_i64().unwrap();
        let name = json!({"name": format!("{sku} by hand")});
        dealer.patch(&path, version, name).await.expect(200);
    }

    let undone = undo(&dealer, id).await;

    assert_eq!(
        undone["undone"],
        json!({"restored": 2, "removed": 1, "kept": 2})
    );
    let kept = dealer.import_rows(id, "kept").await;
    let kept: Vec<_> = kept.iter().map(|row| &row["value"]).collect();
    assert_eq!(kept, ["A", "NEW"]);
    assert_eq!(item(&dealer, "A").await["name"], "A by hand");
    assert_eq!(item(&dealer, "NEW").await["name"], "NEW by hand");
    assert_eq!(item(&dealer, "C").await["name"], "c");
}

#[actix_web::test]
async fn only_the_last_import_is_undone_and_only_once() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let first = load(&dealer, BEFORE).await["id"].clone();
    let first = first.as_str().unwrap();
    app.advance(time::Duration::minutes(1));
    let second = load(&dealer, AFTER).await["id"].clone();
    let second = second.as_str().unwrap();
    let ask = async |id: &str| {
        let reply = dealer.post(&format!("/imports/{id}/undo"), json!({})).await;
        (reply.status.as_u16(), reply.problem().to_owned())
    };

    assert_eq!(ask(first).await, (409, "import_not_last".to_owned()));
    undo(&dealer, second).await;
    assert_eq!(ask(second).await, (409, "import_status_wrong".to_owned()));
    undo(&dealer, first).await;

    assert_eq!(sizes(&app, &dealer).await[0], 0);
}

#[actix_web::test]
async fn an_import_that_waits_is_cancelled_and_has_done_nothing() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, BEFORE).await;
    let before = written(&app, &dealer).await;
    let report = dealer.import("apply=false", AFTER).await.expect(200).json;
    let id = report["id"].as_str().unwrap();

    dealer
        .post(&format!("/imports/{id}/cancel"), json!({}))
        .await
        .expect(202);

    let applied = dealer
        .post(&format!("/imports/{id}/apply"), json!({}))
        .await;
    assert_eq!(applied.problem(), "import_status_wrong");
    let again = dealer
        .post(&format!("/imports/{id}/cancel"), json!({}))
        .await;
    assert_eq!(again.problem(), "import_status_wrong");
    let cancelled = dealer.import_at_rest(id).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert!(cancelled["finished_at"].is_string());
    assert_eq!(written(&app, &dealer).await, before);
}

/// Its rows wait for somebody who holds one of them, so that it is certainly half-way.
#[actix_web::test]
async fn an_import_that_is_cancelled_half_way_takes_back_what_it_did() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    let rows = |price: &str| -> String {
        let rows = (0..5_000).map(|n| format!("S{n:05};row;m;{price}\n"));
        format!("sku;name;unit;price\n{}", rows.collect::<String>())
    };
    load(&dealer, rows("1,50")).await;
    let mut other = app.database.connect().await;
    let lock = format!("BEGIN; SELECT 1 FROM {schema}.item WHERE sku = 'S04500' FOR UPDATE");
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock))
        .execute(&mut other)
        .await
        .unwrap();
    let sent = dealer
        .send_file("apply=true", rows("2,50"))
        .await
        .expect(202);
    let id = sent.json["id"].as_str().unwrap();
    tests::eventually("the first rows are written", async || {
        let import = dealer.get(&format!("/imports/{id}")).await.json;
        import["status"] == "applying" && import["counts"]["updated"] == 4_000
    })
    .await;

    dealer
        .post(&format!("/imports/{id}/cancel"), json!({}))
        .await
        .expect(202);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    let cancelled = dealer.import_at_rest(id).await;

    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["undone"]["restored"], 4_000);
    for sku in ["S00000", "S03999", "S04999"] {
        assert_eq!(item(&dealer, sku).await["price"]["amount"], "1.5", "{sku}");
    }
}
