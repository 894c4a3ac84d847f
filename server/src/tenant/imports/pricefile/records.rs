//! Splits decoded text into rows of cells, keeping physical line numbers.
//!
//! Our own splitter instead of the csv crate's, because we must tell an unclosed quotation mark
//! from a closed one, bound the length of a row, count lines that end in CR, and know whether
//! the last row was finished; that reader hides all four.

use std::io::Read;

use super::decode::{DecodeError, Decoded};
use super::error::FileError;
use super::mapping::{Delimiter, Encoding};
use crate::kernel::unguarded;

/// The longest row, in bytes of UTF-8: an unclosed quotation mark must not swallow memory.
const MAX_ROW_BYTES: usize = 1024 * 1024;
/// The most cells of a row: ends are kept for each, and spreadsheets stop there as well.
const MAX_CELLS: usize = 16 * 1024;

/// How cells are separated, and whether a quotation mark at a cell's start means anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: Delimiter,
    pub(super) quoting: Quoting,
}

/// Whether cells are put in quotation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    Double,
    None,
}

/// One row: its cells as the file has them, unquoted.
#[derive(Debug, Default, Clone)]
pub(super) struct Record {
    /// The physical line where it starts.
    pub(super) line: u64,
    /// Whether a line end followed; only the file's last row can lack it.
    pub(super) is_closed: bool,
    text: String,
    ends: Vec<usize>,
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A cell, without the apostrophe that keeps spreadsheets from running it.
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.text.get(start..end).map(unguarded)
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

/// The rows of a file, one after the other into the same [`Record`].
pub(super) struct Records<R> {
    decoded: Decoded<R>,
    splitter: Splitter,
}

impl<R: Read> Records<R> {
    pub(super) fn new(file: R, encoding: Encoding, dialect: Dialect) -> Self {
        Self {
            decoded: Decoded::new(file, encoding),
            splitter: Splitter::new(dialect),
        }
    }

    /// Reads the next row; `false` at the end of the file.
    ///
    /// # Errors
    ///
    /// [`FileError::Truncated`] for a quotation mark that is open at the end,
    /// [`FileError::RowTooLong`], [`FileError::NotText`], [`FileError::Io`].
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, FileError> {
        let mut bytes = std::mem::take(&mut record.text).into_bytes();
        bytes.clear();
        record.ends.clear();
        record.is_closed = false;
        let mut started = false;
        let splitter = &mut self.splitter;
        let not_text = |line, reason: &str| FileError::NotText {
            line,
            reason: reason.to_owned(),
        };
        loop {
            let piece = self.decoded.piece().map_err(|error| match error {
                DecodeError::Io(error) => FileError::Io(error),
                DecodeError::Malformed => not_text(
                    splitter.line,
                    "a character is broken; save the list as UTF-8",
                ),
            })?;
            let piece = splitter.past_line_end(piece);
            if !started {
                record.line = splitter.line;
                started = true;
            }
            let (skipped, piece) = piece;
            if piece.is_empty() {
                if skipped > 0 {
                    self.decoded.consume(skipped);
                    continue;
                }
                if bytes.is_empty() && record.ends.is_empty() && splitter.is_fresh() {
                    return Ok(false);
                }
                if splitter.state == State::Quoted {
                    let reason = "a quotation mark is not closed";
                    return Err(FileError::Truncated {
                        line: record.line,
                        reason,
                    });
                }
                splitter.end_cell(&mut bytes, &mut record.ends);
                splitter.cell_start = 0;
                break;
            }
            let (used, done) = splitter.feed(piece, &mut bytes, &mut record.ends);
            self.decoded.consume(skipped + used);
            if record.ends.len() > MAX_CELLS {
                return Err(FileError::TooManyColumns {
                    line: record.line,
                    limit: MAX_CELLS,
                });
            }
            if bytes.len() > MAX_ROW_BYTES {
                return Err(FileError::RowTooLong {
                    line: record.line,
                    limit: MAX_ROW_BYTES,
                });
            }
            if done {
                record.is_closed = true;
                break;
            }
        }
        record.text = String::from_utf8(bytes).map_err(|_| {
            not_text(
                record.line,
                "a character is not UTF-8; save the list as UTF-8",
            )
        })?;
        Ok(true)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the start of a cell, perhaps after blanks.
    Start,
    Plain,
    Quoted,
    /// After a quotation mark inside a quoted cell: its end, half of a pair, or a stray one.
    Closing,
    /// After a stray mark in a quoted cell, to the cell's end: `"3" pipe"`.
    Stray,
}

struct Splitter {
    delimiter: u8,
    quoting: Quoting,
    state: State,
    /// The line of the next byte.
    line: u64,
    /// The last byte was CR, so that a following LF belongs to it.
    after_return: bool,
    cell_start: usize,
}

impl Splitter {
    fn new(dialect: Dialect) -> Self {
        Self {
            delimiter: dialect.delimiter.byte(),
            quoting: dialect.quoting,
            state: State::Start,
            line: 1,
            after_return: false,
            cell_start: 0,
        }
    }

    fn is_fresh(&self) -> bool {
        self.state == State::Start && self.cell_start == 0
    }

    /// Skips the LF of a CRLF whose CR was seen before.
    fn past_line_end<'a>(&mut self, piece: &'a [u8]) -> (usize, &'a [u8]) {
        if !self.after_return || piece.is_empty() {
            return (0, piece);
        }
        self.after_return = false;
        match piece.split_first() {
            Some((b'\n', rest)) => (1, rest),
            _ => (0, piece),
        }
    }

    /// Takes bytes up to the end of the row or of the piece; says how many, and which it was.
    fn feed(&mut self, piece: &[u8], text: &mut Vec<u8>, ends: &mut Vec<usize>) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            match self.state {
                State::Quoted => {
                    let rest = &piece[at..];
                    let special = |byte: &u8| matches!(byte, b'"' | b'\n' | b'\r');
                    let plain = rest.iter().position(special).unwrap_or(rest.len());
                    text.extend_from_slice(&rest[..plain]);
                    self.after_return &= plain == 0;
                    at += plain;
                    if let Some(&byte) = piece.get(at) {
                        self.see_in_quotes(byte, text);
                        at += 1;
                    }
                    if text.len() > MAX_ROW_BYTES {
                        return (at, false);
                    }
                    continue;
                }
                State::Closing if byte == b'"' => {
                    text.push(b'"');
                    self.state = State::Quoted;
                    at += 1;
                    continue;
                }
                State::Start if byte == b'"' && self.quoting == Quoting::Double => {
                    text.truncate(self.cell_start);
                    self.state = State::Quoted;
                    at += 1;
                    continue;
                }
                State::Start | State::Plain | State::Closing | State::Stray => {}
            }
            if byte == self.delimiter {
                self.end_cell(text, ends);
                at += 1;
            } else if byte == b'\n' || byte == b'\r' {
                self.end_cell(text, ends);
                self.cell_start = 0;
                self.line += 1;
                self.after_return = byte == b'\r';
                return (at + 1, true);
            } else {
                at += self.see_plain(&piece[at..], text);
            }
        }
        (at, false)
    }

    fn see_in_quotes(&mut self, byte: u8, text: &mut Vec<u8>) {
        match byte {
            b'"' => self.state = State::Closing,
            b'\n' if self.after_return => {}
            _ => {
                text.push(b'\n');
                self.line += 1;
            }
        }
        self.after_return = byte == b'\r';
    }

    /// Takes bytes that are part of the cell and end nothing; at least one.
    fn see_plain(&mut self, rest: &[u8], text: &mut Vec<u8>) -> usize {
        let byte = rest[0];
        match self.state {
            State::Start if byte == b' ' => {
                text.push(byte);
                return 1;
            }
            State::Closing if self.only_blanks_follow(rest) => return 1, // as in `"a" ;`
            State::Closing => {
                text.push(b'"');
                self.state = State::Stray;
            }
            State::Start => self.state = State::Plain,
            State::Plain | State::Stray | State::Quoted => {}
        }
        let delimiter = self.delimiter;
        let ends = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
        let count = rest.iter().position(ends).unwrap_or(rest.len());
        text.extend_from_slice(&rest[..count]);
        count
    }

    /// Whether blanks, at least one, are all that stands before the cell's end.
    fn only_blanks_follow(&self, rest: &[u8]) -> bool {
        let next = rest.iter().find(|byte| **byte != b' ');
        let ends = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\n' | b'\r');
        rest.first() == Some(&b' ') && next.is_none_or(ends)
    }

    fn end_cell(&mut self, text: &mut Vec<u8>, ends: &mut Vec<usize>) {
        if self.state == State::Stray && text.len() > self.cell_start && text.ends_with(b"\"") {
            text.pop(); // the mark that was meant to close the cell
        }
        ends.push(text.len());
        self.cell_start = text.len();
        self.state = State::Start;
    }
}

#[cfg(test)]
#[path = "tests/records.rs"]
mod tests;
