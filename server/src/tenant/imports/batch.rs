//! A number of rows at a time, from the thread that reads the file to the one that writes them.

use std::fs::File;

use tokio::sync::mpsc::{self, Receiver};

use super::pricefile::{FileError, Outcome, PriceRow, Rejection, Rows, Survey};

/// Rows per statement: enough to make a round trip cheap, few enough to stay in memory.
const ROWS: usize = 2000;
/// Batches that wait: the next one is read while one is written.
const WAITING: usize = 2;

/// A row that isn't taken, as it stands in the file.
#[derive(Debug)]
pub(super) struct Told {
    pub rejection: Rejection,
    /// The row as a line of CSV.
    pub line: String,
    /// Its article number, which may be faulty itself.
    pub sku: String,
}

/// Outcomes of some rows, sorted by what they came to.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub rows: Vec<PriceRow>,
    pub rejected: Vec<Told>,
    pub superseded: Vec<Told>,
    pub skipped: u64,
    /// Outcomes up to the end of this batch, from the beginning of the file.
    pub end: i64,
}

impl Batch {
    fn put(&mut self, outcome: Outcome, told: impl FnOnce(Rejection) -> Told) {
        match outcome {
            Outcome::Row(row) => self.rows.push(row),
            Outcome::Rejected(rejection) => self.rejected.push(told(rejection)),
            Outcome::Superseded(rejection) => self.superseded.push(told(rejection)),
            Outcome::Skipped { .. } => self.skipped += 1,
        }
    }

    /// How many rows it has that are meant as items.
    pub(super) fn len(&self) -> usize {
        self.rows.len() + self.rejected.len() + self.superseded.len()
    }

    /// The article numbers that the file has, in good rows or in bad ones.
    pub(super) fn skus(&self) -> impl Iterator<Item = &str> {
        let good = self.rows.iter().map(|row| row.sku.as_str());
        let told = self.rejected.iter().chain(&self.superseded);
        good.chain(told.map(|row| row.sku.as_str()))
    }
}

/// Reads the file on a thread of its own. It stops when the receiver is dropped. A batch ends at the
/// `checkpoint`, so that each is done as a whole or not at all.
pub(super) fn read(
    survey: Survey,
    file: File,
    checkpoint: i64,
) -> Receiver<Result<Batch, FileError>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut rows = match survey.rows(file) {
            Ok(rows) => rows,
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        let mut seen = 0;
        while let Some(batch) = next(&mut rows, &mut seen, checkpoint) {
            let is_last = batch.is_err();
            if sender.blocking_send(batch).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

fn next(
    rows: &mut Rows<File>,
    seen: &mut i64,
    checkpoint: i64,
) -> Option<Result<Batch, FileError>> {
    let mut batch = Batch::default();
    while let Some(outcome) = rows.next() {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return Some(Err(error)),
        };
        batch.put(outcome, |rejection| Told {
            rejection,
            line: rows.line(),
            sku: rows.sku().to_owned(),
        });
        *seen += 1;
        batch.end = *seen;
        if batch.len() >= ROWS || *seen == checkpoint {
            return Some(Ok(batch));
        }
    }
    (batch.len() > 0 || batch.skipped > 0).then_some(Ok(batch))
}
