//! Imports on the wire.

use ::entity::tenant::import_row;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::model::{Counts, Kind, Missing, Mode, Options, Samples, Status, Undone};
use super::pricefile::{Duplicates, Mapping};
use super::store::Import;
use crate::http::ProblemOut;

/// A form with a price file.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form, which is read field by field")]
pub(super) struct ImportForm {
    /// CSV or the like: comma, semicolon, tab or bar; UTF-8, UTF-16, Windows-1252 or CP850. Or a
    /// workbook (.xlsx).
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// How the file is to be read: a `PriceFileMapping` as JSON. What is left out is found by headers and
    /// contents; the answer tells all of it.
    // Text, as in every form: generators make nothing good of an object in one. And a form can
    // leave a field out, but has no null.
    #[schema(value_type = String, required = false, content_media_type = "application/json",
        example = json!("{\"delimiter\":\";\",\"decimal\":\",\"}"))]
    mapping: Option<Mapping>,
    /// An import profile, whose mapping and options hold where the request says nothing.
    #[schema(nullable = false)]
    profile: Option<Uuid>,
    /// Apply it at once after it was read. Wins over the query, as all fields do.
    #[schema(nullable = false)]
    apply: Option<bool>,
    #[schema(inline, nullable = false)]
    mode: Option<Mode>,
    /// Rejected rows that are put up with; for `stop_after`.
    #[schema(nullable = false)]
    max_rejected: Option<u64>,
    #[schema(inline, nullable = false)]
    duplicates: Option<Duplicates>,
    #[schema(inline, nullable = false)]
    missing: Option<Missing>,
    /// Point out prices that change by at least so much, percent.
    #[schema(nullable = false, minimum = 1, maximum = 10000)]
    price_change_percent: Option<u32>,
}

/// A price file on its way into the catalogue.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportOut {
    pub id: Uuid,
    pub status: Status,
    file: FileOut,
    #[schema(required)]
    profile: Option<Uuid>,
    options: Options,
    /// How the file is read, as soon as that is known; give it back with the next file of this kind.
    #[schema(required)]
    mapping: Option<Mapping>,
    progress: ProgressOut,
    /// What it does, or would do while it is not applied.
    counts: Counts,
    /// None once its details are gone.
    samples: Samples,
    /// Codes of units that the dealer didn't have.
    units_created: Vec<String>,
    /// How many groups the dealer didn't have.
    groups_created: u64,
    /// What taking it back came to.
    undone: Undone,
    /// Why it failed.
    #[schema(required, value_type = Option<ProblemOut>)]
    error: Option<Json>,
    /// The job that works on it, or did.
    #[schema(required)]
    job: Option<Uuid>,
    /// The member who sent it, or whose key did.
    #[schema(required)]
    requested_by: Option<Uuid>,
    /// The ETag's number.
    pub version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    /// When it was applied, or came to nothing.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    finished_at: Option<OffsetDateTime>,
    /// Whether its samples and rows are still there, and with them the way back. They go some time after
    /// its end.
    has_details: bool,
}

/// A price file in a list: what there is to say without looking closer.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportListedOut {
    id: Uuid,
    status: Status,
    file: FileOut,
    #[schema(required)]
    profile: Option<Uuid>,
    progress: ProgressOut,
    /// What it does, or would do while it is not applied.
    counts: Counts,
    /// What taking it back came to.
    undone: Undone,
    /// Why it failed.
    #[schema(required, value_type = Option<ProblemOut>)]
    error: Option<Json>,
    /// The job that works on it, or did.
    #[schema(required)]
    job: Option<Uuid>,
    /// The member who sent it, or whose key did.
    #[schema(required)]
    requested_by: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
    /// When it was applied, or came to nothing.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    finished_at: Option<OffsetDateTime>,
    /// Whether its samples and rows are still there, and with them the way back.
    has_details: bool,
}

/// The file as it arrived.
#[derive(Serialize, ToSchema)]
struct FileOut {
    /// As its sender calls it.
    name: String,
    bytes: i64,
    /// In hexadecimal digits.
    sha256: String,
}

/// How far it has come in what it is doing.
#[derive(Serialize, ToSchema)]
struct ProgressOut {
    /// Rows that are done.
    rows: i64,
    /// Rows of the file that are not blank, once it was looked through.
    #[schema(required)]
    total: Option<i64>,
}

/// An import that was taken in.
#[derive(Serialize, ToSchema)]
pub(super) struct AcceptedOut {
    pub id: Uuid,
    pub status: Status,
    /// The job that works on it.
    #[schema(required)]
    job: Option<Uuid>,
}

/// Which rows are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RowsQuery {
    /// What became of them; `rejected` when absent.
    #[param(inline)]
    pub kind: Option<Kind>,
    /// Rows of the page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u64>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Only these fields of each row, with commas between.
    pub fields: Option<String>,
}

/// A row that is told of.
#[derive(Serialize, ToSchema)]
pub(super) struct RowOut {
    /// Physical line in the file where the row begins, from 1; 0 where there is none.
    #[schema(example = 17)]
    line: i64,
    /// Name of the column, if one is to blame.
    #[schema(example = "PRICE", required)]
    column: Option<String>,
    /// What stands there, cut to 200 characters.
    #[schema(example = "1.2.3")]
    value: String,
    /// What is wrong, for programs.
    #[schema(example = "price_invalid")]
    code: String,
    /// How to mend it, for people.
    hint: String,
    /// The row as a line of CSV, where it was not taken.
    #[schema(required)]
    raw: Option<String>,
}

impl FileOut {
    fn of(import: &Import) -> Self {
        let (row, digits) = (&import.row, import.row.file_sha256.iter());
        Self {
            name: row.file_name.clone(),
            bytes: row.file_bytes,
            sha256: digits.map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

impl ProgressOut {
    fn of(import: &Import) -> Self {
        Self {
            rows: import.row.rows_done,
            total: import.row.rows_total,
        }
    }
}

impl From<import_row::Model> for RowOut {
    fn from(row: import_row::Model) -> Self {
        Self {
            line: row.line,
            column: row.column_name,
            value: row.value,
            code: row.code,
            hint: row.hint,
            raw: row.raw,
        }
    }
}

impl From<&Import> for AcceptedOut {
    fn from(import: &Import) -> Self {
        Self {
            id: import.row.id,
            status: import.status,
            job: import.row.job_id,
        }
    }
}

impl From<Import> for ImportOut {
    fn from(import: Import) -> Self {
        let mapping = import.plan().map(|plan| plan.mapping);
        let has_details = import.has_details();
        let (file, progress) = (FileOut::of(&import), ProgressOut::of(&import));
        let (row, summary) = (import.row, import.summary);
        Self {
            id: row.id,
            status: import.status,
            file,
            profile: row.profile_id,
            options: import.options,
            mapping,
            progress,
            counts: summary.counts,
            samples: summary.samples,
            units_created: summary.units_created,
            groups_created: summary.groups_created,
            undone: summary.undone,
            error: row.error,
            job: row.job_id,
            requested_by: row.requested_by,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
            has_details,
        }
    }
}

impl From<Import> for ImportListedOut {
    fn from(import: Import) -> Self {
        let has_details = import.has_details();
        let (file, progress) = (FileOut::of(&import), ProgressOut::of(&import));
        let (row, summary) = (import.row, import.summary);
        Self {
            id: row.id,
            status: import.status,
            file,
            profile: row.profile_id,
            progress,
            counts: summary.counts,
            undone: summary.undone,
            error: row.error,
            job: row.job_id,
            requested_by: row.requested_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            finished_at: row.finished_at,
            has_details,
        }
    }
}
