//! The statements of an import: a batch of rows compared with the catalogue and written into it, with
//! a note of what it did to each item.

use std::collections::HashMap;

use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::pricefile::{Price, PriceRow, RowStatus};
use crate::db::TenantTx;

/// A row with its price, unit and group found.
#[derive(Debug)]
pub(super) struct Placed {
    pub row: PriceRow,
    pub price: Price,
    pub unit: String,
    pub group_id: Option<Uuid>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, FromQueryResult)]
pub(super) struct Written {
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
}

/// A barcode that another item has, or another row of a dry run.
#[derive(Debug, FromQueryResult)]
pub(super) struct TakenBarcode {
    pub line: i64,
    pub barcode: String,
    pub holder: String,
}

/// The dealer's currency.
pub(super) async fn currency(tx: &TenantTx) -> Result<Option<String>, DbErr> {
    let sql = "SELECT value #>> '{}' AS currency FROM setting WHERE key = 'currency'";
    let row = tx
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    row.map(|row| row.try_get("", "currency")).transpose()
}

/// The rows of the batch (`n`), those that are known (`k`), and whether they differ. A blank
/// group leaves an item where it is; without a description column ($9) descriptions stay.
pub(super) const COMPARED: &str = "WITH n AS (
    SELECT id, sku, name, description, nullif(group_id, '')::uuid AS group_id, unit,
        amount::numeric(18, 6) AS amount, per::numeric(18, 6) AS per, currency, status
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
        $7::text[], $8::text[], $10::text[], $11::text[])
      AS new (id, sku, name, description, group_id, unit, amount, per, currency, status)
), k AS MATERIALIZED (
    SELECT i.id AS item_id, n.sku, n.name,
        CASE WHEN $9::bool THEN n.description ELSE i.description END AS description,
        coalesce(n.group_id, i.group_id) AS group_id, n.unit, n.amount, n.per, n.currency,
        n.status,
        i.price_amount AS old_amount, i.price_per AS old_per, i.price_unit AS old_unit,
        i.currency AS old_currency,
        (i.name, i.description, i.group_id, i.base_unit, i.price_amount, i.price_per,
            i.price_unit, i.currency, i.status)
        IS DISTINCT FROM
        (n.name, CASE WHEN $9::bool THEN n.description ELSE i.description END,
            coalesce(n.group_id, i.group_id), n.unit, n.amount, n.per, n.unit, n.currency,
            n.status) AS differs
    FROM n JOIN item i ON i.sku = n.sku
)";

/// What an item was, as far as an import changes it.
const BEFORE: &str = "jsonb_build_object('name', i.name, 'description', i.description,
    'group_id', i.group_id, 'base_unit', i.base_unit, 'price_amount', i.price_amount,
    'price_per', i.price_per, 'price_unit', i.price_unit, 'currency', i.currency,
    'status', i.status, 'retired_at', i.retired_at)";

/// Writes what is new or different, and nothing else, and notes what it was.
pub(super) async fn write(
    tx: &TenantTx,
    import: Uuid,
    rows: &[Placed],
    has_description: bool,
    now: OffsetDateTime,
) -> Result<Written, DbErr> {
    let sql = format!(
        "{COMPARED}, was AS MATERIALIZED (
            SELECT i.id, {BEFORE} AS before FROM k JOIN item i ON i.id = k.item_id WHERE k.differs
        ), changed AS (
            UPDATE item i SET name = k.name, description = k.description, group_id = k.group_id,
                base_unit = k.unit, price_amount = k.amount, price_per = k.per,
                price_unit = k.unit, currency = k.currency, status = k.status,
                version = i.version + 1, updated_at = $12
            FROM k WHERE k.differs AND i.id = k.item_id RETURNING i.id, i.version
        ), added AS (
            INSERT INTO item (id, sku, name, description, group_id, base_unit, price_amount,
                price_per, price_unit, currency, status, created_at, updated_at)
            SELECT n.id, n.sku, n.name, n.description, n.group_id, n.unit, n.amount, n.per,
                n.unit, n.currency, n.status, $12, $12
            FROM n WHERE NOT EXISTS (SELECT 1 FROM k WHERE k.sku = n.sku) RETURNING id, version
        ), noted AS (
            INSERT INTO import_change (import_id, item_id, before, version)
            SELECT $13::uuid, c.id, was.before, c.version FROM changed c JOIN was ON was.id = c.id
            UNION ALL SELECT $13::uuid, id, NULL, version FROM added
        ) SELECT (SELECT count(*) FROM added) AS created,
            (SELECT count(*) FROM changed) AS updated,
            (SELECT count(*) FROM k WHERE NOT differs) AS unchanged"
    );
    let mut values = values_of(rows, has_description);
    values.extend([now.into(), import.into()]);
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Written::find_by_statement(statement)
        .one(tx)
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("a count always has a row".to_owned()))
}

/// How many of these items are as the file has them.
pub(super) async fn unchanged_among(
    tx: &TenantTx,
    rows: &[Placed],
    has_description: bool,
    skus: Vec<String>,
) -> Result<i64, DbErr> {
    let sql = format!(
        "{COMPARED} SELECT count(*) AS unchanged FROM k WHERE NOT differs AND k.sku = ANY($12)"
    );
    let mut values = values_of(rows, has_description);
    values.push(texts(skus.into_iter()));
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = tx.query_one_raw(statement).await?;
    row.map_or(Ok(0), |row| row.try_get("", "unchanged"))
}

/// Gives items their new barcodes, and notes that; returns how many items have one more by that alone.
pub(super) async fn add_barcodes(
    tx: &TenantTx,
    import: Uuid,
    rows: &[Placed],
    now: OffsetDateTime,
) -> Result<i64, DbErr> {
    let sql = format!(
        "WITH added AS (
            INSERT INTO item_barcode (barcode, item_id, position)
            SELECT n.barcode, i.id, n.position
            FROM unnest($1::text[], $2::text[], $3::int[], $4::int[])
                AS n (sku, barcode, position, line)
            JOIN item i ON i.sku = n.sku
            ORDER BY n.line, n.position
            ON CONFLICT (barcode) DO NOTHING RETURNING item_id, barcode
        ), gained AS (
            SELECT item_id, array_agg(barcode) AS barcodes FROM added GROUP BY item_id
        ), known AS (
            UPDATE import_change c SET barcodes = g.barcodes FROM gained g
            WHERE c.import_id = $6::uuid AND c.item_id = g.item_id AND c.before IS NOT NULL
        ), touched AS (
            UPDATE item i SET version = i.version + 1, updated_at = $5 FROM gained g
            WHERE i.id = g.item_id AND NOT EXISTS (SELECT 1 FROM import_change c
                WHERE c.import_id = $6::uuid AND c.item_id = i.id)
            RETURNING i.id, i.version, {BEFORE} AS before, g.barcodes
        ), noted AS (
            INSERT INTO import_change (import_id, item_id, before, version, barcodes)
            SELECT $6::uuid, id, before, version, barcodes FROM touched
        ) SELECT count(*) AS touched FROM touched"
    );
    let mut values = barcode_values(rows);
    values.extend([now.into(), import.into()]);
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = tx.query_one_raw(statement).await?;
    row.map_or(Ok(0), |row| row.try_get("", "touched"))
}

/// Barcodes of these rows that belong to items with another SKU.
pub(super) async fn taken_barcodes(
    tx: &TenantTx,
    rows: &[Placed],
) -> Result<Vec<TakenBarcode>, DbErr> {
    let sql = "SELECT n.line::bigint AS line, n.barcode,
            'the item ' || i.sku AS holder
        FROM unnest($1::text[], $2::text[], $3::int[], $4::int[])
            AS n (sku, barcode, position, line)
        JOIN item_barcode b ON b.barcode = n.barcode
        JOIN item i ON i.id = b.item_id AND i.sku <> n.sku
        ORDER BY n.line, n.position";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, barcode_values(rows));
    TakenBarcode::find_by_statement(statement).all(tx).await
}

/// The SKUs of the items that have barcodes of these rows.
pub(super) async fn owners_of_barcodes(
    tx: &TenantTx,
    rows: &[Placed],
) -> Result<HashMap<String, String>, DbErr> {
    let sql = "SELECT b.barcode, i.sku FROM item_barcode b JOIN item i ON i.id = b.item_id
        WHERE b.barcode = ANY($1)";
    let barcodes = texts(rows.iter().flat_map(|placed| placed.row.barcodes.clone()));
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [barcodes]);
    let owners = tx.query_all_raw(statement).await?;
    owners
        .iter()
        .map(|row| Ok((row.try_get("", "barcode")?, row.try_get("", "sku")?)))
        .collect()
}

/// The values $1 to $11 of [`COMPARED`]. Arrays hold no nulls on their way to the database, so
/// a row without a group says it with an empty text.
pub(super) fn values_of(rows: &[Placed], has_description: bool) -> Vec<Value> {
    let text = |of: fn(&Placed) -> String| texts(rows.iter().map(of));
    let ids = rows.iter().map(|_| Value::from(Uuid::now_v7())).collect();
    vec![
        Value::Array(ArrayType::Uuid, Some(Box::new(ids))),
        text(|placed| placed.row.sku.clone()),
        text(|placed| placed.row.name.clone()),
        text(|placed| placed.row.description.clone().unwrap_or_default()),
        text(|placed| {
            placed
                .group_id
                .map_or_else(String::new, |id| id.to_string())
        }),
        text(|placed| placed.unit.clone()),
        text(|placed| placed.price.amount.to_string()),
        text(|placed| placed.price.per.to_string()),
        has_description.into(),
        text(|placed| placed.price.currency.to_string()),
        text(|placed| match placed.row.status {
            RowStatus::Active => "active".to_owned(),
            RowStatus::Obsolete => "obsolete".to_owned(),
        }),
    ]
}

fn barcode_values(rows: &[Placed]) -> Vec<Value> {
    let each = || {
        rows.iter().flat_map(|placed| {
            placed
                .row
                .barcodes
                .iter()
                .zip(0_i32..)
                .map(move |(code, place)| (placed, code, place))
        })
    };
    let line = |placed: &Placed| i32::try_from(placed.row.line).unwrap_or(i32::MAX);
    let numbers = |values: Vec<Value>| Value::Array(ArrayType::Int, Some(Box::new(values)));
    vec![
        texts(each().map(|(placed, _, _)| placed.row.sku.clone())),
        texts(each().map(|(_, barcode, _)| barcode.clone())),
        numbers(each().map(|(_, _, position)| position.into()).collect()),
        numbers(each().map(|(placed, _, _)| line(placed).into()).collect()),
    ]
}

pub(super) fn texts(values: impl Iterator<Item = String>) -> Value {
    Value::Array(
        ArrayType::String,
        Some(Box::new(values.map(Value::from).collect())),
    )
}
