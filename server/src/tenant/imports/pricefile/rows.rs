//! The second pass: one outcome for each row below the header.

use std::io::{Read, Seek};
use std::sync::Arc;

use super::duplicates::Duplicates;
use super::error::FileError;
use super::fold;
use super::judge;
use super::outcome::{Outcome, PriceRow, Rejection, RejectionCode, SkipReason};
use super::plan::{Body, Plan, Verdicts};
use super::records::Record;
use super::rewrite;

/// The outcomes of a file's rows, in the file's order. Ends after the first error.
pub struct Rows<R> {
    plan: Arc<Plan>,
    verdicts: Arc<Verdicts>,
    body: Body<R>,
    record: Record,
    is_over: bool,
}

impl<R: Read + Seek> Rows<R> {
    pub(super) fn open(
        file: R,
        plan: Arc<Plan>,
        verdicts: Arc<Verdicts>,
    ) -> Result<Self, FileError> {
        let body = Body::open(file, plan.encoding, &plan.layout, plan.max_rows)?;
        Ok(Self {
            plan,
            verdicts,
            body,
            record: Record::default(),
            is_over: false,
        })
    }

    /// The article number as it stands in the row that was read last, however faulty that is.
    pub fn sku(&self) -> &str {
        fold::trimmed(self.record.get(self.plan.columns.sku).unwrap_or(""))
    }

    /// The row that was read last as a line of CSV, for [`super::Survey::heading`]'s file.
    pub fn line(&self) -> String {
        let layout = &self.plan.layout;
        let known = rewrite::without_errors(&layout.headers).len();
        let cells = self.record.len();
        let last = self.record.get(cells.saturating_sub(1)).unwrap_or("");
        let is_marked = known < layout.headers.len()
            && last.starts_with(RejectionCode::WrongFieldCount.as_str());
        let wanted = if self.plan.has_right_width(&self.record) {
            known.min(cells) // cells beyond are blank, or say what was wrong before
        } else {
            cells - usize::from(is_marked)
        };
        rewrite::line(self.record.cells().take(wanted), layout.dialect.delimiter)
    }

    fn outcome(&mut self) -> Result<Option<Outcome>, FileError> {
        let Some(skip) = self.body.next(&mut self.record)? else {
            return Ok(None);
        };
        let line = self.record.line;
        if let Some(reason) = skip {
            return Ok(Some(Outcome::Skipped { line, reason }));
        }
        self.plan.check_finished(&self.record)?;
        Ok(Some(match judge::judge(&self.plan, &self.record) {
            Outcome::Rejected(_) if line > self.verdicts.last_body_line => Outcome::Skipped {
                line,
                reason: SkipReason::Footer,
            },
            Outcome::Row(row) => self.settled(row),
            other => other,
        }))
    }

    /// The row, unless another with its article number is kept.
    fn settled(&self, row: PriceRow) -> Outcome {
        let kept = match self.verdicts.kept.line_of(&row.sku) {
            Some(kept) if kept != row.line => kept,
            _ => return Outcome::Row(row),
        };
        let hint = match self.plan.duplicates {
            Duplicates::Reject => format!(
                "line {kept} has the same article number and was kept; remove one of the two, or \
                 correct the number"
            ),
            Duplicates::LastWins => {
                format!("line {kept} further down has the same article number and was kept")
            }
        };
        let column = self.plan.layout.headers[self.plan.columns.sku].as_str();
        let column = Some(column).filter(|name| !name.is_empty());
        let code = RejectionCode::DuplicateSku;
        let rejection = Rejection::new(row.line, column, &row.sku, code, hint);
        match self.plan.duplicates {
            Duplicates::Reject => Outcome::Rejected(rejection),
            Duplicates::LastWins => Outcome::Superseded(rejection),
        }
    }
}

impl<R: Read + Seek> Iterator for Rows<R> {
    type Item = Result<Outcome, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.outcome().transpose();
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}
