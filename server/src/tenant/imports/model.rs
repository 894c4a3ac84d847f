//! What is asked of an import, how far it has come, and what it comes to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::pricefile::{Duplicates, Mapping};

/// Most samples of each kind.
pub(super) const SAMPLES: usize = 20;

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The file is there.
    Uploaded,
    /// It is being read; nothing is written.
    Reading,
    /// It is known what it would do: apply it or cancel it.
    Ready,
    /// It is to be applied.
    Queued,
    /// It is being applied.
    Applying,
    /// It is in the catalogue.
    Applied,
    /// It came to nothing; `error` says why.
    Failed,
    /// What it has done is being taken back.
    Cancelling,
    /// Somebody stopped it; nothing of it is left.
    Cancelled,
    /// It was in the catalogue, and is being taken back.
    Undoing,
    /// It was in the catalogue, and was taken back.
    Undone,
}

impl Status {
    const ALL: [Self; 11] = [
        Self::Uploaded,
        Self::Reading,
        Self::Ready,
        Self::Queued,
        Self::Applying,
        Self::Applied,
        Self::Failed,
        Self::Cancelling,
        Self::Cancelled,
        Self::Undoing,
        Self::Undone,
    ];

    /// As it is stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Reading => "reading",
            Self::Ready => "ready",
            Self::Queued => "queued",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether its file is of no more use.
    pub(super) const fn is_over(self) -> bool {
        matches!(
            self,
            Self::Applied | Self::Failed | Self::Cancelled | Self::Undone
        )
    }
}

/// What rejected rows mean for the others. It is decided before anything is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Good rows are taken, whatever the others are like.
    #[default]
    GoodRows,
    /// Nothing is taken if one row is rejected.
    AllOrNothing,
    /// Nothing is taken if more than `max_rejected` rows are rejected.
    StopAfter,
}

/// What becomes of items that came with the same profile's files and are not in this one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// They stay as they are.
    #[default]
    Keep,
    /// They are retired. Those whose rows are rejected are in the file all the same.
    Retire,
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Options {
    #[schema(inline)]
    pub mode: Mode,
    /// Rejected rows that are put up with.
    #[schema(required)]
    pub max_rejected: Option<u64>,
    #[schema(inline)]
    pub duplicates: Duplicates,
    #[schema(inline)]
    pub missing: Missing,
    /// Prices that change by at least so much, in percent, are pointed out.
    #[schema(required)]
    pub price_change_percent: Option<u32>,
    /// Whether it is applied at once after it was read.
    pub apply: bool,
}

impl Options {
    /// Whether so many rejected rows are too many.
    pub(super) fn refuses(&self, rejected: u64) -> bool {
        match self.mode {
            Mode::GoodRows => false,
            Mode::AllOrNothing => rejected > 0,
            Mode::StopAfter => rejected > self.max_rejected.unwrap_or_default(),
        }
    }
}

/// How a file is read: the same each time, whatever becomes of settings meanwhile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    /// As decided, complete.
    pub mapping: Mapping,
    /// The header of rows that go back.
    pub heading: String,
    /// What its columns are called, without the one that says what is wrong.
    #[serde(default)]
    pub columns: Vec<String>,
    /// How many columns they have, without the one that says what is wrong.
    pub width: usize,
    /// The dealer's currency when the file was read first.
    pub currency: Option<String>,
}

/// What became of the rows, in numbers. `rows` is the sum of created, updated, unchanged, rejected and
/// superseded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Counts {
    /// Rows of the file that are meant as items.
    pub rows: u64,
    /// Items that were not there before.
    pub created: u64,
    /// Items that differ from what they were.
    pub updated: u64,
    /// Items that were as the file has them.
    pub unchanged: u64,
    /// Items that the file leaves out.
    pub retired: u64,
    /// Rows that were not taken.
    pub rejected: u64,
    /// Good rows that a later row with the same code replaced.
    pub superseded: u64,
    /// Blank rows, totals and other rows that are no items.
    pub skipped: u64,
    /// Things worth knowing about rows that were taken.
    pub warnings: u64,
    /// Prices that change by as much as was to be pointed out.
    pub price_changes: u64,
}

/// A price, for people to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SamplePrice {
    /// A decimal.
    #[schema(example = "2.75")]
    pub amount: String,
    /// How much of the unit it buys.
    #[schema(example = "1")]
    pub per: String,
    #[schema(example = "m")]
    pub unit: String,
    #[schema(example = "EUR")]
    pub currency: String,
}

/// One item that an import touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    pub sku: String,
    pub name: String,
    /// The price that it has.
    #[serde(default)]
    #[schema(required)]
    pub old_price: Option<SamplePrice>,
    /// The price that it would have.
    #[serde(default)]
    #[schema(required)]
    pub new_price: Option<SamplePrice>,
    /// By how much the price changes, percent with two decimals.
    #[serde(default)]
    #[schema(required, example = "10.00")]
    pub change_percent: Option<String>,
}

/// Some items of each kind; `price_changes` are the largest ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Samples {
    pub created: Vec<Sample>,
    pub updated: Vec<Sample>,
    pub unchanged: Vec<Sample>,
    pub retired: Vec<Sample>,
    pub price_changes: Vec<Sample>,
    pub rejected: Vec<Finding>,
}

/// What an undo came to, in items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Undone {
    /// They are what they were before.
    pub restored: u64,
    /// The import had made them.
    pub removed: u64,
    /// Somebody has changed them since, so they were left alone: see the rows of kind `kept`.
    pub kept: u64,
}

/// Numbers and samples, as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    pub counts: Counts,
    pub samples: Samples,
    pub units_created: Vec<String>,
    pub groups_created: u64,
    pub undone: Undone,
    /// How many rows have been told of.
    pub findings: i64,
}

/// Something about one row that the sender should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Physical line in the file where the row begins, from 1.
    #[schema(example = 17)]
    pub line: i64,
    /// Name of the column, if one is to blame.
    #[schema(example = "PRICE", required)]
    pub column: Option<String>,
    /// What stands there, cut to 200 characters.
    #[schema(example = "1.2.3")]
    pub value: String,
    /// What is wrong, for programs.
    #[schema(example = "price_invalid")]
    pub code: String,
    /// How to mend it, for people.
    pub hint: String,
}

/// What became of a row that is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was not taken.
    Rejected,
    /// A later row with the same code replaced it.
    Superseded,
    /// It was taken, and there is something to know.
    Warning,
    /// An undo left its item alone.
    Kept,
}

impl Kind {
    /// As it is stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Superseded => "superseded",
            Self::Warning => "warning",
            Self::Kept => "kept",
        }
    }
}

/// A file that has arrived.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub id: Uuid,
    pub file_name: String,
    pub bytes: i64,
    pub sha256: [u8; 32],
}
