//! Price files, through HTTP. Every file is made here, to show one habit of suppliers.

mod chain;
mod columns;
mod crashes;
mod dry_run;
mod formats;
mod forms;
pub(crate) mod hostile;
mod mapping;
mod memory;
mod modes;
mod months;
mod races;
mod refusals;
mod rejected;
mod retention;
mod rows;
mod undo;

use std::collections::BTreeMap;

use reqwest::multipart::{Form, Part};
use serde_json::Value;
use tests::{Actor, Dealer, Reply, TestApp};

/// Sends a form of text fields and one file.
async fn send(who: &Actor, fields: &[(&str, &str)], file: impl Into<Vec<u8>>) -> Reply {
    let mut form = Form::new().part("file", Part::bytes(file.into()).file_name("prices.csv"));
    for (name, value) in fields {
        form = form.text((*name).to_owned(), (*value).to_owned());
    }
    let is_said = fields.iter().any(|(name, _)| *name == "apply");
    let query = if is_said { "" } else { "apply=true" };
    who.report(who.send_form(query, form).await).await
}

/// Loads a file that must be fine as a whole.
async fn load(who: &Actor, file: impl Into<Vec<u8>>) -> Value {
    who.import("", file).await.expect(200).json
}

/// The item with a SKU.
async fn item(who: &Actor, sku: &str) -> Value {
    let found = who.get(&format!("/items?sku={sku}")).await.expect(200);
    found.json["data"][0].clone()
}

/// The numbers of a report: created, updated, unchanged, rejected, superseded.
fn counts(report: &Value) -> [u64; 5] {
    ["created", "updated", "unchanged", "rejected", "superseded"]
        .map(|name| report[name].as_u64().unwrap())
}

/// Line, column, value and code of each finding in a list of the report.
fn findings(report: &Value, list: &str) -> Vec<(u64, String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = report[list].as_array().unwrap().iter();
    rows.map(|row| {
        assert!(!text(&row["hint"]).is_empty(), "{row} says how to mend it");
        let line = row["line"].as_u64().unwrap();
        (
            line,
            text(&row["column"]),
            text(&row["value"]),
            text(&row["code"]),
        )
    })
    .collect()
}

/// For each SKU the transaction that wrote its row last, and its version.
async fn written(app: &TestApp, dealer: &Dealer) -> BTreeMap<String, (String, i64)> {
    let schema = app.database.schema_of(&dealer.slug).await;
    let sql = format!("SELECT sku, xmin::text, version FROM {schema}.item");
    let rows: Vec<(String, String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .fetch_all(&mut app.database.connect().await)
        .await
        .unwrap();
    rows.into_iter()
        .map(|(sku, xmin, version)| (sku, (xmin, version)))
        .collect()
}

/// How many rows each table of the catalogue has.
pub(crate) async fn sizes(app: &TestApp, dealer: &Dealer) -> [i64; 4] {
    let schema = app.database.schema_of(&dealer.slug).await;
    let mut connection = app.database.connect().await;
    let mut sizes = [0; 4];
    for (size, table) in sizes
        .iter_mut()
        .zip(["item", "item_group", "unit", "item_barcode"])
    {
        let sql = format!("SELECT count(*) FROM {schema}.{table}");
        *size = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
            .unwrap();
    }
    sizes
}
