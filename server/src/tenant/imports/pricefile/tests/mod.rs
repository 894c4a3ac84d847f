//! Tests of the module as its callers see it.

mod columns;
mod files;
mod hostile;
mod prices;
mod rejections;
mod texts;
mod workbooks;

use std::io::Cursor;

use super::*;

fn options() -> Options {
    Options {
        mapping: None,
        default_currency: Some("EUR".to_owned()),
        duplicates: Duplicates::Reject,
        max_rows: 1_000_000,
        decimal: None,
    }
}

fn mapped(json: &str) -> Options {
    Options {
        mapping: Some(serde_json::from_str(json).unwrap()),
        ..options()
    }
}

fn surveyed(bytes: &[u8], options: &Options) -> Result<Survey, FileError> {
    survey(Cursor::new(bytes), options)
}

fn outcomes_with(bytes: &[u8], options: &Options) -> Vec<Outcome> {
    let survey = surveyed(bytes, options).unwrap();
    survey
        .rows(Cursor::new(bytes))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn outcomes(text: &str) -> Vec<Outcome> {
    outcomes_with(text.as_bytes(), &options())
}

/// The good rows of a file without a single other outcome.
fn rows(text: &str) -> Vec<PriceRow> {
    rows_with(text.as_bytes(), &options())
}

fn rows_with(bytes: &[u8], options: &Options) -> Vec<PriceRow> {
    let only_row = |outcome| match outcome {
        Outcome::Row(row) => row,
        other => panic!("{other:?}"),
    };
    outcomes_with(bytes, options)
        .into_iter()
        .map(only_row)
        .collect()
}

/// `amount/per currency` of a row.
fn price(row: &PriceRow) -> String {
    let price = row.price.as_ref().unwrap();
    format!(
        "{}/{} {}",
        price.amount.normalize(),
        price.per.normalize(),
        price.currency
    )
}

/// The resolved mapping as JSON, to look fields up by name.
fn resolved(text: &str) -> serde_json::Value {
    let survey = surveyed(text.as_bytes(), &options()).unwrap();
    serde_json::to_value(survey.mapping()).unwrap()
}

fn refusal(text: &str) -> FileError {
    surveyed(text.as_bytes(), &options()).unwrap_err()
}
