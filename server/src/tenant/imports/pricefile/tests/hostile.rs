//! Files that are wrong in every way: refused with a hint, or read but for what is wrong, in memory
//! that doesn't grow.

use std::io::{Read, Seek, SeekFrom};

use super::*;

/// A file that is never held: a beginning, then a row for each number.
struct Endless {
    rows: u64,
    row: fn(u64) -> String,
    at: u64,
    left: Cursor<Vec<u8>>,
}

const HEADER: &str = "SKU;Name;Unit;Price\n";

impl Endless {
    fn of(rows: u64, row: fn(u64) -> String) -> Self {
        Self {
            rows,
            row,
            at: 0,
            left: Cursor::new(HEADER.as_bytes().to_vec()),
        }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.left.read(buffer)?;
        if read > 0 || self.at == self.rows {
            return Ok(read);
        }
        self.left = Cursor::new((self.row)(self.at).into_bytes());
        self.at += 1;
        self.left.read(buffer)
    }
}

impl Seek for Endless {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        *self = Self::of(self.rows, self.row);
        Ok(0)
    }
}

/// Memory that this process holds, bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = status.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
fn eighty_megabytes_of_rows_are_read_in_the_memory_of_a_few() {
    const ROWS: u64 = 20_000;
    let row = |at| format!("S{at};Item {at}{};kg;{at},50\n", " of a name".repeat(400));
    let mut file = Endless::of(ROWS, row);
    let before = resident();

    let survey = survey(&mut file, &options()).unwrap();
    let seen = survey.rows(&mut file).unwrap().map(Result::unwrap).count();

    assert_eq!(seen as u64, ROWS);
    let grown = resident().saturating_sub(before);
    assert!(grown < 40 * 1024 * 1024, "{grown}");
}

#[test]
fn a_line_of_a_hundred_megabytes_is_refused_at_its_first() {
    let mut file = Endless::of(100 * 1024, |_| "x".repeat(1024));

    let error = survey(&mut file, &options()).unwrap_err();

    assert!(
        matches!(error, FileError::RowTooLong { line: 2, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("quotation mark"), "{error}");
}

#[test]
fn forty_thousand_columns_are_refused_where_they_are() {
    let header = format!("SKU;Name;Unit;Price{}\n", ";more".repeat(40_000));
    let error = refusal(&format!("{header}1;a;m;2\n"));
    assert!(
        matches!(error, FileError::TooManyColumns { line: 1, .. }),
        "{error}"
    );

    let row = format!("{HEADER}1;a;m;2{}\n2;b;m;3\n", ";x".repeat(40_000));
    let error = refusal(&row);
    assert!(
        matches!(error, FileError::TooManyColumns { line: 2, .. }),
        "{error}"
    );
}

#[test]
fn rows_with_three_columns_too_many_are_rejected_one_by_one() {
    let outcomes = outcomes(&format!("{HEADER}1;a;m;2\n2;b;m;3;x;y;z\n3;c;m;4\n"));

    let Outcome::Rejected(rejection) = &outcomes[1] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(rejection.line, 3);
    assert!(!rejection.hint.is_empty());
    assert!(matches!(outcomes[0], Outcome::Row(_)));
    assert!(matches!(outcomes[2], Outcome::Row(_)));
}

#[test]
fn a_nul_byte_is_refused_with_its_line() {
    let error = refusal(&format!("{HEADER}1;a;m;2\n2;b\0;m;3\n"));

    assert_eq!((error.code(), error.line()), ("not_text", Some(3)));
}

#[test]
fn a_file_that_is_cut_off_is_refused_wherever_that_is() {
    let whole = format!("{HEADER}1;\"Tür; groß\";m;2,50\n2;\"Öl\";m;13,50\n");
    let at = |text: &str| whole.find(text).unwrap();

    // Within quotation marks, within a character, within a row.
    let in_quotes = surveyed(&whole.as_bytes()[..at("Öl")], &options()).unwrap_err();
    let in_character = surveyed(&whole.as_bytes()[..=at("Öl")], &options()).unwrap_err();
    let in_row = surveyed(&whole.as_bytes()[..at(";m;13")], &options()).unwrap_err();

    for error in [in_quotes, in_character, in_row] {
        assert!(
            ["truncated", "broken_character"].contains(&error.code()),
            "{error}"
        );
        assert_eq!(error.line(), Some(3), "{error}");
    }
}
