//! Whether entities match their tables: those of a tenant's schema, and the platform's own.

use std::collections::BTreeMap;

use entity::platform;
use sea_orm::DbErr;
use sea_orm::sea_query::ColumnType;

use super::error::CheckError;
use super::scratch::Scratch;
use super::{Code, EntityColumn, EntityTable, Finding, Report};
use crate::query::{all, column};
use crate::{Product, SchemaName};

/// The platform's tables, as the provisioner and servers see them.
fn platform_tables() -> Vec<EntityTable> {
    vec![
        EntityTable::of::<platform::audit_checkpoint::Entity>(),
        EntityTable::of::<platform::lane::Entity>(),
        EntityTable::of::<platform::migration_run::Entity>(),
        EntityTable::of::<platform::migration_run_tenant::Entity>(),
        EntityTable::of::<platform::node::Entity>(),
        EntityTable::of::<platform::operator::Entity>(),
        EntityTable::of::<platform::operator_refresh_token::Entity>(),
        EntityTable::of::<platform::operator_session::Entity>(),
        EntityTable::of::<platform::plan::Entity>(),
        EntityTable::of::<platform::rehearsal::Entity>(),
        EntityTable::of::<platform::security_event::Entity>(),
        EntityTable::of::<platform::server_process::Entity>(),
        EntityTable::of::<platform::spare_goal::Entity>(),
        EntityTable::of::<platform::tenant::Entity>(),
        EntityTable::of::<platform::tenant_domain::Entity>(),
        EntityTable::of::<platform::tenant_event::Entity>(),
        EntityTable::of::<platform::tenant_export::Entity>(),
        EntityTable::of::<platform::tenant_traffic::Entity>(),
        EntityTable::of::<platform::tenant_vitals::Entity>(),
    ]
}

/// A column as the database has it.
struct Column {
    kind: String,
    is_nullable: bool,
    /// A row can be written without it.
    is_optional: bool,
}

/// Compares all entities with their tables. Answers with how many there were.
pub(super) async fn compare_entities<P: Product>(
    scratch: &Scratch,
    product: &P,
    head: &SchemaName,
    report: &mut Report,
) -> Result<u64, CheckError> {
    let mut compared = 0;
    for (schema, tables) in [
        (head.as_str(), product.tables()),
        ("platform", platform_tables()),
    ] {
        for table in tables {
            compared += 1;
            let found = compare(scratch, schema, &table).await;
            let found = found.map_err(|error| scratch.trouble(error))?;
            report.findings.extend(found);
        }
    }
    Ok(compared)
}

async fn compare(
    scratch: &Scratch,
    schema: &str,
    entity: &EntityTable,
) -> Result<Vec<Finding>, DbErr> {
    let mut findings = vec![];
    let table = entity.name.as_str();
    let there = columns(scratch, schema, table).await?;
    if there.is_empty() {
        let message = format!("there is no table {table}");
        return Ok(vec![
            Finding::new(Code::EntityTableMissing, message).at(table),
        ]);
    }
    for column in &entity.columns {
        let name = format!("{table}.{}", column.name);
        let Some(is) = there.get(&column.name) else {
            let message = format!("there is no column {name}");
            findings.push(Finding::new(Code::EntityColumnMissing, message).at(name));
            continue;
        };
        if !stands_for(column, &is.kind) {
            let message = format!("{name} is {}, and the entity's {:?}", is.kind, column.kind);
            findings.push(Finding::new(Code::EntityTypeDiffers, message).at(&name));
        }
        if is.is_nullable != column.is_nullable {
            let (is, believes) = match is.is_nullable {
                true => ("may be empty", "never is"),
                false => ("is never empty", "may be"),
            };
            let message = format!("{name} {is}, and the entity says that it {believes}");
            findings.push(Finding::new(Code::EntityNullDiffers, message).at(name));
        }
    }
    for (name, column) in &there {
        let is_known = entity.columns.iter().any(|known| known.name == *name);
        if !is_known && !column.is_optional {
            let name = format!("{table}.{name}");
            let message = format!("{name} must be given, and the entity doesn't know it");
            findings.push(Finding::new(Code::EntityColumnUnknown, message).at(name));
        }
    }
    let key = primary_key(scratch, schema, table).await?;
    if key != entity.key {
        let message = format!(
            "the key of {table} is ({}), and the entity's ({})",
            key.join(", "),
            entity.key.join(", ")
        );
        findings.push(Finding::new(Code::EntityKeyDiffers, message).at(table));
    }
    Ok(findings)
}

async fn columns(
    scratch: &Scratch,
    schema: &str,
    table: &str,
) -> Result<BTreeMap<String, Column>, DbErr> {
    let rows = all(
        &scratch.db,
        "SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS kind,
             NOT a.attnotnull AS is_nullable,
             NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' AS is_optional
         FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = to_regclass(format('%I.%I', $1::text, $2::text))
             AND a.attnum > 0 AND NOT a.attisdropped",
        [schema.into(), table.into()],
    )
    .await?;
    let read = |row: &sea_orm::QueryResult| {
        let column = Column {
            kind: row.try_get("", "kind")?,
            is_nullable: row.try_get("", "is_nullable")?,
            is_optional: row.try_get("", "is_optional")?,
        };
        Ok((row.try_get("", "name")?, column))
    };
    rows.iter().map(read).collect()
}

async fn primary_key(scratch: &Scratch, schema: &str, table: &str) -> Result<Vec<String>, DbErr> {
    column(
        &scratch.db,
        "SELECT a.attname::text
         FROM pg_catalog.pg_index i, unnest(i.indkey) WITH ORDINALITY k (number, place)
         JOIN pg_catalog.pg_attribute a ON a.attnum = k.number
         WHERE i.indrelid = to_regclass(format('%I.%I', $1::text, $2::text))
             AND a.attrelid = i.indrelid AND i.indisprimary ORDER BY k.place",
        [schema.into(), table.into()],
    )
    .await
}

/// Whether an entity's type can be read from and written to a column's.
fn stands_for(column: &EntityColumn, kind: &str) -> bool {
    let base = kind.split('(').next().unwrap_or_default().trim();
    match &column.kind {
        ColumnType::Uuid => kind == "uuid",
        ColumnType::String(_) | ColumnType::Text | ColumnType::Char(_) => {
            ["text", "character varying", "character"].contains(&base)
        }
        ColumnType::SmallInteger => kind == "smallint",
        ColumnType::Integer => kind == "integer",
        ColumnType::BigInteger => kind == "bigint",
        ColumnType::Boolean => kind == "boolean",
        ColumnType::Decimal(None) | ColumnType::Money(_) => base == "numeric",
        ColumnType::Decimal(Some((precision, scale))) => {
            kind == format!("numeric({precision},{scale})")
        }
        ColumnType::Date => kind == "date",
        ColumnType::Time => base == "time",
        ColumnType::DateTime | ColumnType::Timestamp => {
            base == "timestamp" && kind.contains("without time zone")
        }
        ColumnType::TimestampWithTimeZone => kind.ends_with("with time zone"),
        ColumnType::Array(inner) => {
            let of = EntityColumn {
                name: column.name.clone(),
                kind: (**inner).clone(),
                is_nullable: column.is_nullable,
            };
            kind.strip_suffix("[]")
                .is_some_and(|kind| stands_for(&of, kind))
        }
        ColumnType::Json => ["json", "jsonb"].contains(&kind),
        ColumnType::JsonBinary => kind == "jsonb",
        ColumnType::VarBinary(_) | ColumnType::Binary(_) | ColumnType::Blob => kind == "bytea",
        ColumnType::Inet => kind == "inet",
        ColumnType::Cidr => kind == "cidr",
        ColumnType::MacAddr => kind == "macaddr",
        ColumnType::Interval(..) => base == "interval",
        ColumnType::Custom(name) => name.to_string() == kind,
        ColumnType::Enum { name, .. } => name.to_string() == kind,
        // Nothing is known of it, so nothing is held against it.
        _ => true,
    }
}
