//! Rejected rows as a file that imports again once they are mended: the same columns, and a last one
//! that says what is wrong, which readers of ours pass over.

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use sea_orm::DbErr;
use uuid::Uuid;

use super::model::{Kind, Plan};
use super::pricefile::{Delimiter, RejectionCode, csv_line};
use super::rows;
use crate::db::TenantDb;

/// Rows read at a time, each time in a transaction of its own: a reader who is slow keeps no
/// connection.
const ROWS: u64 = 500;
/// Says that it is UTF-8, to us and to spreadsheets.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The file to be written.
#[derive(Debug)]
pub(super) struct RejectedRows {
    pub db: TenantDb,
    pub import: Uuid,
    pub plan: Plan,
    /// Where the header is to stand, if whoever sent the file said so.
    pub header_line: Option<u64>,
}

impl RejectedRows {
    /// All of it, some rows at a time.
    pub(super) fn pages(self) -> impl Stream<Item = Result<Bytes, DbErr>> {
        stream::try_unfold((self, Some(0)), |(file, after)| async move {
            let Some(after) = after else {
                return Ok(None);
            };
            let (page, next) = file.page(after).await.inspect_err(|error| {
                tracing::error!(error = ?error, "a file of rejected rows broke off");
            })?;
            Ok(Some((Bytes::from(page), (file, next))))
        })
    }

    /// The rows after one, and where to go on if there are more.
    async fn page(&self, after: i64) -> Result<(String, Option<i64>), DbErr> {
        let rows = self
            .db
            .read(async |tx| rows::page(tx, self.import, Kind::Rejected, after, ROWS).await)
            .await?;
        let mut text = if after == 0 {
            self.head()
        } else {
            String::new()
        };
        for row in &rows {
            let raw = row.raw.as_deref().unwrap_or_default();
            text.push_str(raw);
            text.push_str(&self.last_cell(raw, &row.code, &row.hint));
            text.push_str("\r\n");
        }
        let is_last = u64::try_from(rows.len()).is_ok_and(|length| length < ROWS);
        let next = rows.last().map(|row| row.number).filter(|_| !is_last);
        Ok((text, next))
    }

    fn head(&self) -> String {
        let before = self.header_line.unwrap_or(1).saturating_sub(1);
        let blank = "\r\n".repeat(usize::try_from(before).unwrap_or_default());
        format!("{BYTE_ORDER_MARK}{blank}{}\r\n", self.plan.heading)
    }

    /// What is wrong, in the last column. A row that has too few cells gets none, lest it have the
    /// right number by that; nameless columns at the end may be missing, and are filled.
    fn last_cell(&self, raw: &str, code: &str, hint: &str) -> String {
        let delimiter = self.plan.mapping.delimiter.unwrap_or(Delimiter::Semicolon);
        let is_width_wrong = code == RejectionCode::WrongFieldCount.as_str();
        let missing = self.plan.width.saturating_sub(cells(raw, delimiter));
        if is_width_wrong && missing > 0 {
            return String::new();
        }
        // The first cell is empty, so that the line begins with the delimiter.
        let error = format!("{code}: {hint}");
        let blank = std::iter::repeat_n("", missing + 1);
        csv_line(blank.chain([error.as_str()]), delimiter)
    }
}

/// How many cells a line of ours has.
fn cells(line: &str, delimiter: Delimiter) -> usize {
    let sign = csv_line(["", ""].into_iter(), delimiter);
    let mut is_quoted = false;
    let mut cells = 1;
    for found in line.chars() {
        match found {
            '"' => is_quoted = !is_quoted,
            _ if !is_quoted && sign.starts_with(found) => cells += 1,
            _ => {}
        }
    }
    cells
}
