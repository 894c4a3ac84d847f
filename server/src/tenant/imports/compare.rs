//! What a batch of rows would do, without doing it: numbers, and some items to look at.

use sea_orm::{DbBackend, DbErr, FromQueryResult, Statement};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::items::{COMPARED, Placed, values_of};
use super::model::{SAMPLES, Sample, Samples};
use crate::db::TenantTx;

/// What a batch would do.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub price_changes: i64,
    /// Some of each, the largest changes of prices.
    pub samples: Samples,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    created: i64,
    updated: i64,
    unchanged: i64,
    price_changes: i64,
    new: Json,
    different: Json,
    same: Json,
    dearer: Json,
}

/// Compares two prices only when they are in the same currency and for the same unit; a price that was
/// nothing has changed by any percentage.
const SQL: &str = ", m AS MATERIALIZED (
    SELECT k.*, abs(amount * old_per - old_amount * per) AS moved, old_amount * per AS base
    FROM k WHERE differs AND $12::text <> '' AND old_currency = currency AND old_unit = unit
        AND amount * old_per <> old_amount * per
        AND abs(amount * old_per - old_amount * per) * 100
            >= old_amount * per * nullif($12::text, '')::numeric
)
SELECT (SELECT count(*) FROM n) - (SELECT count(*) FROM k) AS created,
    (SELECT count(*) FROM k WHERE differs) AS updated,
    (SELECT count(*) FROM k WHERE NOT differs) AS unchanged,
    (SELECT count(*) FROM m) AS price_changes,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('sku', sku, 'name', name,
            'new_price', jsonb_build_object('amount', trim_scale(amount)::text,
                'per', trim_scale(per)::text, 'unit', unit, 'currency', currency))), '[]')
        FROM (SELECT * FROM n WHERE NOT EXISTS (SELECT 1 FROM k WHERE k.sku = n.sku)
            LIMIT $13) AS few) AS new,
    (SELECT coalesce(jsonb_agg({known}), '[]')
        FROM (SELECT * FROM k WHERE differs LIMIT $13) AS few) AS different,
    (SELECT coalesce(jsonb_agg({known}), '[]')
        FROM (SELECT * FROM k WHERE NOT differs LIMIT $13) AS few) AS same,
    (SELECT coalesce(jsonb_agg({known} || jsonb_build_object('change_percent', CASE WHEN base > 0
            THEN round(amount * old_per * 100 / base - 100, 2)::text END)), '[]')
        FROM (SELECT * FROM m ORDER BY moved / nullif(base, 0) DESC NULLS FIRST
            LIMIT $13) AS few) AS dearer";

const KNOWN: &str = "jsonb_build_object('sku', sku, 'name', name,
    'old_price', CASE WHEN old_amount IS NOT NULL THEN jsonb_build_object('amount',
        trim_scale(old_amount)::text, 'per', trim_scale(old_per)::text, 'unit', old_unit,
        'currency', old_currency) END,
    'new_price', jsonb_build_object('amount', trim_scale(amount)::text,
        'per', trim_scale(per)::text, 'unit', unit, 'currency', currency))";

/// Compares a batch with the catalogue. Prices that change by at least `percent` are pointed out.
pub(super) async fn compare(
    tx: &TenantTx,
    rows: &[Placed],
    has_description: bool,
    percent: Option<u32>,
) -> Result<Compared, DbErr> {
    let sql = format!("{COMPARED}{}", SQL.replace("{known}", KNOWN));
    let mut values = values_of(rows, has_description);
    let most = i64::try_from(SAMPLES).unwrap_or(i64::MAX);
    let percent = percent.map(|percent| percent.to_string());
    values.extend([percent.unwrap_or_default().into(), most.into()]);
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = Row::find_by_statement(statement).one(tx).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("a count always has a row".to_owned()))?;
    Ok(Compared {
        created: row.created,
        updated: row.updated,
        unchanged: row.unchanged,
        price_changes: row.price_changes,
        samples: Samples {
            created: read(row.new)?,
            updated: read(row.different)?,
            unchanged: read(row.same)?,
            price_changes: read(row.dearer)?,
            ..Samples::default()
        },
    })
}

fn read<T: DeserializeOwned>(json: Json) -> Result<T, DbErr> {
    serde_json::from_value(json).map_err(|error| DbErr::Json(error.to_string()))
}

impl Samples {
    /// Takes over some of another batch.
    pub(super) fn merge(&mut self, other: Self) {
        let few = |into: &mut Vec<Sample>, more: Vec<Sample>| {
            into.extend(more);
            into.truncate(SAMPLES);
        };
        few(&mut self.created, other.created);
        few(&mut self.updated, other.updated);
        few(&mut self.unchanged, other.unchanged);
        few(&mut self.retired, other.retired);
        self.price_changes.extend(other.price_changes);
        // Largest first; what was nothing before has no percentage, and comes before all.
        self.price_changes
            .sort_by_key(|sample| std::cmp::Reverse(hundredths(sample)));
        self.price_changes.truncate(SAMPLES);
        self.rejected.extend(other.rejected);
        self.rejected.truncate(SAMPLES);
    }
}

/// The change in hundredths of a percent, without its sign.
fn hundredths(sample: &Sample) -> u128 {
    let Some(percent) = &sample.change_percent else {
        return u128::MAX;
    };
    let digits: String = percent.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u128::MAX)
}
