//! A worksheet's cells on their way into text.

use std::fs::File;
use std::io::{BufRead, BufWriter, Seek, SeekFrom, Write};

use super::amount;
use super::book::{Book, Sheet};
use super::package::Package;
use super::strings::{MAX_TEXT_BYTES, Strings, text_within, unescaped};
use super::styles::{self, Shown};
use super::unreadable;
use super::xml::{Tag, Token, Xml};
use crate::kernel::guarded;
use crate::tenant::imports::pricefile::error::FileError;

/// Most bytes of a worksheet's XML, and of the text that is made of it.
const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Rows and columns that a worksheet can have.
const MAX_ROWS: u64 = 1_048_576;
const MAX_COLUMNS: usize = 16_384;
/// Cells that a row is filled up to; no list has a header beyond.
const MAX_PADDED: usize = 500;

/// The cells of a worksheet with tabulators between them, one row a line, in a file without a name.
pub(super) fn text_of(
    package: &mut Package,
    book: &Book,
    sheet: &Sheet,
) -> Result<File, FileError> {
    let mut cells = Cells {
        strings: Strings::read(package, &book.strings())?,
        styles: styles::read(package, &book.styles())?,
        is_1904: book.is_1904,
    };
    let mut xml = package.part(&sheet.part, MAX_BYTES)?;
    let mut text = Text::new()?;
    let mut is_data = false;
    loop {
        match xml.next()? {
            Token::Open(tag) if tag.is("sheetData") => is_data = true,
            Token::Close(name) if name == b"sheetData" => return text.finish(),
            Token::Open(tag) if is_data && tag.is("row") => text.begin_row(tag.number("r"))?,
            Token::Open(tag) if is_data && tag.is("c") => {
                let head = Head::of(&tag);
                let value = cells.value(&mut xml, &head)?;
                text.add(head.column, &value)?;
            }
            Token::End => return Err(unreadable("it is cut off; send it again")),
            Token::Open(_) | Token::Close(_) | Token::Text(_) | Token::Other => {}
        }
    }
}

/// What a cell's tag says.
struct Head {
    /// Its column, from 0, if it says so.
    column: Option<usize>,
    kind: String,
    style: usize,
}

impl Head {
    fn of(tag: &Tag<'_>) -> Self {
        Self {
            column: tag.attribute("r").and_then(|place| column_of(&place)),
            kind: tag.attribute("t").unwrap_or_default(),
            style: tag.number("s").unwrap_or(0),
        }
    }
}

/// The column of a place such as `AB12`, from 0.
fn column_of(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters.take(4).fold(0, |number, letter| {
        number * 26 + usize::from(letter - b'A') + 1
    });
    number.checked_sub(1)
}

/// What is needed to read cells.
struct Cells {
    strings: Strings,
    styles: Vec<Shown>,
    is_1904: bool,
}

impl Cells {
    /// What a cell shows; reads to its end.
    fn value<R: BufRead>(&mut self, xml: &mut Xml<R>, head: &Head) -> Result<String, FileError> {
        let (mut raw, mut is_value) = (String::new(), false);
        loop {
            match xml.next()? {
                Token::Open(tag) if tag.is("is") => raw = text_within(xml, b"is")?,
                Token::Open(tag) => is_value = tag.is("v"),
                Token::Close(name) if name == b"c" => break,
                Token::Close(_) => is_value = false,
                Token::Text(more) if is_value => raw.push_str(&more),
                Token::End => return Err(unreadable("it is cut off; send it again")),
                Token::Text(_) | Token::Other => {}
            }
            if raw.len() > MAX_TEXT_BYTES {
                return Err(unreadable("a cell in it is longer than any cell may be"));
            }
        }
        Ok(match head.kind.as_str() {
            "s" => {
                let text = raw.trim().parse().ok();
                let found = text.map(|index| self.strings.get(index)).transpose()?;
                let missing = || unreadable("a text in it is missing; save it again as .xlsx");
                found.flatten().ok_or_else(missing)?
            }
            "str" => unescaped(&raw),
            "inlineStr" | "e" | "d" => raw,
            "b" => match raw.trim() {
                "1" => "TRUE".to_owned(),
                _ => "FALSE".to_owned(),
            },
            _ if raw.trim().is_empty() => String::new(),
            _ => match self.styles.get(head.style).copied() {
                Some(Shown::Date) => amount::date(&raw, self.is_1904).unwrap_or(raw),
                Some(Shown::Zeros(digits)) => amount::with_zeros(&raw, digits),
                Some(Shown::Number) | None => amount::shown(&raw),
            },
        })
    }
}

/// The text that comes out.
struct Text {
    file: BufWriter<File>,
    bytes: u64,
    /// The row that is being written, from 1.
    row: u64,
    /// Cells that are written of it.
    column: usize,
    /// Where a cell is that doesn't say so.
    next: usize,
    /// How many cells the widest row has.
    widest: usize,
}

impl Text {
    fn new() -> Result<Self, FileError> {
        Ok(Self {
            file: BufWriter::with_capacity(256 * 1024, tempfile::tempfile()?),
            bytes: 0,
            row: 0,
            column: 0,
            next: 0,
            widest: 0,
        })
    }

    /// Goes on to a row; rows that are left out become blank lines.
    fn begin_row(&mut self, number: Option<u64>) -> Result<(), FileError> {
        let number = number.unwrap_or(self.row + 1);
        if number <= self.row || number > MAX_ROWS {
            return Err(unreadable(
                "its rows are in disorder; save it again as .xlsx",
            ));
        }
        self.pad()?;
        for _ in self.row.max(1)..number {
            self.write(b"\n")?;
        }
        (self.row, self.column, self.next) = (number, 0, 0);
        Ok(())
    }

    /// Ends a row as far right as rows before it went: what has no cell there has an empty one.
    fn pad(&mut self) -> Result<(), FileError> {
        if self.column > 0 {
            for _ in self.column..self.widest {
                self.write(b"\t")?;
            }
            self.widest = self.widest.max(self.column.min(MAX_PADDED));
        }
        Ok(())
    }

    /// Adds a cell to the row; columns that are left out become empty cells.
    fn add(&mut self, column: Option<usize>, value: &str) -> Result<(), FileError> {
        let column = column.unwrap_or(self.next);
        self.next = column + 1;
        // Cells that only have a colour go on for ever.
        if value.is_empty() {
            return Ok(());
        }
        if column >= MAX_COLUMNS {
            return Err(FileError::TooManyColumns {
                line: self.row,
                limit: MAX_COLUMNS,
            });
        }
        if self.row == 0 || (column < self.column && self.column > 0) {
            return Err(unreadable(
                "its cells are in disorder; save it again as .xlsx",
            ));
        }
        // The first cell of a row has nothing before it.
        for _ in self.column.max(1)..=column {
            self.write(b"\t")?;
        }
        self.column = column + 1;
        let mut value = value.replace(['\r', '\n', '\u{b}', '\u{c}'], " ");
        // No spreadsheet runs what a cell of a workbook says, so what begins with an apostrophe is meant.
        if value.starts_with('\'') {
            value = guarded(&value).into_owned();
        }
        if value.contains('\t') || value.trim_start().starts_with('"') {
            return self.write(format!("\"{}\"", value.replace('"', "\"\"")).as_bytes());
        }
        self.write(value.as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_BYTES {
            return Err(unreadable(
                "it holds more than a price list; save only the list itself",
            ));
        }
        Ok(self.file.write_all(bytes)?)
    }

    fn finish(mut self) -> Result<File, FileError> {
        self.pad()?;
        if self.row > 0 {
            self.write(b"\n")?;
        }
        let mut file = self.file.into_inner().map_err(|error| error.into_error())?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }
}
