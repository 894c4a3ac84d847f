//! The next month's file: other columns, some other prices, and nothing else touched.

use serde_json::json;
use tests::TestApp;

use super::{counts, item, load, sizes, written};

const MAY: &str = "Artikelnummer;Bezeichnung;Beschreibung;Einheit;Preis;EAN\n\
    A;Ziegel;rot;Stk;1,50;96385074\n\
    B;Kalk;hydraulisch;Sack;9,00;\n\
    C;Sand;;t;20,00;\n\
    D;Splitt;;t;25,00;\n";

#[actix_web::test]
async fn the_same_file_again_writes_nothing() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let first = load(&dealer, MAY).await;
    let (rows, items) = (written(&app, &dealer).await, sizes(&app, &dealer).await);

    app.advance(time::Duration::minutes(5));
    let second = load(&dealer, MAY).await;

    assert_eq!(
        (counts(&first), counts(&second)),
        ([4, 0, 0, 0, 0], [0, 0, 4, 0, 0])
    );
    assert_eq!(written(&app, &dealer).await, rows);
    assert_eq!(sizes(&app, &dealer).await, items);
}

#[actix_web::test]
async fn moved_and_renamed_columns_write_only_what_differs() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, MAY).await;
    let before = written(&app, &dealer).await;
    let june = "Preisliste Juni\n\
        Preis EUR\tArt.-Nr.\tEAN-Code\tBenennung\tME\n\
        1,50\tA\t96385074\tZiegel\tStück\n\
        9,50\tB\t\tKalk\tSack\n\
        20,00\tC\t\tSand, gewaschen\tt\n\
        3,00\tE\t\tKies\tt\n";

    let report = load(&dealer, june).await;
    let after = written(&app, &dealer).await;

    assert_eq!(counts(&report), [1, 2, 1, 0, 0], "{report}");
    for untouched in ["A", "D"] {
        assert_eq!(after[untouched], before[untouched], "{untouched}");
    }
    for touched in ["B", "C"] {
        assert_ne!(after[touched].0, before[touched].0, "{touched}");
        assert_eq!(after[touched].1, 2, "{touched}");
    }
    let lime = item(&dealer, "B").await;
    assert_eq!(
        (&lime["price"]["amount"], &lime["description"]),
        (&json!("9.5"), &json!("hydraulisch"))
    );
    assert_eq!(
        item(&dealer, "D").await["price"]["amount"],
        "25",
        "a missing row is no removal"
    );
}

#[actix_web::test]
async fn a_description_column_that_is_empty_clears_and_one_that_is_missing_keeps() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, MAY).await;

    let without = load(
        &dealer,
        "sku;name;unit;price\nA;Ziegel;Stk;1,50\nB;Kalk;Sack;9,00\n",
    )
    .await;
    let kept = item(&dealer, "A").await["description"].clone();
    let emptied = load(
        &dealer,
        "sku;name;description;unit;price\nA;Ziegel;;Stk;1,50\nB;Kalk;hydraulisch;Sack;9,00\n",
    )
    .await;

    assert_eq!((counts(&without), kept), ([0, 0, 2, 0, 0], json!("rot")));
    assert_eq!(counts(&emptied), [0, 1, 1, 0, 0]);
    assert_eq!(item(&dealer, "A").await["description"], "");
}

#[actix_web::test]
async fn what_the_dealer_has_added_stays() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, MAY).await;
    let mine = dealer
        .post("/item-groups", json!({"name": "mine"}))
        .await
        .expect(201)
        .json;
    let path = format!(
        "/items/{}",
        item(&dealer, "A").await["id"].as_str().unwrap()
    );
    let own =
        json!({"group_id": mine["id"], "custom": {"shelf": 7}, "barcodes": ["96385074", "own"]});
    dealer.patch(&path, 1, own).await.expect(200);

    let same = load(&dealer, MAY).await;
    let dearer = load(&dealer, MAY.replace("1,50", "1,75")).await;

    assert_eq!(
        (counts(&same), counts(&dearer)),
        ([0, 0, 4, 0, 0], [0, 1, 3, 0, 0])
    );
    let item = item(&dealer, "A").await;
    assert_eq!(
        (&item["group_id"], &item["custom"]),
        (&mine["id"], &json!({"shelf": 7}))
    );
    assert_eq!(item["barcodes"], json!(["96385074", "own"]));
    assert_eq!(
        (&item["price"]["amount"], &item["version"]),
        (&json!("1.75"), &json!(3))
    );
}

#[actix_web::test]
async fn a_retired_item_stays_retired_and_learns_its_new_price() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, MAY).await;
    let path = format!(
        "/items/{}",
        item(&dealer, "A").await["id"].as_str().unwrap()
    );
    dealer.delete(&path).await.expect(204);

    let report = load(&dealer, MAY.replace("1,50", "1,75")).await;

    let item = dealer.get(&path).await.json;
    assert_eq!(counts(&report), [0, 1, 3, 0, 0]);
    assert_eq!(
        (&item["status"], &item["price"]["amount"]),
        (&json!("retired"), &json!("1.75"))
    );
}

#[actix_web::test]
async fn every_single_field_that_differs_is_written() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let base =
        "sku;name;description;unit;price;per;currency;group;status\nA;a;d;m;1,50;1;EUR;g;active\n";
    load(&dealer, base).await;

    for (version, (from, to)) in (2..).zip([
        (";a;", ";b;"),
        (";d;", ";e;"),
        (";m;", ";kg;"),
        ("1,50", "1,51"),
        (";1;", ";100;"),
        ("EUR", "USD"),
        (";g;", ";h;"),
        ("active", "obsolete"),
    ]) {
        // One step at a time, each from the state before.
        let file = base.replace(from, to);
        let changed = load(&dealer, file.clone()).await;
        let again = load(&dealer, file).await;

        assert_eq!(
            counts(&changed),
            [0, 1, 0, 0, 0],
            "{from} to {to}: {changed}"
        );
        assert_eq!(counts(&again), [0, 0, 1, 0, 0], "{from} to {to}");
        assert!(item(&dealer, "A").await["version"].as_i64().unwrap() >= version);
    }
}

#[actix_web::test]
async fn prices_that_are_written_otherwise_but_equal_are_no_change() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, "sku;name;unit;price\nA;a;m;1234,50\nB;b;m;0,5\n").await;

    let report = load(
        &dealer,
        "sku,name,unit,price\n A ,  a , M ,\"1,234.500\"\nB,b,lfm,.50\n",
    )
    .await;

    assert_eq!(counts(&report), [0, 0, 2, 0, 0], "{report}");
}

#[actix_web::test]
async fn a_neighbour_is_not_touched() {
    let app = TestApp::start_working().await;
    let (ours, theirs) = (app.dealer().await, app.dealer().await);
    load(&theirs, MAY).await;
    let before = written(&app, &theirs).await;

    let report = load(&ours, MAY.replace("1,50", "7,77")).await;

    assert_eq!(counts(&report), [4, 0, 0, 0, 0]);
    assert_eq!(written(&app, &theirs).await, before);
}
