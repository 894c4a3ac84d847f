//! Sniffs delimiter, quoting and header from the beginning of a file.

use std::io::{Cursor, Read};

use super::decode::{DecodeError, Decoded};
use super::error::{FileError, LOOKED_FOR};
use super::fold;
use super::header;
use super::mapping::{Delimiter, Encoding, Mapping};
use super::records::{Dialect, Quoting, Record, Records};

/// How much decoded text is looked at.
const HEAD_BYTES: usize = 256 * 1024;
/// How many rows may precede the header, such as a letterhead.
const HEAD_ROWS: usize = 60;
/// Nobody means more columns than this.
pub(super) const MAX_COLUMNS: usize = 500;

/// How the file is laid out.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) dialect: Dialect,
    /// Physical line of the header.
    pub(super) header_line: u64,
    /// Column names on one line each; nameless ones are empty.
    pub(super) headers: Vec<String>,
}

/// Finds delimiter and header together: the right delimiter is the one that yields a header.
///
/// Among equals the one with more fields in more rows wins.
///
/// # Errors
///
/// [`FileError::NoHeader`], [`FileError::TooManyColumns`], and those of reading.
pub(super) fn sniff<R: Read>(
    file: R,
    encoding: Encoding,
    mapping: &Mapping,
) -> Result<Layout, FileError> {
    let head = head_of(file, encoding)?;
    let given = mapping.delimiter.as_ref().map(std::slice::from_ref);
    let mut best: Option<(usize, usize, Layout)> = None;
    let mut too_wide = None;
    for delimiter in given.unwrap_or(&Delimiter::ALL) {
        let dialect = Dialect {
            delimiter: *delimiter,
            quoting: quoting(&head, char::from(delimiter.byte())),
        };
        let (rows, end) = rows_of(&head, dialect);
        if let Some(error @ FileError::TooManyColumns { .. }) = end {
            too_wide.get_or_insert(error);
        }
        let Some((likeness, at)) = header_among(&rows, mapping) else {
            continue;
        };
        let width = rows[at].1.len();
        let alike = rows[at..]
            .iter()
            .filter(|(_, cells)| cells.len() == width)
            .count();
        let fit = if width > 1 {
            width.min(MAX_COLUMNS) * alike
        } else {
            0
        };
        if best
            .as_ref()
            .is_none_or(|(most, before, _)| (*most, *before) < (likeness, fit))
        {
            let headers = rows[at].1.iter().map(|cell| fold::one_line(cell)).collect();
            best = Some((
                likeness,
                fit,
                Layout {
                    dialect,
                    header_line: rows[at].0,
                    headers,
                },
            ));
        }
    }
    let Some((_, _, mut layout)) = best else {
        if let Some(error) = too_wide {
            return Err(error);
        }
        let line = mapping
            .header_line
            .unwrap_or_else(|| first_filled_line(&head));
        return Err(FileError::NoHeader {
            line,
            looked_for: LOOKED_FOR,
        });
    };
    // Trailing delimiters make nameless columns; spreadsheets leave hundreds of them.
    while layout.headers.last().is_some_and(String::is_empty) && layout.headers.len() > MAX_COLUMNS
    {
        layout.headers.pop();
    }
    if layout.headers.len() > MAX_COLUMNS {
        return Err(FileError::TooManyColumns {
            line: layout.header_line,
            limit: MAX_COLUMNS,
        });
    }
    Ok(layout)
}

/// The decoded beginning of the file.
fn head_of<R: Read>(file: R, encoding: Encoding) -> Result<Vec<u8>, FileError> {
    let mut decoded = Decoded::new(file, encoding);
    let mut head = Vec::new();
    while head.len() < HEAD_BYTES {
        let piece = match decoded.piece() {
            Ok(piece) => piece,
            Err(DecodeError::Io(error)) => return Err(error.into()),
            Err(DecodeError::Malformed) => break, // the pass over the whole file names the line
        };
        if piece.is_empty() {
            break;
        }
        head.extend_from_slice(piece);
        let count = piece.len();
        decoded.consume(count);
    }
    Ok(head)
}

type Row = (u64, Vec<String>);

fn rows_of(head: &[u8], dialect: Dialect) -> (Vec<Row>, Option<FileError>) {
    let mut records = Records::new(Cursor::new(head), Encoding::Utf8, dialect);
    let mut record = Record::default();
    let mut rows: Vec<Row> = Vec::new();
    while rows.len() < HEAD_ROWS {
        match records.read(&mut record) {
            Ok(true) => rows.push((record.line, record.cells().map(str::to_owned).collect())),
            Ok(false) => break,
            // The cut at the end of the head, or it will show again in the whole file.
            Err(error) => return (rows, Some(error)),
        }
    }
    (rows, None)
}

/// The row that the mapping says is the header, or the first of those most like one.
fn header_among(rows: &[Row], mapping: &Mapping) -> Option<(usize, usize)> {
    if let Some(line) = mapping.header_line {
        let at = rows.iter().position(|(start, _)| *start == line)?;
        let cells = rows[at].1.iter().map(String::as_str);
        let filled = rows[at]
            .1
            .iter()
            .any(|cell| !fold::trimmed(cell).is_empty());
        return filled.then(|| (header::likeness(cells, mapping).unwrap_or(0), at));
    }
    let mut best: Option<(usize, usize)> = None;
    for (at, (_, cells)) in rows.iter().enumerate() {
        if let Some(likeness) = header::likeness(cells.iter().map(String::as_str), mapping)
            && best.is_none_or(|(most, _)| likeness > most)
        {
            best = Some((likeness, at));
        }
    }
    best
}

/// Whether quotation marks enclose cells.
///
/// They do not when several cells begin with one and not a single one ends with one: then they
/// are inches, and a reader that took them for quotes would swallow rows.
fn quoting(head: &[u8], delimiter: char) -> Quoting {
    let text = String::from_utf8_lossy(head);
    let (mut opened, mut closed) = (0, 0);
    for cell in text.split([delimiter, '\n', '\r']) {
        let cell = cell.trim_matches(' ');
        opened += usize::from(cell.starts_with('"'));
        closed += usize::from(cell.ends_with('"') && cell != "\"");
    }
    if opened >= 2 && closed == 0 {
        Quoting::None
    } else {
        Quoting::Double
    }
}

fn first_filled_line(head: &[u8]) -> u64 {
    let lines = head.split(|byte| *byte == b'\n');
    let blank = lines
        .take_while(|line| line.trim_ascii().is_empty())
        .count();
    blank as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniffed(text: &str, mapping: &str) -> Result<Layout, FileError> {
        sniff(
            text.as_bytes(),
            Encoding::Utf8,
            &serde_json::from_str(mapping).unwrap(),
        )
    }

    #[test]
    fn each_delimiter_is_found() {
        for (delimiter, sign) in Delimiter::ALL.into_iter().zip([",", ";", "\t", "|"]) {
            let text = "SKU;Name;Unit;Price\n1;a,b|c;Stk;1,5\n".replace(';', sign);

            let layout = sniffed(&text, "{}").unwrap();

            assert_eq!(layout.dialect.delimiter, delimiter);
            assert_eq!(layout.headers, ["SKU", "Name", "Unit", "Price"]);
        }
    }

    #[test]
    fn decimal_commas_do_not_make_a_comma_the_delimiter() {
        let layout = sniffed("Art;Name;Preis\n1;a, b, c;1,50\n2;d, e, f;2,50\n", "{}").unwrap();

        assert_eq!(layout.dialect.delimiter, Delimiter::Semicolon);
    }

    #[test]
    fn a_letterhead_is_passed_over() {
        let text = "Muster & Co;;;\n\"Preisliste, gültig\nab Mai\";;;\n\nArtikelnummer;Bezeichnung;\
                    Einheit;Preis\n1;a;m;2\n";

        let layout = sniffed(text, "{}").unwrap();

        assert_eq!(layout.header_line, 5);
        assert_eq!(layout.headers[1], "Bezeichnung");
    }

    #[test]
    fn the_mapping_says_delimiter_and_header() {
        let layout = sniffed("a,b;c\nx,y;z\n", r#"{"delimiter":",","header_line":2}"#).unwrap();

        assert_eq!(layout.headers, ["x", "y;z"]);
    }

    #[test]
    fn a_file_without_a_header_names_the_line_and_what_is_looked_for() {
        let error = sniffed("\n\n1;a;m;2\n", "{}").unwrap_err();

        assert!(matches!(error, FileError::NoHeader { line: 3, .. }));
        assert!(error.to_string().contains("article number"));
        let error = sniffed("a;b\n", r#"{"header_line":9}"#).unwrap_err();
        assert!(matches!(error, FileError::NoHeader { line: 9, .. }));
    }

    #[test]
    fn inches_at_the_start_of_cells_are_no_quotes() {
        let layout = sniffed("SKU\tName\tPrice\n1\t\"3 pipe\t2\n2\t\"4 pipe\t2\n", "{}").unwrap();

        assert_eq!(layout.dialect.quoting, Quoting::None);
    }

    #[test]
    fn too_many_columns_are_refused() {
        let header = format!("SKU;Name;Price;{}\n", "x;".repeat(MAX_COLUMNS));

        let error = sniffed(&header, "{}").unwrap_err();

        assert!(
            matches!(error, FileError::TooManyColumns { line: 1, .. }),
            "{error}"
        );
        let blank = format!("SKU;Name;Price{}\n", ";".repeat(2 * MAX_COLUMNS));
        assert_eq!(sniffed(&blank, "{}").unwrap().headers.len(), MAX_COLUMNS);
    }
}
