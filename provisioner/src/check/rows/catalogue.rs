//! What is known about a schema's tables before a row is made: columns, keys, references, rules.

use sea_orm::{DatabaseTransaction, DbErr};
use serde::Deserialize;

use crate::SchemaName;
use crate::query::column;

/// A table that rows can be written to.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Table {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) checks: Vec<Check>,
    pub(super) references: Vec<Reference>,
    pub(super) keys: Vec<Key>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Column {
    pub(super) number: i32,
    pub(super) name: String,
    pub(super) not_null: bool,
    /// Its number comes from a sequence of its own.
    pub(super) identity: bool,
    /// Computed from others; nobody writes it.
    pub(super) generated: bool,
    /// Its default, or how it is computed.
    pub(super) expression: Option<String>,
    /// The columns that it is computed from.
    pub(super) bases: Vec<i32>,
    #[serde(rename = "type")]
    pub(super) kind: Type,
    /// Rules of its domain, which call the value VALUE.
    pub(super) domain_checks: Vec<String>,
}

/// A type below all domains.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Type {
    /// As it is written in a cast.
    pub(super) text: String,
    pub(super) name: String,
    /// One letter: base, enum, range, multirange, composite.
    pub(super) kind: char,
    pub(super) modifier: i32,
    pub(super) labels: Vec<String>,
    /// What an array or a range is made of.
    pub(super) inner: Option<Box<Type>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Check {
    pub(super) expression: String,
    pub(super) columns: Vec<i32>,
}

/// A foreign key.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) columns: Vec<i32>,
    pub(super) target: i64,
    /// As it is written in a statement.
    pub(super) target_name: String,
    pub(super) target_columns: Vec<i32>,
    pub(super) target_names: Vec<String>,
}

/// What no two rows may share: a unique index, or one of an exclusion constraint.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Key {
    pub(super) is_immediate: bool,
    pub(super) columns: Vec<i32>,
}

const TABLES: &str = include_str!("catalogue.sql");

/// All tables of a schema but the history of its migrations, by name.
pub(super) async fn tables(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
) -> Result<Vec<Table>, DbErr> {
    let documents: Vec<String> = column(tx, TABLES, [schema.as_str().into()]).await?;
    let mut tables = vec![];
    for document in documents {
        let table: Table =
            serde_json::from_str(&document).map_err(|error| DbErr::Json(error.to_string()))?;
        if !table.is_history() {
            tables.push(table);
        }
    }
    Ok(tables)
}

impl Table {
    /// Whether it is where the migrator writes down what it has done.
    fn is_history(&self) -> bool {
        let names: Vec<&str> = self.columns.iter().map(|one| one.name.as_str()).collect();
        names == ["version", "applied_at"] && self.references.is_empty()
    }

    /// Where a column stands in `columns`.
    pub(super) fn place(&self, number: i32) -> Option<usize> {
        self.columns.iter().position(|one| one.number == number)
    }

    /// The places of columns that are written, for columns that may be computed.
    pub(super) fn sources(&self, numbers: &[i32]) -> Vec<usize> {
        let mut places = vec![];
        for place in numbers.iter().filter_map(|number| self.place(*number)) {
            let column = &self.columns[place];
            if column.generated {
                places.extend(column.bases.iter().filter_map(|base| self.place(*base)));
            } else {
                places.push(place);
            }
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}

impl Column {
    /// Whether its default is the next number of a sequence.
    pub(super) fn is_serial(&self) -> bool {
        let counts = |default: &String| default.contains("nextval(");
        self.identity || (!self.generated && self.expression.as_ref().is_some_and(counts))
    }

    /// What stands in it when nothing is said.
    pub(super) fn default(&self) -> Option<&str> {
        let default = self.expression.as_deref();
        default.filter(|_| !self.generated)
    }

    /// Its domain's rules, about the column itself.
    pub(super) fn domain_rules(&self) -> Vec<String> {
        let name = quoted_name(&self.name);
        let rules = self.domain_checks.iter();
        rules.map(|rule| about(rule, &name)).collect()
    }
}

/// A rule of a domain with another name for its VALUE; texts within are left alone.
fn about(rule: &str, name: &str) -> String {
    let outside_of_texts = |(at, part): (usize, &str)| match at % 2 {
        0 => part.replace("VALUE", name),
        _ => part.to_owned(),
    };
    let parts: Vec<String> = rule.split('\'').enumerate().map(outside_of_texts).collect();
    parts.join("'")
}

/// A name as it is written in a statement.
pub(super) fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as it is written in a statement.
pub(super) fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domains_rule_is_said_about_the_column() {
        let rule = "((VALUE <> 'VALUE''s'::text) AND (length(VALUE) < 3))";

        let said = about(rule, "\"a\"");

        assert_eq!(
            said,
            "((\"a\" <> 'VALUE''s'::text) AND (length(\"a\") < 3))"
        );
    }
}
