//! What a tenant's schema looks like, in two depths.
//!
//! A [`Mark`] is cheap: a hash over catalogue columns as they are, object numbers of tables left
//! out. Equal marks mean equal structure; unequal ones mean nothing yet, since the same structure
//! can be written down in more than one way (columns numbered differently after one was dropped,
//! places in the text of a statement). Then the [`Shape`] decides, which spells everything out by
//! name and says what differs. Both look up a schema's objects through `pg_depend`, whose index
//! leads from a schema to them: reading `pg_class` as a whole would make each look as slow as the
//! fleet is large.

mod difference;
mod shape;

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};

pub(crate) use self::difference::column;
pub use self::difference::{Change, Difference};
pub(crate) use self::shape::{Facts, OWN, Rights, Shape};
pub use self::shape::{Object, ObjectKind, ObjectName};
use crate::SchemaName;
use crate::query::all;

/// The cheap hash of a schema's structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    objects: i64,
    hash: [i64; 2],
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

/// The shape of a schema; empty if it isn't there. Leaves the transaction's search path at
/// `pg_catalog`: everything that isn't Postgres' own is then spelled with its schema.
pub(crate) async fn shape(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<Shape, DbErr> {
    tx.execute_unprepared("SET LOCAL search_path = pg_catalog, pg_temp")
        .await?;
    let rows = all(tx, SHAPE, [schema.as_str().into()]).await?;
    let read = |row: &QueryResult| {
        let own = |text: String| text.replace(schema.as_str(), OWN.encode_utf8(&mut [0; 4]));
        let kind: String = row.try_get("", "kind")?;
        let name = ObjectName {
            kind: ObjectKind::parse(&kind).ok_or_else(|| unreadable(&kind))?,
            relation: row.try_get("", "relation")?,
            name: own(row.try_get("", "name")?),
        };
        let facts: String = own(row.try_get("", "facts")?);
        let facts = serde_json::from_str(&facts).map_err(|_| unreadable(&facts))?;
        Ok((name, Facts(facts)))
    };
    Ok(Shape(rows.iter().map(read).collect::<Result<_, DbErr>>()?))
}

fn unreadable(what: &str) -> DbErr {
    DbErr::Custom(format!("the catalogues say what we can't read: {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(columns: &[(&str, &str)]) -> Shape {
        let object = |(name, kind): &(&str, &str)| {
            let name = ObjectName {
                kind: ObjectKind::Column,
                relation: Some("a".to_owned()),
                name: (*name).to_owned(),
            };
            (name, Facts([("type".to_owned(), json!(kind))].into()))
        };
        Shape(columns.iter().map(object).collect())
    }

    #[test]
    fn a_difference_names_the_objects() {
        let should = shape(&[("one", "text"), ("two", "text"), ("three", "text")]);
        let is = shape(&[("one", "text"), ("two", "integer"), ("four", "date")]);

        let difference = is.difference(&should).unwrap();

        let json = difference.to_json();
        assert_eq!(json["missing"]["objects"], json!(["column a.three"]));
        assert_eq!(json["extra"]["objects"], json!(["column a.four"]));
        assert_eq!(
            json["changed"]["definitions"],
            json!({"column a.two": {"is": "integer", "should": "text"}})
        );
        assert_eq!(
            difference.words(),
            [
                "a: column `four` date is extra; column `three` text is missing; \
              column `two`: is integer, should be text"
            ]
        );
        assert_eq!(should.difference(&should), None);
    }
}
