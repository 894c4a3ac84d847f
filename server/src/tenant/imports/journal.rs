//! What an import did, item by item: noted while it does it, and taken back by that note.

use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::model::{Sample, SamplePrice};
use crate::db::TenantTx;

/// Items that are taken back by one statement.
const AT_ONCE: i64 = 2000;

/// What became of some items that were to be taken back.
#[derive(Debug, Clone, Default, FromQueryResult)]
pub(super) struct TakenBack {
    pub restored: i64,
    pub removed: i64,
    pub kept: i64,
    /// SKUs of those that were kept.
    pub kept_skus: Vec<String>,
}

impl TakenBack {
    /// Whether there was nothing left to do.
    pub(super) fn is_empty(&self) -> bool {
        self.restored + self.removed + self.kept == 0
    }
}

/// An item that came with a supplier's files.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Source {
    pub id: Uuid,
    pub sku: String,
    pub name: String,
    pub amount: Option<String>,
    pub per: Option<String>,
    pub unit: Option<String>,
    pub currency: Option<String>,
}

impl From<&Source> for Sample {
    fn from(item: &Source) -> Self {
        let price = || {
            Some(SamplePrice {
                amount: item.amount.clone()?,
                per: item.per.clone()?,
                unit: item.unit.clone()?,
                currency: item.currency.clone()?,
            })
        };
        Self {
            sku: item.sku.clone(),
            name: item.name.clone(),
            old_price: price(),
            new_price: None,
            change_percent: None,
        }
    }
}

/// Takes some items back to what they were, those that nobody has changed since. An item whose group
/// or unit is gone by now can't be what it was, and is kept. Imports before this one, which may be
/// undone next, are told that the item is what they left.
pub(super) async fn take_back(
    tx: &TenantTx,
    import: Uuid,
    now: OffsetDateTime,
) -> Result<TakenBack, DbErr> {
    let sql = "WITH todo AS MATERIALIZED (
            SELECT item_id, before, version, barcodes FROM import_change
            WHERE import_id = $1::uuid AND outcome IS NULL ORDER BY item_id LIMIT $3
        ), mine AS MATERIALIZED (
            SELECT t.* FROM todo t JOIN item i ON i.id = t.item_id AND i.version = t.version
            WHERE t.before IS NULL OR (
                (t.before->>'group_id' IS NULL
                    OR EXISTS (SELECT 1 FROM item_group g WHERE g.id = (t.before->>'group_id')::uuid))
                AND EXISTS (SELECT 1 FROM unit u WHERE u.code = t.before->>'base_unit')
                AND (t.before->>'price_unit' IS NULL
                    OR EXISTS (SELECT 1 FROM unit u WHERE u.code = t.before->>'price_unit')))
            ORDER BY i.id FOR UPDATE OF i
        ), gone AS (
            DELETE FROM item i USING mine
            WHERE i.id = mine.item_id AND mine.before IS NULL RETURNING i.id
        ), codes AS (
            DELETE FROM item_barcode b USING mine
            WHERE b.item_id = mine.item_id AND mine.before IS NOT NULL
                AND b.barcode = ANY(mine.barcodes)
        ), back AS (
            UPDATE item i SET name = was.name, description = was.description,
                group_id = was.group_id, base_unit = was.base_unit,
                price_amount = was.price_amount, price_per = was.price_per,
                price_unit = was.price_unit, currency = was.currency, status = was.status,
                retired_at = was.retired_at, version = i.version + 1, updated_at = $2
            FROM mine, jsonb_to_record(mine.before) AS was (name text, description text,
                group_id uuid, base_unit text, price_amount numeric, price_per numeric,
                price_unit text, currency text, status text, retired_at timestamptz)
            WHERE i.id = mine.item_id AND mine.before IS NOT NULL
            RETURNING i.id, i.version AS now_at, mine.version - 1 AS was_at
        ), earlier AS (
            UPDATE import_change c SET version = back.now_at FROM back
            WHERE c.item_id = back.id AND c.version = back.was_at AND c.outcome IS NULL
                AND c.import_id IN (SELECT id FROM import WHERE status = 'applied'
                    AND id <> $1::uuid ORDER BY finished_at DESC LIMIT 20)
        ), told AS (
            UPDATE import_change c SET outcome = CASE
                WHEN NOT EXISTS (SELECT 1 FROM mine WHERE mine.item_id = c.item_id) THEN 'kept'
                WHEN c.before IS NULL THEN 'removed' ELSE 'restored' END
            FROM todo WHERE c.import_id = $1::uuid AND c.item_id = todo.item_id
            RETURNING c.item_id, c.outcome
        ) SELECT (SELECT count(*) FROM back) AS restored, (SELECT count(*) FROM gone) AS removed,
            (SELECT count(*) FROM told WHERE outcome = 'kept') AS kept,
            (SELECT coalesce(array_agg(coalesce(i.sku, t.item_id::text) ORDER BY i.sku), '{}')
                FROM told t LEFT JOIN item i ON i.id = t.item_id
                WHERE t.outcome = 'kept') AS kept_skus";
    let values = [import.into(), now.into(), AT_ONCE.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let taken = TakenBack::find_by_statement(statement).one(tx).await?;
    Ok(taken.unwrap_or_default())
}

/// Whether there is anything that an import did and that was not taken back.
pub(super) async fn has_more(tx: &TenantTx, import: Uuid) -> Result<bool, DbErr> {
    let sql = "SELECT EXISTS (SELECT FROM import_change
        WHERE import_id = $1::uuid AND outcome IS NULL) AS has_more";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [import.into()]);
    let row = tx.query_one_raw(statement).await?;
    row.map_or(Ok(false), |row| row.try_get("", "has_more"))
}

/// Notes that items came with a supplier's file.
pub(super) async fn note_sources(
    tx: &TenantTx,
    profile: Uuid,
    skus: Vec<String>,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO import_source (profile_id, item_id)
        SELECT $1::uuid, i.id FROM item i WHERE i.sku = ANY($2) ON CONFLICT DO NOTHING";
    let values = [profile.into(), super::items::texts(skus.into_iter())];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    tx.execute_raw(statement).await?;
    Ok(())
}

/// Some items that came with a supplier's files and are not retired, by id.
pub(super) async fn sources(
    tx: &TenantTx,
    profile: Uuid,
    after: Uuid,
) -> Result<Vec<Source>, DbErr> {
    let sql = "SELECT i.id, i.sku, i.name, trim_scale(i.price_amount)::text AS amount,
            trim_scale(i.price_per)::text AS per, i.price_unit AS unit, i.currency
        FROM import_source s JOIN item i ON i.id = s.item_id
        WHERE s.profile_id = $1::uuid AND s.item_id > $2::uuid AND i.retired_at IS NULL
        ORDER BY s.item_id LIMIT $3";
    let values = [profile.into(), after.into(), AT_ONCE.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Source::find_by_statement(statement).all(tx).await
}

/// Retires items, and notes that. Answers with how many were not retired before.
pub(super) async fn retire(
    tx: &TenantTx,
    import: Uuid,
    items: &[Uuid],
    now: OffsetDateTime,
) -> Result<i64, DbErr> {
    let sql = "WITH was AS MATERIALIZED (
            SELECT i.id, jsonb_build_object('name', i.name, 'description', i.description,
                'group_id', i.group_id, 'base_unit', i.base_unit, 'price_amount', i.price_amount,
                'price_per', i.price_per, 'price_unit', i.price_unit, 'currency', i.currency,
                'status', i.status, 'retired_at', i.retired_at) AS before
            FROM item i WHERE i.id = ANY($2) AND i.retired_at IS NULL FOR UPDATE
        ), gone AS (
            UPDATE item i SET retired_at = $3, updated_at = $3, version = i.version + 1
            FROM was WHERE i.id = was.id RETURNING i.id, i.version
        ), noted AS (
            INSERT INTO import_change (import_id, item_id, before, version)
            SELECT $1::uuid, gone.id, was.before, gone.version
            FROM gone JOIN was ON was.id = gone.id
            ON CONFLICT (import_id, item_id) DO NOTHING
        ) SELECT count(*) AS retired FROM gone";
    let ids = items.iter().map(|id| Value::from(*id)).collect();
    let ids = Value::Array(ArrayType::Uuid, Some(Box::new(ids)));
    let statement =
        Statement::from_sql_and_values(DbBackend::Postgres, sql, [import.into(), ids, now.into()]);
    let row = tx.query_one_raw(statement).await?;
    row.map_or(Ok(0), |row| row.try_get("", "retired"))
}
