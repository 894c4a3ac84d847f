//! What a schema and its transaction look like at one moment: structure from the catalogues, locks
//! and work done from the views that Postgres keeps of a running transaction.

mod reading;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::reading::snapshot;

/// A schema, and the transaction that looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// Tables, views, indexes and sequences, by number.
    pub(super) relations: BTreeMap<i64, Relation>,
    /// Columns, by their table's number and their own.
    pub(super) columns: BTreeMap<(i64, i16), Column>,
    /// Indexes, by number.
    pub(super) indexes: BTreeMap<i64, Index>,
    /// Constraints, by number.
    pub(super) constraints: BTreeMap<i64, Constraint>,
    /// Enum types.
    pub(super) enums: BTreeSet<String>,
    /// What refers to other schemas, and what it refers to.
    pub(super) references: BTreeSet<(String, String)>,
    /// What this transaction made or changed in other schemas.
    pub(super) outside: BTreeSet<String>,
    /// The strongest lock that this transaction holds on each relation of the schema.
    pub(super) locks: BTreeMap<i64, Mode>,
    /// What was done to tables since the transaction began.
    pub(super) work: BTreeMap<i64, Work>,
    /// Settings that the runner has made for the tenant.
    pub(super) settings: BTreeMap<String, String>,
}

/// A table, view, index or sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) kind: Relkind,
    /// The number of its file; another one means that it was written anew.
    pub(super) file: i64,
    pub(super) is_unlogged: bool,
    /// Who may do what: a role, and its rights as letters.
    pub(super) rights: BTreeMap<String, String>,
}

/// What a relation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relkind {
    Table,
    View,
    Index,
    Other,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// As `format_type` spells it.
    pub(super) kind: String,
    pub(super) is_not_null: bool,
    pub(super) default: Option<String>,
    /// The database gives the value: an identity or a generated column.
    pub(super) is_given: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) table: i64,
    pub(super) is_unique: bool,
    pub(super) is_primary: bool,
    /// Covers all rows, and columns only: no predicate, no expressions.
    pub(super) is_plain: bool,
    /// Key columns' numbers; zero for an expression.
    pub(super) key: Vec<i16>,
    /// Its definition without its name.
    pub(super) definition: String,
}

/// A constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Constraint {
    pub(super) name: String,
    pub(super) kind: Rule,
    pub(super) table: i64,
    /// The index behind it; zero if there is none.
    pub(super) index: i64,
    pub(super) is_validated: bool,
    /// Columns' numbers.
    pub(super) key: Vec<i16>,
}

/// What a constraint demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Check,
    ForeignKey,
    Primary,
    Unique,
    Exclusion,
    Other,
}

/// What was done to a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// How often it, or an index of it, was read.
    pub(super) scans: i64,
    pub(super) inserted: i64,
    /// Updated or deleted.
    pub(super) changed: i64,
}

/// How strong a lock is, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl Mode {
    const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// As Postgres calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AccessShare => "AccessShareLock",
            Self::RowShare => "RowShareLock",
            Self::RowExclusive => "RowExclusiveLock",
            Self::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            Self::Share => "ShareLock",
            Self::ShareRowExclusive => "ShareRowExclusiveLock",
            Self::Exclusive => "ExclusiveLock",
            Self::AccessExclusive => "AccessExclusiveLock",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Whether writers must wait.
    pub(super) fn stops_writers(self) -> bool {
        self >= Self::Share
    }
}

impl Snapshot {
    /// What people call a relation.
    pub(super) fn name(&self, relation: i64) -> &str {
        self.relations
            .get(&relation)
            .map_or("?", |relation| relation.name.as_str())
    }

    /// What people call a column.
    pub(super) fn column_name(&self, table: i64, number: i16) -> String {
        let column = self.columns.get(&(table, number));
        let column = column.map_or("?", |column| column.name.as_str());
        format!("{}.{column}", self.name(table))
    }

    /// Whether a table of that number is there.
    pub(super) fn has_table(&self, table: i64) -> bool {
        self.relations
            .get(&table)
            .is_some_and(|relation| relation.kind == Relkind::Table)
    }

    /// All tables.
    pub(super) fn tables(&self) -> impl Iterator<Item = (i64, &Relation)> {
        let is_table = |(_, relation): &(&i64, &Relation)| relation.kind == Relkind::Table;
        self.relations
            .iter()
            .filter(is_table)
            .map(|(number, relation)| (*number, relation))
    }

    /// Columns of a table, by their numbers.
    pub(super) fn columns_of(&self, table: i64) -> impl Iterator<Item = (i16, &Column)> {
        self.columns
            .range((table, i16::MIN)..=(table, i16::MAX))
            .map(|((_, number), column)| (*number, column))
    }

    /// Work on a table; none where nothing was done.
    pub(super) fn work_on(&self, table: i64) -> Work {
        self.work.get(&table).copied().unwrap_or_default()
    }

    /// Whether writers of a relation must wait until this transaction ends.
    pub(super) fn stops_writers_of(&self, relation: i64) -> bool {
        self.locks
            .get(&relation)
            .is_some_and(|mode| mode.stops_writers())
    }
}
