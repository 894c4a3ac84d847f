//! What a schema holds: tables, their columns, their structure, and sequences.
//!
//! Everything is found by `oid`: in a database with thousands of tenants the catalogues are large,
//! and whoever looks for a schema's tables by its name reads all of them.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};
use sha2::{Digest as _, Sha256};

use super::hex;
use crate::SchemaName;
use crate::query::all;

/// A schema's content, without the history of its migrations.
#[derive(Debug)]
pub(super) struct Content {
    /// By name.
    pub(super) tables: Vec<Table>,
    /// By name.
    pub(super) sequences: Vec<String>,
    /// In the order of their tables.
    pub(super) references: Vec<Reference>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    /// Those that hold what was written into them, in their order.
    pub(super) columns: Vec<String>,
    /// Changes when a column, constraint or index does.
    pub(super) structure: String,
}

/// A foreign key.
#[derive(Debug)]
pub(super) struct Reference {
    table: String,
    name: String,
    definition: String,
}

/// A sequence and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) last: i64,
    pub(super) is_called: bool,
}

const RELATIONS: &str = "
    SELECT c.oid::bigint AS id, c.relname::text AS name, c.relkind::text AS kind
    FROM pg_catalog.pg_class c
    WHERE c.relkind IN ('r', 'S') AND c.oid = ANY (ARRAY(
        SELECT d.objid FROM pg_catalog.pg_depend d
        WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
            AND d.refobjid = to_regnamespace($1)::oid
            AND d.classid = 'pg_catalog.pg_class'::regclass))
    ORDER BY c.relname COLLATE \"C\"";

/// Generated columns are a part of the structure, and hold nothing of their own.
const COLUMNS: &str = "
    SELECT a.attrelid::bigint AS id, a.attname::text AS name, a.attgenerated = '' AS is_kept,
        concat_ws(' ', 'column', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
            a.attnotnull, a.attgenerated, a.attidentity, pg_get_expr(d.adbin, d.adrelid)) AS line
    FROM pg_catalog.pg_attribute a
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY ($1::bigint[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum";

const CONSTRAINTS: &str = "
    SELECT c.conrelid::bigint AS id, c.conname::text AS name, c.contype = 'f' AS is_reference,
        pg_get_constraintdef(c.oid) AS definition
    FROM pg_catalog.pg_constraint c
    WHERE c.conrelid = ANY ($1::bigint[]::oid[])
    ORDER BY c.conrelid, c.conname COLLATE \"C\"";

const INDEXES: &str = "
    SELECT i.indrelid::bigint AS id, concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid, 0, true),
        i.indisvalid) AS line
    FROM pg_catalog.pg_index i WHERE i.indrelid = ANY ($1::bigint[]::oid[])";

/// Reads a schema. The search path has to lead there: names are written as it sees them.
pub(super) async fn read(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    ledger: &str,
) -> Result<Content, DbErr> {
    let mut names = BTreeMap::new();
    let mut sequences = vec![];
    for row in all(tx, RELATIONS, [schema.as_str().into()]).await? {
        let name: String = row.try_get("", "name")?;
        if row.try_get::<String>("", "kind")? == "S" {
            sequences.push(name);
        } else if name != ledger {
            names.insert(row.try_get::<i64>("", "id")?, name);
        }
    }
    let ids: Vec<i64> = names.keys().copied().collect();
    let mut columns: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let mut lines: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for row in all(tx, COLUMNS, [ids.clone().into()]).await? {
        let id = row.try_get("", "id")?;
        lines.entry(id).or_default().push(row.try_get("", "line")?);
        if row.try_get("", "is_kept")? {
            columns
                .entry(id)
                .or_default()
                .push(row.try_get("", "name")?);
        }
    }
    let mut references = vec![];
    for row in all(tx, CONSTRAINTS, [ids.clone().into()]).await? {
        let id: i64 = row.try_get("", "id")?;
        let (name, definition) = named(&row)?;
        let line = format!("constraint {name} {definition}");
        lines.entry(id).or_default().push(line);
        if row.try_get("", "is_reference")? {
            references.push(Reference {
                table: names.get(&id).cloned().unwrap_or_default(),
                name,
                definition,
            });
        }
    }
    let own = format!("{schema}.");
    for row in all(tx, INDEXES, [ids.into()]).await? {
        let line: String = row.try_get("", "line")?;
        let id = row.try_get("", "id")?;
        lines.entry(id).or_default().push(line.replace(&own, ""));
    }
    let mut tables: Vec<_> = names
        .into_iter()
        .map(|(id, name)| Table {
            name,
            columns: columns.remove(&id).unwrap_or_default(),
            structure: structure(lines.remove(&id).unwrap_or_default()),
        })
        .collect();
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Content {
        tables,
        sequences,
        references,
    })
}

fn named(row: &QueryResult) -> Result<(String, String), DbErr> {
    Ok((row.try_get("", "name")?, row.try_get("", "definition")?))
}

/// The order of columns and indexes is a matter of how a table came to be, not of what it is.
fn structure(mut lines: Vec<String>) -> String {
    lines.sort();
    hex(&Sha256::digest(lines.join("\n").as_bytes()))
}

impl Content {
    /// Takes the foreign keys away, so that tables can be filled in any order.
    pub(super) async fn detach(
        &self,
        db: &impl ConnectionTrait,
        schema: &SchemaName,
    ) -> Result<(), DbErr> {
        let drop = |_: &Reference, name| format!("DROP CONSTRAINT {name}");
        self.alter(db, schema, drop).await
    }

    /// Puts them back as they were. The search path has to lead to the schema.
    pub(super) async fn attach(
        &self,
        db: &impl ConnectionTrait,
        schema: &SchemaName,
    ) -> Result<(), DbErr> {
        let add = |key: &Reference, name| format!("ADD CONSTRAINT {name} {}", key.definition);
        self.alter(db, schema, add).await
    }

    /// Does the same with each foreign key, whose quoted name is given.
    async fn alter(
        &self,
        db: &impl ConnectionTrait,
        schema: &SchemaName,
        change: impl Fn(&Reference, String) -> String,
    ) -> Result<(), DbErr> {
        let alter = |key: &Reference| {
            let change = change(key, quoted(&key.name));
            format!("ALTER TABLE {schema}.{} {change}", quoted(&key.table))
        };
        let sql: Vec<_> = self.references.iter().map(alter).collect();
        run_all(db, &sql).await
    }

    /// Removes the rows that migrations wrote.
    pub(super) async fn empty(
        &self,
        db: &impl ConnectionTrait,
        schema: &SchemaName,
    ) -> Result<(), DbErr> {
        let sql: Vec<_> = self
            .tables
            .iter()
            .map(|table| format!("DELETE FROM {schema}.{}", quoted(&table.name)))
            .collect();
        run_all(db, &sql).await
    }

    /// Where each sequence stands.
    pub(super) async fn standings(
        &self,
        db: &impl ConnectionTrait,
        schema: &SchemaName,
    ) -> Result<BTreeMap<String, Standing>, DbErr> {
        let mut standings = BTreeMap::new();
        for name in &self.sequences {
            let sql = format!(
                "SELECT last_value AS last, is_called FROM {schema}.{}",
                quoted(name)
            );
            for row in all(db, &sql, []).await? {
                let standing = Standing {
                    last: row.try_get("", "last")?,
                    is_called: row.try_get("", "is_called")?,
                };
                standings.insert(name.clone(), standing);
            }
        }
        Ok(standings)
    }
}

/// Sets sequences to where they stood.
pub(super) async fn set_standings(
    db: &impl ConnectionTrait,
    schema: &SchemaName,
    standings: &BTreeMap<String, Standing>,
) -> Result<(), DbErr> {
    for (name, standing) in standings {
        let path = format!("{schema}.{}", quoted(name));
        let values = [path.into(), standing.last.into(), standing.is_called.into()];
        all(db, "SELECT setval($1::regclass, $2, $3)", values).await?;
    }
    Ok(())
}

/// All in one message.
async fn run_all(db: &impl ConnectionTrait, sql: &[String]) -> Result<(), DbErr> {
    if !sql.is_empty() {
        db.execute_unprepared(&sql.join(";\n")).await?;
    }
    Ok(())
}

/// A name as SQL takes it, whatever it is made of.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names in a row.
pub(super) fn quoted_list(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| quoted(name)).collect();
    quoted.join(", ")
}
