//! What the cells of one column look like, over the whole file.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::barcode;
use super::currency;
use super::fold;
use super::number::{DecimalVotes, Seen};
use super::outcome::UnitText;
use super::unit;

/// How many filled cells of a column are looked at closely.
const SAMPLE: u64 = 1_000;
/// A longer cell is neither a number nor a unit.
const MAX_SHORT_BYTES: usize = 40;

/// Counts over one column.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub(super) filled: u64,
    pub(super) numbers: u64,
    /// Numbers with a currency beside them.
    pub(super) money: u64,
    pub(super) votes: DecimalVotes,
    running: Running,
    sample: Sample,
}

#[derive(Debug, Default)]
struct Sample {
    cells: u64,
    characters: u64,
    units: u64,
    currencies: u64,
    barcodes: u64,
    with_letters: u64,
    with_blanks: u64,
    distinct: HashSet<u64>,
}

/// Whether the cells are 0, 1, 2, … or 1, 2, 3, …
#[derive(Debug, Default)]
struct Running {
    next: Option<u64>,
    steps: u64,
    breaks: u64,
}

impl Column {
    pub(super) fn see(&mut self, cell: &str, home: Option<&'static str>) {
        let cell = fold::trimmed(cell);
        if cell.is_empty() {
            return;
        }
        self.filled += 1;
        let is_short = cell.len() <= MAX_SHORT_BYTES;
        if is_short {
            match self.votes.see(cell, home) {
                Seen::Text => {}
                Seen::Number => self.numbers += 1,
                Seen::Money => {
                    self.numbers += 1;
                    self.money += 1;
                }
            }
        }
        self.running.see(cell);
        if self.sample.cells < SAMPLE {
            self.sample.see(cell, is_short, home);
        }
    }

    /// The votes over the whole column.
    pub(super) fn is_numeric(&self) -> bool {
        self.numbers * 2 >= self.filled
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.steps > 0 && self.running.breaks * 20 <= self.running.steps
    }

    /// Filled cells that are fractions for certain, as a share of a hundred.
    pub(super) fn fractions_percent(&self) -> u64 {
        percent(self.votes.fractions(), self.filled)
    }

    pub(super) fn units_percent(&self) -> u64 {
        percent(self.sample.units, self.sample.cells)
    }

    pub(super) fn currencies_percent(&self) -> u64 {
        percent(self.sample.currencies, self.sample.cells)
    }

    pub(super) fn barcodes_percent(&self) -> u64 {
        percent(self.sample.barcodes, self.sample.cells)
    }

    pub(super) fn letters_percent(&self) -> u64 {
        percent(self.sample.with_letters, self.sample.cells)
    }

    pub(super) fn blanks_percent(&self) -> u64 {
        percent(self.sample.with_blanks, self.sample.cells)
    }

    pub(super) fn distinct_percent(&self) -> u64 {
        percent(self.sample.distinct.len() as u64, self.sample.cells)
    }

    /// Characters of a cell on average, over the sample.
    pub(super) fn mean_characters(&self) -> u64 {
        self.sample.characters / self.sample.cells.max(1)
    }
}

impl Sample {
    fn see(&mut self, cell: &str, is_short: bool, home: Option<&'static str>) {
        self.cells += 1;
        self.characters += cell.chars().count() as u64;
        self.with_letters += u64::from(cell.contains(char::is_alphabetic));
        self.with_blanks += u64::from(cell.contains(fold::is_blank));
        let mut hasher = DefaultHasher::new();
        cell.hash(&mut hasher);
        self.distinct.insert(hasher.finish());
        if is_short {
            let known = matches!(unit::read_simply(cell).unit, UnitText::Known(_));
            self.units += u64::from(known);
            self.currencies += u64::from(currency::of_text(cell, home).is_some());
            self.barcodes += u64::from(barcode::is_gtin(cell));
        }
    }
}

impl Running {
    fn see(&mut self, cell: &str) {
        if self.breaks > 100 && self.breaks > self.steps {
            return; // settled: no running number
        }
        let number = if cell.len() <= 9 {
            cell.parse::<u64>().ok()
        } else {
            None
        };
        let expected = self.next;
        self.next = number.map(|number| number + 1);
        match (expected, number) {
            (None, Some(0 | 1)) if self.breaks == 0 => self.steps += 1,
            (Some(expected), Some(number)) if expected == number => self.steps += 1,
            _ => self.breaks += 1,
        }
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    part * 100 / whole.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(cells: &[&str]) -> Column {
        let mut column = Column::default();
        for cell in cells {
            column.see(cell, None);
        }
        column
    }

    #[test]
    fn a_running_number_is_told_from_article_numbers() {
        assert!(column(&["0", "1", "2", "3"]).is_running());
        assert!(column(&["1", "2"]).is_running());
        assert!(column(&["1"]).is_running());
        assert!(!column(&["17", "18", "19"]).is_running());
        assert!(!column(&["1", "5", "9"]).is_running());
        assert!(!column(&["A1", "A2"]).is_running());
    }

    #[test]
    fn contents_are_counted() {
        let column = column(&["Stk", " ", "100 m", "x y"]);

        assert_eq!((column.filled, column.numbers), (3, 0));
        assert_eq!(column.units_percent(), 66);
        assert_eq!(column.blanks_percent(), 66);
        assert_eq!(column.distinct_percent(), 100);
    }
}
