//! What a check says: findings, what was waived, and what was looked at.

use super::Code;

/// A part of the check; each can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Each migration is taken on a copy that holds rows, and watched.
    Lint,
    /// Up, down and up again leave the same structure.
    Reversible,
    /// What calls itself an expand breaks nothing of the build before it.
    Kind,
    /// From every version, step by step or in one go, the same structure is reached.
    Roads,
    /// Entities match their tables.
    Entities,
    /// Every tenant of a fleet against its own version. Needs a fleet.
    Fleet,
}

impl Part {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 6] = [
        Self::Lint,
        Self::Reversible,
        Self::Kind,
        Self::Roads,
        Self::Entities,
        Self::Fleet,
    ];

    /// What people type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Reversible => "reversible",
            Self::Kind => "kind",
            Self::Roads => "roads",
            Self::Entities => "entities",
            Self::Fleet => "fleet",
        }
    }

    /// What it proves, in one line.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lint => "migrations hold no lock while they work",
            Self::Reversible => "up, down and up again leave no trace",
            Self::Kind => "an expand breaks nothing of the build before it",
            Self::Roads => "every road leads to the same place",
            Self::Entities => "entities match their tables",
            Self::Fleet => "every tenant looks like its version",
        }
    }
}

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing it is.
    pub code: Code,
    /// The migration that does it; nothing where none does (a tenant that drifted, an entity).
    pub migration: Option<String>,
    /// The table, index, column, schema or role, without a schema's name.
    pub object: Option<String>,
    /// What was seen, in one sentence without its object's explanation.
    pub message: String,
    /// The statement that did it, if one did.
    pub statement: Option<String>,
    /// Where it is written: a path from the repository's root and a line, counted from 1.
    pub written: Option<(String, Option<u32>)>,
    /// Tenants it was seen at, at most twenty of them, and how many there are.
    pub tenants: Vec<String>,
    /// How many tenants it was seen at.
    pub tenant_count: u64,
}

impl Finding {
    /// A finding of which nothing is known but what it is.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            migration: None,
            object: None,
            message: message.into(),
            statement: None,
            written: None,
            tenants: vec![],
            tenant_count: 0,
        }
    }

    /// Names the migration that does it.
    #[must_use]
    pub fn of(mut self, migration: &str) -> Self {
        self.migration = Some(migration.to_owned());
        self
    }

    /// Names the object.
    #[must_use]
    pub fn at(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    /// Names the statement.
    #[must_use]
    pub fn by(mut self, statement: &str) -> Self {
        self.statement = Some(statement.trim().to_owned());
        self
    }
}

/// A finding that somebody has answered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    /// What was found.
    pub finding: Finding,
    /// Why it may stay.
    pub reason: String,
}

/// A lock that a migration held on a table that was there before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLock {
    /// The table or index.
    pub relation: String,
    /// The strongest mode, as Postgres calls it: `AccessExclusiveLock`.
    pub mode: String,
    /// The first statement that took it.
    pub statement: String,
}

/// A migration that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationReport {
    /// Its name.
    pub name: String,
    /// `expand` or `contract`.
    pub kind: String,
    /// `transaction`, `index` or `fill`.
    pub way: String,
    /// How long `up` took on the copy, in microseconds.
    pub duration_us: u64,
    /// How many rows the copy held in all tables when it began.
    pub rows: u64,
    /// Locks it held when it was done.
    pub locks: Vec<HeldLock>,
}

/// How a part went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartReport {
    /// Which.
    pub part: Part,
    /// How long it took, in milliseconds; several parts share one walk, whose time stands at the
    /// first of them.
    pub duration_ms: u64,
    /// How many things it looked at: migrations, roads, entities or tenants.
    pub examined: u64,
    /// Why it was not done, or not to its end.
    pub skipped: Option<String>,
}

/// All that a check has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Parts that were asked for, in their order.
    pub parts: Vec<PartReport>,
    /// Migrations that were looked at, oldest first.
    pub migrations: Vec<MigrationReport>,
    /// What should not be.
    pub findings: Vec<Finding>,
    /// What somebody has answered for.
    pub waived: Vec<Waived>,
    /// What a reader should know, and needs not mend: contracts that have no way back, tables that
    /// no row could be made for.
    pub notes: Vec<String>,
}
