//! Delimiters, encodings and notations.

use serde_json::json;
use tests::{Dealer, TestApp};

use super::{counts, item, load};

/// A list with German words in it; semicolons and decimal commas.
const LIST: &str = "Artikelnummer;Bezeichnung;Einheit;Preis\n\
    D-1;Dübel für Türen, groß;100 Stück;12,50\n\
    D-2;Maß \"1/2\";m²;1.234,56\n";

/// What the list above must have become.
async fn assert_loaded(dealer: &Dealer, habit: &str) {
    let (first, second) = (item(dealer, "D-1").await, item(dealer, "D-2").await);

    assert_eq!(first["name"], "Dübel für Türen, groß", "{habit}");
    assert_eq!(first["base_unit"], "pcs", "{habit}");
    let price = json!({"amount": "12.5", "currency": "EUR", "per": "100", "unit": "pcs"});
    assert_eq!(first["price"], price, "{habit}");
    let price = json!({"amount": "1234.56", "currency": "EUR", "per": "1", "unit": "m2"});
    assert_eq!(second["price"], price, "{habit}");
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

/// A code page, as far as the list needs it.
fn in_code_page(text: &str, page: &[(char, u8)]) -> Vec<u8> {
    let byte = |c: char| match page.iter().find(|(known, _)| *known == c) {
        Some((_, byte)) => *byte,
        None => u8::try_from(c).unwrap(),
    };
    text.chars().map(byte).collect()
}

const CP850: [(char, u8); 4] = [('ü', 0x81), ('ß', 0xe1), ('²', 0xfd), ('ä', 0x84)];

#[actix_web::test]
async fn every_encoding_loads_the_same_items() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let marked = format!("\u{feff}{LIST}");
    let files = [
        ("utf-8", LIST.as_bytes().to_vec()),
        ("utf-8", marked.clone().into_bytes()),
        ("utf-16le", utf16(&marked, u16::to_le_bytes)),
        ("utf-16le", utf16(LIST, u16::to_le_bytes)),
        ("utf-16be", utf16(&marked, u16::to_be_bytes)),
        ("utf-16be", utf16(LIST, u16::to_be_bytes)),
        ("windows-1252", in_code_page(LIST, &[])),
        ("cp850", in_code_page(LIST, &CP850)),
    ];

    for (round, (encoding, file)) in files.into_iter().enumerate() {
        let report = load(&dealer, file).await;

        assert_eq!(report["mapping"]["encoding"], encoding);
        let expected = if round == 0 {
            [2, 0, 0, 0, 0]
        } else {
            [0, 0, 2, 0, 0]
        };
        assert_eq!(counts(&report), expected, "{encoding}: {report}");
        assert_loaded(&dealer, encoding).await;
    }
}

#[actix_web::test]
async fn every_delimiter_and_line_end_loads_the_same_items() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let quoted = LIST
        .replace("groß;", "groß\";")
        .replace(";Dübel", ";\"Dübel")
        .replace("12,50", "\"12,50\"")
        .replace("1.234,56", "\"1.234,56\"")
        .replace("Maß \"1/2\"", "\"Maß \"\"1/2\"\"\"");
    load(&dealer, LIST).await;

    for (delimiter, file) in [
        (";", LIST.replace('\n', "\r\n")),
        (";", LIST.replace('\n', "\r")),
        (";", LIST.trim_end().to_owned()),
        (";", format!("{LIST}\n\n;;;\n")),
        (";", quoted.clone()),
        (",", quoted.replace(';', ",")),
        ("\t", LIST.replace(';', "\t")),
        ("|", LIST.replace(';', "|")),
        (";", LIST.replace(';', "  ;   ")),
    ] {
        let report = load(&dealer, file.clone()).await;

        assert_eq!(report["mapping"]["delimiter"], delimiter, "{file}");
        assert_eq!(counts(&report), [0, 0, 2, 0, 0], "{file}: {report}");
        assert_loaded(&dealer, delimiter).await;
    }
}

#[actix_web::test]
async fn a_decimal_comma_and_a_decimal_point_are_told_apart() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    for (first, second, sign, expected) in [
        ("1,50", "1.234,56", ",", ["1.5", "1234.56"]),
        ("1.50", "1,234.56", ".", ["1.5", "1234.56"]),
        ("7,5", "1 234,56", ",", ["7.5", "1234.56"]),
        ("7.5", "1'234.56", ".", ["7.5", "1234.56"]),
        (
            "0,000001",
            "999999999999,999999",
            ",",
            ["0.000001", "999999999999.999999"],
        ),
    ] {
        let file = format!("sku;name;unit;price\nA;a;pcs;{first}\nB;b;pcs;{second}\n");
        let report = load(&dealer, file).await;

        assert_eq!(report["mapping"]["decimal"], sign);
        assert_eq!(report["rejected"], 0, "{report}");
        for (sku, amount) in ["A", "B"].into_iter().zip(expected) {
            assert_eq!(
                item(&dealer, sku).await["price"]["amount"],
                amount,
                "{first} {second}"
            );
        }
    }
}

#[actix_web::test]
async fn a_letterhead_a_repeated_header_and_a_footer_are_no_items() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let file = "Muster Baustoffe GmbH;;;\n\
        Preisliste gültig ab 1. Mai;;;\n\
        ;;;\n\
        Artikelnummer;Bezeichnung;Einheit;Preis\n\
        A;Ziegel;Stk;1,50\n\
        Artikelnummer;Bezeichnung;Einheit;Preis\n\
        B;Kalk;Sack;9,00\n\
        ;;;\n\
        Summe;;;10,50\n\
        Alle Preise zzgl. MwSt.;;;\n";

    let report = load(&dealer, file).await;

    assert_eq!(counts(&report), [2, 0, 0, 0, 0], "{report}");
    assert_eq!(
        (&report["rows"], &report["skipped"]),
        (&json!(2), &json!(4))
    );
    assert_eq!(report["mapping"]["header_line"], 4);
}

#[actix_web::test]
async fn currencies_come_from_column_price_header_or_the_dealer() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;

    for (file, currency) in [
        ("sku;name;unit;price\nA;a;pcs;1,50\n", "EUR"),
        ("sku;name;unit;price GBP\nA;a;pcs;1,50\n", "GBP"),
        ("sku;name;unit;price;currency\nA;a;pcs;1,50;CHF\n", "CHF"),
        ("sku;name;unit;price\nA;a;pcs;$ 1.50\n", "USD"),
        ("sku;name;unit;price\nA;a;pcs;1,50 €\n", "EUR"),
    ] {
        load(&dealer, file).await;

        assert_eq!(
            item(&dealer, "A").await["price"]["currency"],
            currency,
            "{file}"
        );
    }
}
