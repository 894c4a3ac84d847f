//! Exports on the wire.

use ::entity::tenant::export::Model;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::column::{Column, USUAL};
use super::service::NewExport;
use crate::auth::{Grants, Permission, ReadCosts};
use crate::http::Problem;
use crate::tenant::catalog::items::ItemFilter;

/// What is to be taken out.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportIn {
    #[schema(inline)]
    kind: KindIn,
    #[schema(inline)]
    format: FormatIn,
    /// In this order, each once; all that an import reads when absent.
    #[serde(default)]
    #[validate(length(max = 13))]
    columns: Vec<Column>,
    #[serde(default)]
    #[validate(nested)]
    filter: ItemFilter,
}

/// What things are taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum KindIn {
    /// The catalogue.
    Items,
}

/// As what file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FormatIn {
    /// CSV: UTF-8, commas, decimal points.
    Csv,
    /// A workbook.
    Xlsx,
}

/// An export.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ExportOut {
    pub id: Uuid,
    kind: String,
    format: String,
    columns: Vec<String>,
    #[schema(value_type = ItemFilter)]
    filter: serde_json::Value,
    /// `pending`, `done` or `failed`.
    state: String,
    /// Items in the file so far.
    rows: i64,
    /// The file's length.
    #[schema(required)]
    bytes: Option<i64>,
    /// Why it failed.
    #[schema(required)]
    error: Option<String>,
    /// Whose it is.
    member_id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    finished_at: Option<OffsetDateTime>,
    /// When it goes, with its file.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl FormatIn {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        match name {
            "xlsx" => Self::Xlsx,
            _ => Self::Csv,
        }
    }
}

impl ExportIn {
    /// The command. Costs are for those who may see them.
    pub(super) fn into_command(self, grants: &Grants) -> Result<NewExport, Problem> {
        let columns = match self.columns.is_empty() {
            true => USUAL.to_vec(),
            false => self.columns,
        };
        for (at, column) in columns.iter().enumerate() {
            let pointer = format!("/columns/{at}");
            if columns[..at].contains(column) {
                return Err(Problem::field(&pointer, "repeated", "it is there already"));
            }
            if *column == Column::Cost && !grants.allow(ReadCosts::NAME) {
                let message = format!("it needs the permission {}", ReadCosts::NAME);
                let refusal = Problem::permission_denied(ReadCosts::NAME);
                return Err(refusal.about(&pointer, "permission_denied", message));
            }
        }
        let KindIn::Items = self.kind;
        Ok(NewExport {
            format: self.format,
            columns,
            filter: self.filter,
        })
    }
}

impl From<Model> for ExportOut {
    fn from(export: Model) -> Self {
        Self {
            id: export.id,
            kind: export.kind,
            format: export.format,
            columns: export.columns,
            filter: export.filter,
            state: export.state,
            rows: export.row_count,
            bytes: export.bytes,
            error: export.error,
            member_id: export.member_id,
            created_at: export.created_at,
            finished_at: export.finished_at,
            expires_at: export.expires_at,
        }
    }
}
