//! What a search finds, and what it finds first.

use serde_json::json;
use tests::TestApp;

use super::{items, path_of, skus};

#[actix_web::test]
async fn all_words_must_occur_in_any_order_and_any_field() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    items(
        &dealer,
        &[
            (
                "GYP-125",
                "Plasterboard 12.5 mm",
                "tapered edge, moisture resistant",
            ),
            ("GYP-150", "Plasterboard 15 mm", "square edge"),
            ("OSB-15", "Board OSB3 15 mm", ""),
        ],
    )
    .await;

    for (q, expected) in [
        ("plasterboard", vec!["GYP-125", "GYP-150"]),
        ("edge plasterboard", vec!["GYP-125", "GYP-150"]),
        ("moisture gyp", vec!["GYP-125"]),
        ("15 board", vec!["OSB-15", "GYP-150"]),
        ("terboa", vec!["GYP-125", "GYP-150"]),
        ("sterb istur", vec!["GYP-125"]),
        ("gyp-1", vec!["GYP-125", "GYP-150"]),
        ("plasterboard 12.5", vec!["GYP-125"]),
        ("  board   15  ", vec!["OSB-15", "GYP-150"]),
        ("board timber", vec![]),
        ("12.5mm", vec![]),
    ] {
        let mut found = skus(&dealer, &[("q", q)]).await;
        found.sort();
        let mut expected = expected;
        expected.sort_unstable();

        assert_eq!(found, expected, "{q}");
    }
}

#[actix_web::test]
async fn case_and_accents_do_not_matter() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    items(
        &dealer,
        &[
            ("A", "Größe Dübel für Türen", ""),
            ("B", "Cerâmica branca peça", ""),
            ("C", "ŁÓDŹ Żywica", ""),
            ("D", "Ziegel 🧱 rot", ""),
        ],
    )
    .await;

    for (q, sku) in [
        ("grosse", "A"),
        ("GRÖSSE", "A"),
        ("größe", "A"),
        ("dubel TUREN", "A"),
        ("du\u{308}bel", "A"),
        ("ceramica", "B"),
        ("PEÇA", "B"),
        ("peca brânca", "B"),
        ("łódź", "C"),
        ("lodz zywica", "C"),
        ("🧱", "D"),
    ] {
        assert_eq!(skus(&dealer, &[("q", q)]).await, [sku], "{q}");
    }
}

#[actix_web::test]
async fn the_best_fit_comes_first() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    items(
        &dealer,
        &[
            ("Z1", "Adapter for BR-10", ""),
            ("Y1", "XBR-10 clone", ""),
            ("BR-100", "Brick", ""),
            ("BR-10", "Brick", ""),
            ("A1", "Nothing", "replaces XBR-10"),
            ("X1", "br-10 holder", ""),
        ],
    )
    .await;

    for q in ["BR-10", "br-10", "  Br-10 "] {
        let found = skus(&dealer, &[("q", q)]).await;

        assert_eq!(found, ["BR-10", "BR-100", "X1", "Z1", "A1", "Y1"], "{q}");
    }
}

#[actix_web::test]
async fn a_short_word_is_found_where_a_word_begins() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    items(
        &dealer,
        &[
            ("K1", "Kg weight", ""),
            ("L1", "Backgammon board", ""),
            ("M1", "Screw M8", "pack of 20"),
            ("N1", "Am8 thing", ""),
        ],
    )
    .await;

    for (q, expected) in [
        ("kg", vec!["K1"]),
        ("m8", vec!["M1"]),
        ("ac", vec![]),
        ("b", vec!["L1"]),
        ("2", vec!["M1"]),
        ("m8 screw", vec!["M1"]),
        ("m1", vec!["M1"]),
    ] {
        assert_eq!(skus(&dealer, &[("q", q)]).await, expected, "{q}");
    }
}

#[actix_web::test]
async fn signs_that_mean_something_to_a_database_mean_themselves() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    items(
        &dealer,
        &[
            ("P-1", "100% wool", ""),
            ("P-2", "1000 wool", ""),
            ("U_1", "snake_case", ""),
            ("UX1", "snakeXcase", ""),
            ("B\\1", "back\\slash", ""),
            ("Q'1", "3\" pipe o'ring", ""),
            ("W-1", "wide ％ sign", ""),
            ("H-1", "plain", "1/2 or ½"),
        ],
    )
    .await;

    for (q, expected) in [
        ("100%", vec!["P-1"]),
        ("%", vec!["W-1"]),
        ("％", vec!["W-1"]),
        ("%%%", vec![]),
        ("0%0", vec![]),
        ("1％ wool", vec![]),
        ("u_1", vec!["U_1"]),
        ("snake_case", vec!["U_1"]),
        ("_", vec![]),
        ("＿", vec![]),
        ("snake＿", vec!["U_1"]),
        ("___", vec![]),
        ("back\\slash", vec!["B\\1"]),
        ("b\\1", vec!["B\\1"]),
        ("\\", vec![]),
        ("＼", vec![]),
        ("\\\\\\", vec![]),
        ("ck\\", vec!["B\\1"]),
        ("'", vec![]),
        ("o'ring", vec!["Q'1"]),
        ("3\"", vec!["Q'1"]),
        ("q'1", vec!["Q'1"]),
        ("\"3", vec![]),
        ("½", vec!["H-1"]),
        ("$1", vec![]),
        ("/*", vec![]),
        ("';--", vec![]),
    ] {
        assert_eq!(skus(&dealer, &[("q", q)]).await, expected, "{q}");
    }
}

#[actix_web::test]
async fn a_whole_barcode_is_found_and_a_part_of_it_is_not() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    dealer
        .item(
            "A",
            json!({"name": "first", "barcodes": ["4006381333931", "96385074"]}),
        )
        .await;
    dealer
        .item("B", json!({"name": "second 96385074 holder"}))
        .await;
    dealer
        .item("C", json!({"name": "third", "barcodes": ["PAL-0007/x"]}))
        .await;

    for (q, expected) in [
        ("4006381333931", vec!["A"]),
        (" 4006381333931 ", vec!["A"]),
        ("96385074", vec!["A", "B"]),
        ("400638133393", vec![]),
        ("4006381333931 first", vec![]),
        ("PAL-0007/x", vec!["C"]),
        ("PAL-0007", vec![]),
    ] {
        assert_eq!(skus(&dealer, &[("q", q)]).await, expected, "{q}");
    }
}

#[actix_web::test]
async fn very_long_searches_are_answered() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    items(
        &dealer,
        &[(
            "A",
            "one two three four five six seven eight nine ten eleven twelve",
            "",
        )],
    )
    .await;
    let twelve = "twelve eleven ten nine eight seven six five four three two one";
    let many = format!("{twelve} {}", "and so on ".repeat(40));
    let long = "x".repeat(5_000);

    assert_eq!(skus(&dealer, &[("q", twelve)]).await, ["A"]);
    assert_eq!(
        skus(&dealer, &[("q", &many)]).await,
        ["A"],
        "words past the twelfth don't count"
    );
    assert!(skus(&dealer, &[("q", &long)]).await.is_empty());
}

#[actix_web::test]
async fn a_blank_search_is_none() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    items(&dealer, &[("B", "b", ""), ("A", "a", "")]).await;

    for blank in ["", " ", "\t\n", "\u{a0}\u{202f}"] {
        assert_eq!(
            skus(&dealer, &[("q", blank)]).await,
            ["A", "B"],
            "{blank:?}"
        );
    }
}

#[actix_web::test]
async fn a_changed_item_is_found_by_its_new_words_and_not_by_its_old_ones() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let path = path_of(&dealer.item("A", json!({"name": "granite"})).await);

    dealer
        .patch(&path, 1, json!({"name": "marble"}))
        .await
        .expect(200);

    assert_eq!(skus(&dealer, &[("q", "marble")]).await, ["A"]);
    assert!(skus(&dealer, &[("q", "granite")]).await.is_empty());
    dealer.delete(&path).await.expect(204);
    assert!(skus(&dealer, &[("q", "marble")]).await.is_empty());
    assert_eq!(
        skus(&dealer, &[("q", "marble"), ("status", "retired")]).await,
        ["A"]
    );
}
