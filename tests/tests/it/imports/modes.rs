//! What rejected rows mean for the others, what becomes of items that a file leaves out, and which
//! prices are pointed out.

use serde_json::{Value, json};
use tests::TestApp;

use super::{item, load, send, sizes};

const MIXED: &str = "sku;name;unit;price\nA;a;m;1,50\nB;b;m;x\nC;c;m;y\nD;d;m;2,50\n";

#[actix_web::test]
async fn all_or_nothing_takes_nothing_of_a_file_with_a_bad_row() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    let refused = dealer.import("mode=all_or_nothing", MIXED).await;
    let good = MIXED.replace(";x", ";3,5").replace(";y", ";4,5");
    let taken = dealer.import("mode=all_or_nothing", good).await.expect(200);

    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (409, "import_rejected")
    );
    assert_eq!(taken.json["created"], 4);
}

#[actix_web::test]
async fn as_many_rejected_rows_are_put_up_with_as_was_said() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    let refused = dealer.import("mode=stop_after&max_rejected=1", MIXED).await;
    let nothing = sizes(&app, &dealer).await[0];
    let taken = dealer
        .import("mode=stop_after&max_rejected=2", MIXED)
        .await
        .expect(200);

    assert_eq!(refused.problem(), "import_rejected");
    assert_eq!((nothing, &taken.json["created"]), (0, &json!(2)));
}

#[actix_web::test]
async fn a_file_that_was_read_first_is_refused_when_it_is_to_be_applied() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let report = dealer
        .import("apply=false&mode=all_or_nothing", MIXED)
        .await
        .expect(200);
    let id = report.json["id"].as_str().unwrap();

    let refused = dealer
        .post(&format!("/imports/{id}/apply"), json!({}))
        .await;

    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (409, "import_rejected")
    );
    assert_eq!(sizes(&app, &dealer).await[0], 0);
}

#[actix_web::test]
async fn wishes_that_contradict_each_other_are_refused_at_once() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    for query in [
        "mode=stop_after",
        "mode=all_or_nothing&max_rejected=3",
        "max_rejected=3",
        "missing=retire",
        "price_change_percent=0",
    ] {
        let reply = dealer.send_file(query, MIXED).await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "upload_invalid"),
            "{query}"
        );
    }
    let nobodys = "profile=01890000-0000-7000-8000-000000000000";
    let reply = dealer.send_file(nobodys, MIXED).await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem()),
        (404, "import_profile_not_found")
    );
}

#[actix_web::test]
async fn samples_show_what_a_file_would_do_and_which_prices_it_moves() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(
        &dealer,
        "sku;name;unit;price\nA;a;m;1,00\nB;b;m;2,00\nC;c;m;3,00\nD;d;m;4,00\n",
    )
    .await;
    let file = "sku;name;unit;price\nA;a;m;1,10\nB;b;m;1,00\nC;c;m;3,15\nD;d;m;4,00\nE;e;m;5,00\n\
        F;f;m;x\n";

    let report = dealer
        .import("apply=false&price_change_percent=10", file)
        .await
        .expect(200)
        .json;

    let samples = &report["samples"];
    let skus = |list: &str| -> Vec<Value> {
        let list = samples[list].as_array().unwrap().iter();
        list.map(|sample| sample["sku"].clone()).collect()
    };
    assert_eq!(skus("created"), ["E"]);
    assert_eq!(skus("updated").len(), 3);
    assert_eq!(skus("unchanged"), ["D"]);
    assert_eq!(samples["rejected"][0]["code"], "price_invalid");
    assert_eq!(report["price_changes"], 2);
    let moved = &samples["price_changes"];
    assert_eq!(
        (&moved[0]["sku"], &moved[0]["change_percent"]),
        (&json!("B"), &json!("-50.00"))
    );
    assert_eq!(
        (&moved[1]["sku"], &moved[1]["change_percent"]),
        (&json!("A"), &json!("10.00"))
    );
    assert_eq!(moved[0]["old_price"]["amount"], "2");
    assert_eq!(moved[0]["new_price"]["amount"], "1");
    assert_eq!(item(&dealer, "A").await["price"]["amount"], "1");
}

#[actix_web::test]
async fn a_profile_says_how_a_supplier_writes_and_retires_what_it_leaves_out() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let profile = json!({
        "name": "Brick works",
        "mapping": {"sku": "X1", "name": "X2", "unit": "X3", "price": "X4"},
        "options": {"missing": "retire", "apply": true},
    });
    let profile = dealer.post("/import-profiles", profile).await.expect(201);
    let id = profile.json["id"].as_str().unwrap();
    load(&dealer, "sku;name;unit;price\nOTHER;another's;m;1,50\n").await;
    let with = [("profile", id), ("apply", "true")];
    let first = "X1;X2;X3;X4\nA;a;m;1,50\nB;b;m;2,50\nC;c;m;3,50\n";
    send(&dealer, &with, first).await.expect(200);

    // B is gone, and C is there, though nobody can read its price.
    let second = "X1;X2;X3;X4\nA;a;m;1,50\nC;c;m;?\n";
    let dry = send(&dealer, &[("profile", id), ("apply", "false")], second).await;
    let dry = dry.expect(200).json;
    let untouched = item(&dealer, "B").await;
    let report = send(&dealer, &with, second).await.expect(200).json;

    assert_eq!(dry["retired"], 1);
    assert_eq!(dry["samples"]["retired"][0]["sku"], "B");
    assert!(untouched["retired_at"].is_null());
    assert_eq!(report["retired"], 1);
    let retired = dealer.get("/items?status=retired").await.expect(200).json;
    assert_eq!(retired["data"].as_array().unwrap().len(), 1);
    assert_eq!(retired["data"][0]["sku"], "B");

    let undo = format!("/imports/{}/undo", report["id"].as_str().unwrap());
    dealer.post(&undo, json!({})).await.expect(202);
    dealer.import_at_rest(report["id"].as_str().unwrap()).await;
    let retired = dealer.get("/items?status=retired").await.expect(200).json;
    assert_eq!(retired["data"], json!([]));
}
