//! Decimal signs, currencies and price quantities over a whole file.

use super::*;

fn prices(text: &str) -> Vec<String> {
    rows(text).iter().map(price).collect()
}

fn prices_of(cells: &[&str]) -> Vec<String> {
    let rows = cells
        .iter()
        .enumerate()
        .map(|(index, cell)| format!("A{index};a;m;{cell}\n"));
    prices(&format!(
        "sku;name;unit;price\n{}",
        rows.collect::<String>()
    ))
}

#[test]
fn the_decimal_sign_is_judged_over_the_whole_column() {
    assert_eq!(
        prices_of(&["1.234", "2.345", "11,4"]),
        ["1234/1 EUR", "2345/1 EUR", "11.4/1 EUR"]
    );
    assert_eq!(
        prices_of(&["1.234", "2.345", "11.4"]),
        ["1.234/1 EUR", "2.345/1 EUR", "11.4/1 EUR"]
    );
}

#[test]
fn a_doubtful_column_looks_at_the_others() {
    let text = "sku;name;unit;price;min price\na;a;m;1.234;0,50\nb;b;m;2.345;0,75\n";

    assert_eq!(prices(text), ["1234/1 EUR", "2345/1 EUR"]);
}

#[test]
fn a_column_with_nothing_but_doubt_follows_the_rule() {
    assert_eq!(prices_of(&["1.234", "950"]), ["1234/1 EUR", "950/1 EUR"]);
    assert_eq!(
        prices_of(&["1.234", "2.345"]),
        ["1.234/1 EUR", "2.345/1 EUR"]
    );
}

#[test]
fn the_currency_comes_from_column_cell_header_or_default_in_this_order() {
    assert_eq!(
        prices("sku;name;unit;price;currency\na;a;m;1;GBP\n"),
        ["1/1 GBP"]
    );
    assert_eq!(
        prices("sku;name;unit;price\na;a;m;£1\nb;b;m;2\n"),
        ["1/1 GBP", "2/1 EUR"]
    );
    assert_eq!(prices("sku;name;unit;price R$\na;a;m;1\n"), ["1/1 BRL"]);
    assert_eq!(prices("sku;name;unit;price\na;a;m;1\n"), ["1/1 EUR"]);
    let text = "sku;name;unit;price in GBP;currency\na;a;m;1;\nb;b;m;1;USD\n";
    assert_eq!(prices(text), ["1/1 GBP", "1/1 USD"]);
}

#[test]
fn a_given_currency_leaves_no_room_for_a_column() {
    let text = b"sku;name;unit;price;currency\na;a;m;1;GBP\n";

    assert_eq!(
        price(&rows_with(text, &mapped(r#"{"currency":"chf"}"#))[0]),
        "1/1 CHF"
    );
}

#[test]
fn the_resolved_currency_does_not_make_a_default_stronger() {
    let text = "sku;name;unit;price\na;a;m;£1\nb;b;m;2\n";

    assert!(resolved(text).get("currency").is_none());
    assert_eq!(
        resolved("sku;name;unit;price €\na;a;m;1\n")["currency"],
        "EUR"
    );
}

#[test]
fn unit_and_price_quantity_are_combined() {
    let text = "sku;name;unit;price;price per\na;a;100 Stück;1;1\nb;b;Stk;1;100\nc;c;100 Stk;1;100\n\
                d;d;CENTO;1;\ne;e;m;1;1.000\nf;f;m;1;10 m\n";

    let expected = [
        "1/100 EUR",
        "1/100 EUR",
        "1/100 EUR",
        "1/100 EUR",
        "1/1 EUR",
        "1/10 EUR",
    ];
    assert_eq!(prices(text), expected);
    // With a comma in the prices the same text is a thousand.
    let text = "sku;name;unit;price;price per\na;a;m;1,50;1.000\n";
    assert_eq!(prices(text), ["1.5/1000 EUR"]);
}

#[test]
fn six_decimals_and_twelve_digits_fit() {
    assert_eq!(
        prices_of(&["999999999999.999999", "0.000001"])[0],
        "999999999999.999999/1 EUR"
    );
}
