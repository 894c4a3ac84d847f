//! Lists on the wire: `{"data": […], "next": cursor or null}`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::code::Code;
use super::problem::Problem;
use crate::kernel::{CursorError, PAGE_LIMIT};

/// Rows of a page when a client doesn't say.
const DEFAULT_LIMIT: u64 = 50;

/// Some rows, and the cursor of the next ones.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageOut<T> {
    /// At most `limit` rows.
    pub data: Vec<T>,
    /// Give it back as `cursor`, with the same question, to go on; null at the end.
    #[schema(required)]
    pub next: Option<String>,
}

/// Which page is wanted, and what of its rows.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows of the page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u64>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Only these fields of each row, with commas between.
    pub fields: Option<String>,
}

/// What of something is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FieldsQuery {
    /// Only these fields, with commas between.
    pub fields: Option<String>,
}

/// The number of rows wanted.
///
/// # Errors
///
/// `query-invalid` outside 1 to 200.
pub fn page_limit(wanted: Option<u64>) -> Result<u64, Problem> {
    match wanted.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=PAGE_LIMIT => Ok(limit),
        _ => Err(Problem::new(Code::QueryInvalid)
            .detail(format!("limit must be between 1 and {PAGE_LIMIT}"))),
    }
}

impl PageQuery {
    /// The number of rows wanted.
    ///
    /// # Errors
    ///
    /// `query-invalid` outside 1 to 200.
    pub fn limit(&self) -> Result<u64, Problem> {
        page_limit(self.limit)
    }
}

impl From<CursorError> for Problem {
    fn from(error: CursorError) -> Self {
        Self::new(Code::CursorInvalid).detail(error)
    }
}
