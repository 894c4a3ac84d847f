//! Each code of a rejection, and which rows are passed over.

use super::*;

const HEADER: &str = "SKU;Name;Unit;Price;Per;Currency;EAN\n";

/// The one rejection of a file whose other row is good.
fn rejection(row: &str) -> Rejection {
    let good = "good;Good;m;1,50;1;EUR;\n";
    let mut outcomes = outcomes(&format!("{HEADER}{good}{row}\n{}", "z;Z;m;2,50;1;EUR;\n"));
    assert!(matches!(outcomes[0], Outcome::Row(_)));
    assert!(matches!(outcomes[2], Outcome::Row(_)), "{:?}", outcomes[2]);
    match outcomes.swap_remove(1) {
        Outcome::Rejected(rejection) => rejection,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_fault_has_its_code_its_column_and_its_value() {
    use RejectionCode::*;
    let long_sku = "x".repeat(65);
    let long_name = "ü".repeat(501);
    for (row, code, column, value) in [
        (";A;m;1,5;1;EUR;", SkuMissing, "SKU", ""),
        (
            &format!("{long_sku};A;m;1,5;1;EUR;"),
            SkuTooLong,
            "SKU",
            &*long_sku,
        ),
        ("a;;m;1,5;1;EUR;", NameMissing, "Name", ""),
        (
            "a;(discontinued);m;1,5;1;EUR;",
            NameMissing,
            "Name",
            "(discontinued)",
        ),
        ("a;A; ;1,5;1;EUR;", UnitMissing, "Unit", ""),
        ("a;A;m;;1;EUR;", PriceMissing, "Price", ""),
        (
            "a;A;m;auf Anfrage;1;EUR;",
            PriceMissing,
            "Price",
            "auf Anfrage",
        ),
        ("a;A;m;-;1;EUR;", PriceMissing, "Price", "-"),
        ("a;A;m;1.5;1;EUR;", PriceInvalid, "Price", "1.5"),
        ("a;A;m;zwei;1;EUR;", PriceInvalid, "Price", "zwei"),
        ("a;A;m;1,2E+3;1;EUR;", PriceInvalid, "Price", "1,2E+3"),
        ("a;A;m;-1,5;1;EUR;", PriceNegative, "Price", "-1,5"),
        ("a;A;m;1,5-;1;EUR;", PriceNegative, "Price", "1,5-"),
        (
            "a;A;m;1000000000000;1;EUR;",
            PriceTooLarge,
            "Price",
            "1000000000000",
        ),
        (
            "a;A;m;1,1234567;1;EUR;",
            PriceTooPrecise,
            "Price",
            "1,1234567",
        ),
        ("a;A;m;1,5;1;XXQ;", CurrencyInvalid, "Currency", "XXQ"),
        ("a;A;m;1,5 £;1;EUR;", CurrencyInvalid, "Price", "1,5 £"),
        ("a;A;m;1,5;0;EUR;", PerInvalid, "Per", "0"),
        ("a;A;m;1,5;viele;EUR;", PerInvalid, "Per", "viele"),
        ("a;A;100 m;1,5;1000;EUR;", PerInvalid, "Per", "1000"),
        (
            "a;A;m;1,5;1;EUR;4006381333932",
            BarcodeInvalid,
            "EAN",
            "4006381333932",
        ),
        ("good;A;m;1,5;1;EUR;", DuplicateSku, "SKU", "good"),
        (
            "a;A\u{7}B;m;1,5;1;EUR;",
            ControlCharacter,
            "Name",
            "A\u{7}B",
        ),
        ("\"a\nb\";A;m;1,5;1;EUR;", ControlCharacter, "SKU", "a\nb"),
    ] {
        let rejection = rejection(row);

        assert_eq!(rejection.code, code, "{row}");
        assert_eq!(rejection.column.as_deref(), Some(column), "{row}");
        assert_eq!(rejection.value, value, "{row}");
        assert_eq!(rejection.line, 3, "{row}");
        assert!(rejection.hint.len() > 15, "{row}");
    }
    let rejection = rejection(&format!("a;{long_name};m;1,5;1;EUR;"));
    assert_eq!(
        (rejection.code, rejection.value.chars().count()),
        (NameTooLong, 200)
    );
}

#[test]
fn a_row_with_too_few_or_too_many_fields_is_rejected_as_a_whole() {
    let short = rejection("a;A;m");
    let long = rejection("a;A;m;1,5;1;EUR;;more");

    assert_eq!(short.code, RejectionCode::WrongFieldCount);
    assert_eq!((short.column, &*short.value), (None, "a;A;m"));
    assert!(
        short.hint.contains("3 fields and the header 7"),
        "{}",
        short.hint
    );
    assert_eq!(long.code, RejectionCode::WrongFieldCount);
    assert!(
        long.hint.contains("semicolon in quotation marks"),
        "{}",
        long.hint
    );
}

#[test]
fn blank_fields_too_many_do_no_harm() {
    assert_eq!(rows("SKU;Name;Unit;Price\n1;a;m;2;;;\n").len(), 1);
    assert_eq!(rows("SKU;Name;Unit;Price;;\n1;a;m;2\n2;b;m;2;;\n").len(), 2);
}

#[test]
fn a_price_without_any_currency_is_rejected_where_others_have_one() {
    let options = Options {
        default_currency: None,
        ..options()
    };

    let outcomes = outcomes_with(
        b"SKU;Name;Unit;Price;Currency\n1;a;m;2;CHF\n2;b;m;3;\n3;c;m;4 EUR;\n",
        &options,
    );

    let Outcome::Rejected(rejection) = &outcomes[1] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(rejection.code, RejectionCode::CurrencyMissing);
    assert!(matches!(&outcomes[2], Outcome::Row(row) if price(row) == "4/1 EUR"));
}

#[test]
fn the_first_good_row_of_a_number_is_kept() {
    let text = "SKU;Name;Unit;Price\nA;bad;m;\nA;one;m;1\nB;b;m;1\n A ;two;m;2\nA;three;m;3\n";

    let outcomes = outcomes(text);

    let codes: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Row(row) => row.name.as_str(),
            Outcome::Rejected(rejection) => rejection.code.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        codes,
        [
            "price_missing",
            "one",
            "b",
            "duplicate_sku",
            "duplicate_sku"
        ]
    );
    let Outcome::Rejected(rejection) = &outcomes[3] else {
        panic!()
    };
    assert!(rejection.hint.contains("line 3 "), "{}", rejection.hint);
}

#[test]
fn the_last_good_row_of_a_number_wins_when_asked_for() {
    let text = "SKU;Name;Unit;Price\nA;one;m;1\nB;b;m;1\nA;two;m;2\nA;bad;m;\n";
    let options = Options {
        duplicates: Duplicates::LastWins,
        ..options()
    };

    let outcomes = outcomes_with(text.as_bytes(), &options);

    let Outcome::Superseded(superseded) = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(
        (superseded.line, superseded.code),
        (2, RejectionCode::DuplicateSku)
    );
    assert!(superseded.hint.contains("line 4 "), "{}", superseded.hint);
    assert!(matches!(&outcomes[2], Outcome::Row(row) if row.name == "two"));
    assert!(matches!(&outcomes[3], Outcome::Rejected(r) if r.code == RejectionCode::PriceMissing));
    assert_eq!(
        surveyed(text.as_bytes(), &options)
            .unwrap()
            .duplicate_count(),
        1
    );
}

#[test]
fn blank_rows_repeated_headers_and_footers_are_passed_over() {
    let text = ",Code,Name,Unit,Price\n0,A1,a,m,1.5\n,,,,\n\n1,A2,b,m,2.5\n,Code,Name,Unit,Price\n\
                2,A3,c,m,3.5\n3,,,,\n4,TOTAL ITEMS : 3,,,\n5,,Total,,7.50\n,,Prices without VAT,,\n\u{1a}";

    let outcomes = outcomes(text);

    use SkipReason::*;
    let skipped: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Skipped { line, reason } => Some((*line, *reason)),
            Outcome::Row(_) => None,
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (3, Blank),
        (4, Blank),
        (6, RepeatedHeader),
        (8, NothingMapped),
        (9, Footer),
        (10, Footer),
        (11, Footer),
        (12, Blank),
    ];
    assert_eq!(skipped, expected);
}

#[test]
fn a_total_in_the_middle_is_rejected() {
    let outcomes = outcomes("Code;Name;Unit;Price\nA1;a;m;1\n;Total pipes;;1\nA2;b;m;2\n");

    assert!(matches!(&outcomes[1], Outcome::Rejected(r) if r.code == RejectionCode::SkuMissing));
}

#[test]
fn an_article_without_price_at_the_end_is_no_footer() {
    let outcomes = outcomes("Code;Name;Unit;Price\nA1;a;m;1\nA2;Total station;pcs;\nA3;;;\n");

    assert!(matches!(&outcomes[1], Outcome::Rejected(r) if r.code == RejectionCode::PriceMissing));
    assert!(matches!(&outcomes[2], Outcome::Rejected(r) if r.code == RejectionCode::NameMissing));
}

#[test]
fn a_price_of_zero_is_a_price() {
    assert_eq!(
        price(&rows("Code;Name;Unit;Price\nA;a;m;0,00\n")[0]),
        "0/1 EUR"
    );
}
