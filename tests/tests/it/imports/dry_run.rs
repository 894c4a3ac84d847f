//! What would be done, without doing it.

use serde_json::{Value, json};
use tests::{Dealer, Reply, TestApp};

use super::{counts, load, send, sizes, written};

/// A file that creates, updates, keeps and rejects, and that brings units, groups and barcodes.
const FILE: &str = "sku;name;unit;price;group;EAN\n\
    SAME;same;m;1,50;g;\n\
    DEARER;dearer;m;2,75;g;\n\
    CODE;only a barcode is new;m;3,50;g;96385074\n\
    NEW;new;Gebinde;4,50;g2;4006381333931\n\
    TWIN;the same barcode again;m;5,50;;4006381333931\n\
    TAKEN;barcode of another;m;6,50;;036000291452\n\
    BAD;bad;m;x;;\n\
    NEW;new again;m;7,50;g3;\n\
    LAST;last;kg;8,50;g2;10012345678902\n";

async fn prepare(dealer: &Dealer) {
    let known = "sku;name;unit;price;group;EAN\nSAME;same;m;1,50;g;\nDEARER;dearer;m;2,50;g;\n\
        CODE;only a barcode is new;m;3,50;g;\nOWNER;owner;m;1,00;g;036000291452\n";
    load(dealer, known).await;
}

/// What is told by both a dry run and the real run after it.
fn essence(report: &Value) -> Value {
    let mut report = report.clone();
    for warning in report["warnings"].as_array_mut().unwrap() {
        warning["hint"].take();
    }
    report["status"].take();
    report["id"].take();
    report["samples"].take();
    report
}

#[actix_web::test]
async fn it_writes_nothing_and_tells_what_the_real_run_then_does() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    for (round, query) in ["", "&duplicates=last_wins"].into_iter().enumerate() {
        prepare(&dealer).await;
        let (rows, tables) = (written(&app, &dealer).await, sizes(&app, &dealer).await);
        app.advance(time::Duration::minutes(5));

        let dry = dealer
            .import(&format!("apply=false{query}"), FILE)
            .await
            .expect(200)
            .json;
        let untouched = (written(&app, &dealer).await, sizes(&app, &dealer).await);
        let real = dealer
            .import(&format!("apply=true{query}"), FILE)
            .await
            .expect(200)
            .json;

        assert_eq!(untouched, (rows, tables));
        assert_eq!(
            (&dry["status"], &real["status"]),
            (&json!("ready"), &json!("applied"))
        );
        assert_eq!(essence(&dry), essence(&real));
        if round == 0 {
            assert_eq!(counts(&real), [4, 2, 1, 2, 0]);
            assert_eq!(real["warnings"].as_array().unwrap().len(), 2);
        }
    }
}

/// Rows are compared a thousand at a time; what one thousand would bring is known to the next.
#[actix_web::test]
async fn it_is_right_about_barcodes_that_lie_thousands_of_rows_apart() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let mut file = String::from("sku;name;unit;price;EAN\nA;a;m;1,50;96385074\n");
    let known: String = (0..1_200).map(|n| format!("R{n};row;m;1,50;\n")).collect();
    file.push_str(&known);
    load(
        &dealer,
        format!("sku;name;unit;price;EAN\n{known}Z;z;m;1,50;\n"),
    )
    .await;
    app.advance(time::Duration::minutes(5));
    file.push_str("Z;z;m;1,50;96385074\n");

    let dry = dealer
        .import("apply=false", file.clone())
        .await
        .expect(200)
        .json;
    let real = dealer.import("", file).await.expect(200).json;

    assert_eq!(counts(&real), [1, 0, 1_201, 0, 0]);
    assert_eq!(essence(&dry), essence(&real));
}

#[actix_web::test]
async fn it_is_asked_for_in_the_query_or_in_the_form_and_the_form_wins() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file = "sku;name;unit;price\nA;a;m;1,50\n";
    let dry = |reply: Reply| reply.expect(200).json["status"] == "ready";

    assert_eq!(dry(send(&dealer, &[("apply", "false")], file).await), true);
    assert_eq!(dry(send(&dealer, &[("apply", "0")], file).await), true);
    assert_eq!(dry(dealer.import("apply=false", file).await), true);
    assert_eq!(sizes(&app, &dealer).await[0], 0);
    assert_eq!(dry(send(&dealer, &[("apply", "true")], file).await), false);
    assert_eq!(sizes(&app, &dealer).await[0], 1);
}

#[actix_web::test]
async fn it_needs_the_right_to_import_all_the_same() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let viewer = app.member(&dealer, "viewer").await;

    for query in ["", "apply=false"] {
        let reply = viewer
            .import(query, "sku;name;unit;price\nA;a;m;1,50\n")
            .await;

        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (403, "permission_denied")
        );
    }
    assert_eq!(sizes(&app, &dealer).await[0], 0);
}
