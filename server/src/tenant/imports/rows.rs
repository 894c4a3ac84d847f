//! Rows that are told of: rejected, superseded, taken with a warning, kept by an undo.

use ::entity::tenant::import_row::{Column, Entity, Model};
use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value,
};
use uuid::Uuid;

use super::batch::Told;
use super::items::texts;
use super::model::{Finding, Kind};
use crate::db::TenantTx;

/// The code of a warning that only writing can tell for sure.
pub(super) const BARCODE_TAKEN: &str = "barcode_taken";

/// A row to be told of.
#[derive(Debug, Clone)]
pub(super) struct NewRow {
    pub kind: Kind,
    pub finding: Finding,
    pub raw: Option<String>,
}

impl NewRow {
    pub(super) fn told(kind: Kind, told: Told) -> Self {
        let rejection = told.rejection;
        Self {
            kind,
            finding: Finding {
                line: i64::try_from(rejection.line).unwrap_or(i64::MAX),
                column: rejection.column,
                value: rejection.value,
                code: rejection.code.as_str().to_owned(),
                hint: rejection.hint,
            },
            raw: Some(told.line),
        }
    }

    pub(super) fn warning(finding: Finding) -> Self {
        Self {
            kind: Kind::Warning,
            finding,
            raw: None,
        }
    }
}

/// Adds rows in one statement; the first gets the number after `told`.
pub(super) async fn add(
    tx: &TenantTx,
    import: Uuid,
    told: i64,
    rows: &[NewRow],
) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO import_row (import_id, kind, number, line, column_name, value, code,
            hint, raw)
        SELECT $1::uuid, kind, $2::bigint + at, line, nullif(column_name, ''), value, code, hint,
            nullif(raw, '')
        FROM unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[]) WITH ORDINALITY
            AS new (kind, line, column_name, value, code, hint, raw, at)";
    let lines = rows.iter().map(|row| Value::from(row.finding.line));
    let text = |of: fn(&NewRow) -> String| texts(rows.iter().map(of));
    let values = [
        import.into(),
        told.into(),
        text(|row| row.kind.as_str().to_owned()),
        Value::Array(ArrayType::BigInt, Some(Box::new(lines.collect()))),
        text(|row| row.finding.column.clone().unwrap_or_default()),
        text(|row| row.finding.value.clone()),
        text(|row| row.finding.code.clone()),
        text(|row| row.finding.hint.clone()),
        text(|row| row.raw.clone().unwrap_or_default()),
    ];
    tx.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
    .await?;
    Ok(())
}

/// Forgets what was told.
pub(super) async fn clear(tx: &TenantTx, import: Uuid) -> Result<(), DbErr> {
    let all = Entity::delete_many().filter(Column::ImportId.eq(import));
    all.exec(tx).await?;
    Ok(())
}

/// Forgets the warnings that writing tells anew. Answers with how many there were.
pub(super) async fn clear_barcodes(tx: &TenantTx, import: Uuid) -> Result<u64, DbErr> {
    let some = Entity::delete_many()
        .filter(Column::ImportId.eq(import))
        .filter(Column::Kind.eq(Kind::Warning.as_str()))
        .filter(Column::Code.eq(BARCODE_TAKEN));
    Ok(some.exec(tx).await?.rows_affected)
}

/// Some rows of a kind, in the order of the file.
pub(super) async fn page(
    tx: &TenantTx,
    import: Uuid,
    kind: Kind,
    after: i64,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::ImportId.eq(import))
        .filter(Column::Kind.eq(kind.as_str()))
        .filter(Column::Number.gt(after))
        .order_by_asc(Column::Number)
        .limit(limit)
        .all(tx)
        .await
}
