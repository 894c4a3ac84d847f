//! What a tenant's schema looks like, in two depths.
//!
//! A [`Mark`] is cheap: a hash over catalogue columns as they are, object numbers of tables left
//! out. Equal marks mean equal structure; unequal ones mean nothing yet, since the same structure
//! can be written down in more than one way (columns numbered differently after one was dropped,
//! places in the text of a statement). Then the [`Shape`] decides, which spells everything out by
//! name and says what differs. Both look up a schema's objects through `pg_depend`, whose index
//! leads from a schema to them: reading `pg_class` as a whole would make each look as slow as the
//! fleet is large.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde_json::{Value, json};

use crate::SchemaName;
use crate::query::all;

/// At most so many objects are named in a difference; the rest is counted.
const MOST_NAMED: usize = 20;

/// The cheap hash of a schema's structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    objects: i64,
    hash: [i64; 2],
}

/// A schema's structure, object by object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape(BTreeMap<String, String>);

/// How a schema differs from what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Objects that should be there.
    pub missing: Vec<String>,
    /// Objects that should not.
    pub extra: Vec<String>,
    /// Objects that are there and are not as they should be.
    pub changed: Vec<String>,
}

impl Difference {
    /// For reports: at most twenty objects of each kind, and how many there are.
    pub fn to_json(&self) -> Value {
        let some = |objects: &[String]| {
            json!({
                "count": objects.len(),
                "objects": objects.iter().take(MOST_NAMED).collect::<Vec<_>>(),
            })
        };
        json!({
            "missing": some(&self.missing),
            "extra": some(&self.extra),
            "changed": some(&self.changed),
        })
    }
}

impl Shape {
    /// How `self` differs from what it should be; nothing if it doesn't.
    pub(crate) fn difference(&self, should: &Self) -> Option<Difference> {
        if self == should {
            return None;
        }
        let not_in = |these: &Self, those: &Self| {
            let missing = these.0.keys().filter(|name| !those.0.contains_key(*name));
            missing.cloned().collect()
        };
        let is_changed = |(name, definition): &(&String, &String)| {
            self.0.get(*name).is_some_and(|is| is != *definition)
        };
        let changed = should.0.iter().filter(is_changed);
        Some(Difference {
            missing: not_in(should, self),
            extra: not_in(self, should),
            changed: changed.map(|(name, _)| name.clone()).collect(),
        })
    }
}

const MARKS: &str = include_str!("fingerprint/marks.sql");
const SHAPE: &str = include_str!("fingerprint/shape.sql");

/// The marks of schemas; one that isn't there has none.
async fn marks(
    db: &impl ConnectionTrait,
    schemas: &[SchemaName],
) -> Result<BTreeMap<String, Mark>, DbErr> {
    let names: Vec<String> = schemas.iter().map(ToString::to_string).collect();
    let rows = all(db, MARKS, [names.into()]).await?;
    let read = |row: &sea_orm::QueryResult| {
        let mark = Mark {
            objects: row.try_get("", "objects")?,
            hash: [row.try_get("", "one")?, row.try_get("", "two")?],
        };
        Ok((row.try_get("", "schema")?, mark))
    };
    rows.iter().map(read).collect()
}

/// The marks of schemas, asked by a statement that is planned once for all connections' lives: its
/// plan takes longer than its answer, and doesn't depend on whose schemas they are.
pub(crate) async fn marks_in(
    tx: &DatabaseTransaction,
    schemas: &[SchemaName],
) -> Result<BTreeMap<String, Mark>, DbErr> {
    // A planner that doesn't know how many schemas will be asked for reads whole catalogues once
    // the fleet is large; from a schema to its objects there is always an index.
    tx.execute_unprepared(
        "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_hashjoin = off;
         SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off",
    )
    .await?;
    marks(tx, schemas).await
}

/// The mark of one schema.
pub(crate) async fn mark(
    db: &impl ConnectionTrait,
    schema: &SchemaName,
) -> Result<Option<Mark>, DbErr> {
    let found = marks(db, std::slice::from_ref(schema)).await?;
    Ok(found.get(schema.as_str()).copied())
}

/// The shape of a schema; empty if it isn't there.
pub(crate) async fn shape(db: &impl ConnectionTrait, schema: &SchemaName) -> Result<Shape, DbErr> {
    let rows = all(db, SHAPE, [schema.as_str().into()]).await?;
    let read = |row: &sea_orm::QueryResult| {
        Ok((row.try_get("", "object")?, row.try_get("", "definition")?))
    };
    Ok(Shape(rows.iter().map(read).collect::<Result<_, DbErr>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(objects: &[(&str, &str)]) -> Shape {
        let owned = |(name, definition): &(&str, &str)| (name.to_string(), definition.to_string());
        Shape(objects.iter().map(owned).collect())
    }

    #[test]
    fn a_difference_names_the_objects() {
        let should = shape(&[("table a", "1"), ("table b", "1"), ("table c", "1")]);
        let is = shape(&[("table a", "1"), ("table b", "2"), ("table d", "1")]);

        let difference = is.difference(&should).unwrap();

        assert_eq!(difference.missing, ["table c"]);
        assert_eq!(difference.extra, ["table d"]);
        assert_eq!(difference.changed, ["table b"]);
        assert_eq!(should.difference(&should), None);
    }
}
