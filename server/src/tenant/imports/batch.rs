//! A number of rows at a time, from the thread that reads the file to the one that writes them.

use std::fs::File;

use tokio::sync::mpsc::{self, Receiver};

use super::pricefile::{FileError, Outcome, PriceRow, Rejection, Rows, Survey};

/// Rows per statement: enough to make a round trip cheap, few enough to stay in memory.
const ROWS: usize = 2000;
/// Batches that wait: the next one is read while one is written.
const WAITING: usize = 2;

/// Outcomes of some rows, sorted by what they came to.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub rows: Vec<PriceRow>,
    pub rejected: Vec<Rejection>,
    pub superseded: Vec<Rejection>,
    pub skipped: u64,
}

impl Batch {
    fn put(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Row(row) => self.rows.push(row),
            Outcome::Rejected(rejection) => self.rejected.push(rejection),
            Outcome::Superseded(rejection) => self.superseded.push(rejection),
            Outcome::Skipped { .. } => self.skipped += 1,
        }
    }

    fn len(&self) -> usize {
        self.rows.len() + self.rejected.len() + self.superseded.len()
    }
}

/// Reads the file on a thread of its own. It stops when the receiver is dropped.
pub(super) fn read(survey: Survey, file: File) -> Receiver<Result<Batch, FileError>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut rows = match survey.rows(file) {
            Ok(rows) => rows,
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        while let Some(batch) = next(&mut rows) {
            let is_last = batch.is_err();
            if sender.blocking_send(batch).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

fn next(rows: &mut Rows<File>) -> Option<Result<Batch, FileError>> {
    let mut batch = Batch::default();
    for outcome in rows.by_ref() {
        match outcome {
            Ok(outcome) => batch.put(outcome),
            Err(error) => return Some(Err(error)),
        }
        if batch.len() >= ROWS {
            return Some(Ok(batch));
        }
    }
    (batch.len() > 0 || batch.skipped > 0).then_some(Ok(batch))
}
