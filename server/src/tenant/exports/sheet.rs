//! The file that is written: rows of cells as CSV or as a workbook, in memory that doesn't grow.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use rust_decimal::Decimal;
use rust_xlsxwriter::{Workbook, XlsxError};

use super::column::Cell;
use super::wire::FormatIn;
use crate::kernel::guarded;
use crate::storage::is_full;

/// What a worksheet can hold.
const MAX_ROWS: u32 = 1_048_576;
const MAX_CELL_CHARS: usize = 32_767;
/// The largest number whose digits a worksheet keeps, of fifteen digits.
const EXACT: Decimal = Decimal::from_parts(2_764_472_319, 232_830, 0, false, 0);

/// A file that is being written.
pub(super) enum Sheet {
    Csv(BufWriter<File>),
    Xlsx(Box<Workbook>, u32),
}

/// Why it can't be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum SheetError {
    #[error(
        "a worksheet holds {MAX_ROWS} rows and no more; take the items as CSV, or fewer of them"
    )]
    TooManyRows,
    #[error("the file could not be written")]
    Io(#[from] io::Error),
    #[error("the workbook could not be written")]
    Workbook(#[from] XlsxError),
}

impl SheetError {
    /// Whether the disk has no room left.
    pub(super) fn is_full(&self) -> bool {
        match self {
            // Its error doesn't lead on to what lies behind it.
            Self::Workbook(XlsxError::IoError(cause)) => is_full(cause),
            other => is_full(other),
        }
    }
}

impl Sheet {
    pub(super) fn begin(format: FormatIn) -> Result<Self, SheetError> {
        Ok(match format {
            FormatIn::Csv => {
                let mut file = BufWriter::new(tempfile::tempfile()?);
                // Spreadsheets take a file without this mark for one in their own code page.
                file.write_all("\u{feff}".as_bytes())?;
                Self::Csv(file)
            }
            FormatIn::Xlsx => {
                let mut workbook = Workbook::new();
                workbook.add_worksheet_with_constant_memory()?;
                Self::Xlsx(Box::new(workbook), 0)
            }
        })
    }

    /// Adds a row.
    pub(super) fn add(&mut self, cells: &[Cell]) -> Result<(), SheetError> {
        match self {
            Self::Csv(file) => file.write_all(line(cells).as_bytes())?,
            Self::Xlsx(_, row) if *row == MAX_ROWS => return Err(SheetError::TooManyRows),
            Self::Xlsx(workbook, row) => {
                let sheet = workbook.worksheet_from_index(0)?;
                for (column, cell) in (0_u16..).zip(cells) {
                    match cell {
                        Cell::Empty => {}
                        Cell::Number(number) if is_exact(*number) => {
                            sheet.write(*row, column, *number)?;
                        }
                        Cell::Number(number) => {
                            sheet.write_string(*row, column, number.to_string())?;
                        }
                        // A text is a text here, whatever it begins with.
                        Cell::Text(text) => {
                            let fitting: String = text.chars().take(MAX_CELL_CHARS).collect();
                            sheet.write_string(*row, column, fitting)?;
                        }
                    }
                }
                *row += 1;
            }
        }
        Ok(())
    }

    /// The whole file, at its start.
    pub(super) fn finish(self) -> Result<File, SheetError> {
        let mut file = match self {
            Self::Csv(file) => file.into_inner().map_err(|error| error.into_error())?,
            Self::Xlsx(mut workbook, _) => {
                let mut file = tempfile::tempfile()?;
                workbook.save_to_writer(&mut file)?;
                file
            }
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }
}

/// A worksheet keeps fifteen digits of a number; what has more is written as text.
fn is_exact(number: Decimal) -> bool {
    let digits = Decimal::from_i128_with_scale(number.normalize().mantissa(), 0);
    digits.abs() <= EXACT
}

fn line(cells: &[Cell]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        match cell {
            Cell::Empty => {}
            Cell::Number(number) => line.push_str(&number.to_string()),
            Cell::Text(text) => line.push_str(&quoted(&guarded(text))),
        }
    }
    line.push_str("\r\n");
    line
}

fn quoted(text: &str) -> String {
    let is_plain = !text.contains([',', '"', '\r', '\n']) && text.trim() == text;
    match is_plain {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Cell {
        Cell::Number(text.parse().unwrap())
    }

    #[test]
    fn no_text_is_a_formula_and_a_negative_number_stays_one() {
        let cells = [
            Cell::Text("=1+1".to_owned()),
            Cell::Text("-5 °C".to_owned()),
            number("-5.25"),
            Cell::Empty,
            Cell::Text("a, \"b\"".to_owned()),
            Cell::Text("@x\ny".to_owned()),
        ];

        let line = line(&cells);

        assert_eq!(line, "'=1+1,'-5 °C,-5.25,,\"a, \"\"b\"\"\",\"'@x\ny\"\r\n");
    }

    #[test]
    fn numbers_of_more_than_fifteen_digits_are_no_numbers_of_a_worksheet() {
        for (text, exact) in [
            ("999999999999.999", true),
            ("999999999999999", true),
            ("9999999999999999", false),
            ("123456789012.3456", false),
            ("0.000001", true),
        ] {
            assert_eq!(is_exact(text.parse().unwrap()), exact, "{text}");
        }
    }

    #[test]
    fn a_worksheet_ends_with_its_last_row() {
        let mut sheet = Sheet::Xlsx(Box::new(Workbook::new()), MAX_ROWS);

        assert!(matches!(sheet.add(&[]), Err(SheetError::TooManyRows)));
    }
}
