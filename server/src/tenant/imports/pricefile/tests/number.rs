//! Tests of numbers and of a column's decimal sign.

use super::*;
use DecimalSign::{Comma, Point};

fn value(text: &str, sign: DecimalSign) -> Option<String> {
    parse(text, sign, None)
        .ok()
        .map(|number| number.value.normalize().to_string())
}

fn votes(cells: &[&str]) -> DecimalVotes {
    let mut votes = DecimalVotes::default();
    for cell in cells {
        votes.see(cell, None);
    }
    votes
}

#[test]
fn numbers_read_as_they_are_meant() {
    for (text, sign, expected) in [
        ("1.238,56", Comma, "1238.56"),
        ("1,238.56", Point, "1238.56"),
        ("1238.56", Point, "1238.56"),
        ("11,4", Comma, "11.4"),
        ("1'238.56", Point, "1238.56"),
        ("1’238’000.56", Point, "1238000.56"),
        ("1 238,56", Comma, "1238.56"),
        ("1\u{a0}238\u{a0}000,56", Comma, "1238000.56"),
        ("1\u{202f}238,56", Comma, "1238.56"),
        ("  R$ 11,65 ", Comma, "11.65"),
        ("11,65 €", Comma, "11.65"),
        ("EUR11.65", Point, "11.65"),
        ("Fr. 5", Point, "5"),
        ("Fr.5.50", Point, "5.5"),
        ("+3", Point, "3"),
        ("12.50-", Point, "-12.5"),
        ("-€12", Point, "-12"),
        ("€ -12", Point, "-12"),
        ("−12", Point, "-12"),
        ("12,50- EUR", Comma, "-12.5"),
        ("(12.50)", Point, "-12.5"),
        ("11,-", Comma, "11"),
        ("11,– €", Comma, "11"),
        ("11.--", Point, "11"),
        (".5", Point, "0.5"),
        ("-,5", Comma, "-0.5"),
        ("0", Comma, "0"),
        ("007", Point, "7"),
        ("0,000", Comma, "0"),
        ("1.000", Comma, "1000"),
        ("1.000", Point, "1"),
        ("999999999999.123456", Point, "999999999999.123456"),
    ] {
        assert_eq!(value(text, sign).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "",
        "-",
        "abc",
        "1 2",
        "1.2.3",
        "12/3",
        "3 x 4",
        "1e5",
        "1.23E+05",
        "--5",
        "-5-",
        "(-5)",
        "5 Stk",
        "1,2,3",
        "1''000",
        "1'000 000",
        "€ 5 €",
        "5%",
        "1,,2",
        "٣",
    ] {
        assert_eq!(
            parse(text, Point, None),
            Err(NumberError::NotANumber),
            "{text}"
        );
    }
}

#[test]
fn the_other_notation_is_named() {
    assert_eq!(parse("12.50", Comma, None), Err(NumberError::OtherNotation));
    assert_eq!(
        parse("1.238,56", Point, None),
        Err(NumberError::OtherNotation)
    );
    assert_eq!(parse("0.125", Comma, None), Err(NumberError::OtherNotation));
}

#[test]
fn endless_digits_are_too_long_but_harmless() {
    assert_eq!(
        parse(&"9".repeat(5_000), Point, None),
        Err(NumberError::TooLong)
    );
    assert_eq!(
        parse(&format!("0.{}1", "0".repeat(90)), Point, None),
        Err(NumberError::TooLong)
    );
    assert_eq!(
        value(&format!("{}1", "0".repeat(90)), Point).as_deref(),
        Some("1")
    );
    assert_eq!(
        value(&format!("1.{}", "0".repeat(90)), Point).as_deref(),
        Some("1")
    );
}

#[test]
fn a_currency_beside_the_number_is_seen() {
    assert_eq!(parse("R$ 5", Point, None).unwrap().currency, Some("BRL"));
    assert_eq!(parse("5 chf", Point, None).unwrap().currency, Some("CHF"));
    assert_eq!(
        parse("$5", Point, Some("CAD")).unwrap().currency,
        Some("CAD")
    );
    assert_eq!(parse("5", Point, None).unwrap().currency, None);
}

#[test]
fn numbers_survive_every_notation() {
    let mut seed: u64 = 7;
    for _ in 0..20_000 {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let number = Decimal::new((seed >> 24) as i64 % 1_000_000_000_000, (seed % 7) as u32);
        let plain = number.to_string();
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        for (group, sign) in [
            (".", Comma),
            (",", Point),
            ("'", Point),
            ("\u{a0}", Comma),
            ("", Comma),
        ] {
            let mut text = String::new();
            for (index, digit) in whole.chars().enumerate() {
                if index > 0 && (whole.len() - index) % 3 == 0 {
                    text.push_str(group);
                }
                text.push(digit);
            }
            if !fraction.is_empty() {
                text.push(sign.character());
                text.push_str(fraction);
            }
            assert_eq!(parse(&text, sign, None).unwrap().value, number, "{text}");
            assert_eq!(
                parse(&format!("{text}-"), sign, None).unwrap().value,
                -number,
                "{text}"
            );
            assert!(
                votes(&[&text]).clear().is_none_or(|clear| clear == sign),
                "{text}"
            );
        }
    }
}

#[test]
fn one_clear_number_settles_a_column_of_doubtful_ones() {
    assert_eq!(votes(&["1.234", "5.678", "11,4"]).clear(), Some(Comma));
    assert_eq!(votes(&["1.234", "0.125"]).clear(), Some(Point));
    assert_eq!(votes(&["1.234.567", "1.234"]).clear(), Some(Comma));
    assert_eq!(votes(&["1,238.56"]).clear(), Some(Point));
    assert_eq!(votes(&["12,5", "12,5", "1.5"]).clear(), Some(Comma));
}

#[test]
fn a_doubtful_column_follows_the_documented_rule() {
    assert_eq!(
        votes(&["1.234", "950", "12.500"]).guessed(),
        Comma,
        "950 beside 1.234"
    );
    assert_eq!(
        votes(&["1.234", "5.678"]).guessed(),
        Point,
        "three decimals throughout"
    );
    assert_eq!(
        votes(&["1.234", "4500", "12"]).guessed(),
        Point,
        "4500 is not grouped"
    );
    assert_eq!(votes(&["1,234", "950"]).guessed(), Point);
    assert_eq!(votes(&["12", "950"]).guessed(), Point, "nothing to go by");
}
