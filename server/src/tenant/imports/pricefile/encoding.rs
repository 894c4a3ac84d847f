//! Finds out how a file is encoded, or that it is no text, in one pass over its bytes.

use std::io::Read;

use super::codepage::HighBytes;
use super::error::FileError;
use super::mapping::Encoding;

const PIECE: usize = 64 * 1024;

/// Bytes from which a kind of file is known that people upload by mistake.
const MAGIC: [(&[u8], &str); 11] = [
    (
        b"PK\x03\x04",
        "it looks like a ZIP archive; unpack it first, or save it as CSV",
    ),
    (
        b"\xd0\xcf\x11\xe0",
        "it looks like an old Excel workbook; save it as .xlsx or as CSV",
    ),
    (
        b"%PDF",
        "it looks like a PDF; ask the supplier for the list as CSV",
    ),
    (b"\x1f\x8b", "it looks like a gzip archive; unpack it first"),
    (
        b"7z\xbc\xaf",
        "it looks like a 7-Zip archive; unpack it first",
    ),
    (b"Rar!", "it looks like a RAR archive; unpack it first"),
    (
        b"\x89PNG",
        "it looks like a picture; ask the supplier for the list as CSV",
    ),
    (
        b"\xff\xd8\xff",
        "it looks like a picture; ask the supplier for the list as CSV",
    ),
    (
        b"{\\rtf",
        "it looks like a word processor's document; save the table as CSV",
    ),
    (
        b"<!DOCTYPE",
        "it looks like a web page; save the table as CSV",
    ),
    (
        b"<?xml",
        "it looks like XML, such as an old Excel export; save it as CSV",
    ),
];

/// Tells the encoding of a whole file.
///
/// A file that is UTF-8 but for a few broken places is refused: guessing would spoil its texts.
/// One with more broken than whole sequences was never UTF-8 and is in a legacy code page.
///
/// # Errors
///
/// [`FileError::Empty`], [`FileError::NotText`], [`FileError::BrokenCharacter`], or
/// [`FileError::Io`].
pub(super) fn detect<R: Read>(mut file: R) -> Result<Encoding, FileError> {
    let mut scan = Scan::new();
    let mut piece = vec![0; PIECE];
    let mut filled = fill(&mut file, &mut piece)?;
    let head = &piece[..filled];
    if let Some(encoding) = wide(head) {
        return Ok(encoding);
    }
    refuse_known_formats(head)?;
    while filled > 0 {
        scan.see(&piece[..filled])?;
        filled = fill(&mut file, &mut piece)?;
    }
    scan.verdict()
}

/// Reads until the piece is full or the file ends.
fn fill<R: Read>(file: &mut R, piece: &mut [u8]) -> Result<usize, FileError> {
    let mut filled = 0;
    while filled < piece.len() {
        match file.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

/// UTF-16 by its byte order mark, or by every second byte being NUL.
fn wide(head: &[u8]) -> Option<Encoding> {
    if head.starts_with(b"\xff\xfe") {
        return Some(Encoding::Utf16Le);
    }
    if head.starts_with(b"\xfe\xff") {
        return Some(Encoding::Utf16Be);
    }
    let head = &head[..head.len().min(4096)];
    let pairs = head.len() / 2;
    let nuls_at = |offset: usize| {
        head.iter()
            .skip(offset)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd) = (nuls_at(0), nuls_at(1));
    // Latin text leaves nearly every high byte zero, and never a low one.
    if pairs >= 4 && odd * 10 >= pairs * 7 && even * 20 <= pairs {
        return Some(Encoding::Utf16Le);
    }
    if pairs >= 4 && even * 10 >= pairs * 7 && odd * 20 <= pairs {
        return Some(Encoding::Utf16Be);
    }
    None
}

fn refuse_known_formats(head: &[u8]) -> Result<(), FileError> {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    let starts = |magic: &[u8]| {
        text.get(..magic.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(magic))
    };
    let web = [b"<html".as_slice(), b"<table"].into_iter().any(starts);
    let known = MAGIC
        .iter()
        .find(|(magic, _)| starts(magic))
        .map(|(_, reason)| *reason);
    match known.or(web.then_some("it looks like a web page; save the table as CSV")) {
        Some(reason) => Err(FileError::NotText {
            line: 1,
            reason: reason.to_owned(),
        }),
        None => Ok(()),
    }
}

/// What the bytes seen so far say.
struct Scan {
    line: u64,
    after_return: bool,
    /// An incomplete sequence at the end of the last piece, at most three bytes.
    rest: Vec<u8>,
    whole_sequences: u64,
    broken_sequences: u64,
    first_broken_line: Option<u64>,
    marked: bool,
    anything: bool,
    visible: bool,
    bytes: u64,
    control: u64,
    high: HighBytes,
}

impl Scan {
    fn new() -> Self {
        Self {
            line: 1,
            after_return: false,
            rest: Vec::new(),
            whole_sequences: 0,
            broken_sequences: 0,
            first_broken_line: None,
            marked: false,
            anything: false,
            visible: false,
            bytes: 0,
            control: 0,
            high: HighBytes::new(),
        }
    }

    fn see(&mut self, piece: &[u8]) -> Result<(), FileError> {
        if !self.anything {
            self.marked = piece.starts_with(b"\xef\xbb\xbf");
            self.anything = true;
        }
        if let Some(at) = piece.iter().position(|byte| *byte == 0) {
            let line = self.line + self.lines_in(&piece[..at]);
            let reason = "it holds a NUL byte; save the list as CSV in UTF-8".to_owned();
            return Err(FileError::NotText { line, reason });
        }
        let is_control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r');
        self.bytes += piece.len() as u64;
        self.control += piece.iter().filter(is_control).count() as u64;
        self.visible = self.visible || piece.iter().any(|byte| *byte > b' ' && *byte != 0x7f);
        if !piece.is_ascii() || !self.rest.is_empty() {
            self.high.see(piece);
            self.see_sequences(piece);
        }
        self.line += self.lines_in(piece);
        self.after_return = piece.last() == Some(&b'\r');
        Ok(())
    }

    /// Line ends in a piece: CR, LF, or both together as one.
    fn lines_in(&self, piece: &[u8]) -> u64 {
        let feeds = piece.iter().filter(|byte| **byte == b'\n').count();
        let returns = piece.iter().filter(|byte| **byte == b'\r').count();
        let both = piece.windows(2).filter(|pair| *pair == b"\r\n").count();
        let split = usize::from(self.after_return && piece.first() == Some(&b'\n'));
        (feeds + returns - both - split) as u64
    }

    fn see_sequences(&mut self, piece: &[u8]) {
        let carried = self.rest.len();
        let mut joined;
        let mut bytes = piece;
        if carried > 0 {
            joined = std::mem::take(&mut self.rest);
            joined.extend_from_slice(piece);
            bytes = &joined;
        }
        let whole = bytes;
        loop {
            match std::str::from_utf8(bytes) {
                Ok(text) => {
                    self.whole_sequences += leads(text.as_bytes());
                    return;
                }
                Err(error) => {
                    let (valid, after) = bytes.split_at(error.valid_up_to());
                    self.whole_sequences += leads(valid);
                    let Some(length) = error.error_len() else {
                        self.rest = after.to_vec();
                        return;
                    };
                    self.broken_sequences += 1;
                    if self.first_broken_line.is_none() {
                        let at = (whole.len() - after.len()).saturating_sub(carried);
                        self.first_broken_line = Some(self.line + self.lines_in(&piece[..at]));
                    }
                    bytes = &after[length..];
                }
            }
        }
    }

    fn verdict(self) -> Result<Encoding, FileError> {
        if !self.visible {
            return Err(FileError::Empty);
        }
        // A text has a stray control character now and then; a program or a picture is full.
        if self.control > 8 && self.control * 100 > self.bytes {
            let reason = "it is full of control characters; save the list as CSV in UTF-8";
            return Err(FileError::NotText {
                line: 1,
                reason: reason.to_owned(),
            });
        }
        let cut = !self.rest.is_empty();
        if self.broken_sequences == 0 && !cut {
            return Ok(Encoding::Utf8);
        }
        if self.marked || self.whole_sequences > self.broken_sequences {
            return Err(match self.first_broken_line {
                Some(line) => FileError::BrokenCharacter { line },
                None => FileError::Truncated {
                    line: self.line,
                    reason: "its last character is incomplete",
                },
            });
        }
        Ok(self.high.likely())
    }
}

/// How many sequences of several bytes start in valid UTF-8.
fn leads(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte >= 0xc0).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide_bytes(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn every_encoding_is_recognised() {
        let text = "sku;name\n1;Tür\n2;Gerät mit Größe\n";
        let marked = format!("\u{feff}{text}");
        let windows = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        let cases: [(Vec<u8>, Encoding); 8] = [
            (text.into(), Encoding::Utf8),
            (marked.clone().into(), Encoding::Utf8),
            (b"plain;ascii\n".to_vec(), Encoding::Utf8),
            (wide_bytes(text, u16::to_le_bytes), Encoding::Utf16Le),
            (wide_bytes(text, u16::to_be_bytes), Encoding::Utf16Be),
            (wide_bytes(&marked, u16::to_le_bytes), Encoding::Utf16Le),
            (wide_bytes(&marked, u16::to_be_bytes), Encoding::Utf16Be),
            (windows, Encoding::Windows1252),
        ];
        for (bytes, expected) in cases {
            assert_eq!(detect(bytes.as_slice()).unwrap(), expected);
        }
    }

    #[test]
    fn files_that_are_no_text_say_what_they_are() {
        for (bytes, word) in [
            (b"PK\x03\x04\x14\0".as_slice(), "ZIP archive"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel workbook"),
            (b"%PDF-1.7", "PDF"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\n<HTML><table>", "web page"),
            (b"<?xml version", "XML"),
        ] {
            let error = detect(bytes).unwrap_err();
            assert!(matches!(error, FileError::NotText { line: 1, .. }));
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn a_nul_byte_is_reported_with_its_line() {
        let error = detect(b"a;b\r\n1;2\r\n3;\0\r\n".as_slice()).unwrap_err();

        assert!(
            matches!(error, FileError::NotText { line: 3, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_file_full_of_control_characters_is_no_text() {
        let error = detect(b"\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0fabc".as_slice()).unwrap_err();

        assert_eq!(error.code(), "not_text");
    }

    #[test]
    fn a_broken_place_deep_in_utf8_is_refused_with_its_line() {
        let mut bytes = "sku;Größe für Türen\n".repeat(10_000).into_bytes();
        let at = bytes.iter().rposition(|byte| *byte == 0xc3).unwrap();
        bytes[at + 1] = b'?';

        let error = detect(bytes.as_slice()).unwrap_err();

        assert!(
            matches!(error, FileError::BrokenCharacter { line: 10_000 }),
            "{error}"
        );
    }

    #[test]
    fn a_legacy_file_whose_first_umlaut_comes_late_is_legacy() {
        let mut bytes = b"1;pipe\r\n".repeat(20_000);
        bytes.extend_from_slice(b"2;T\xfcr\r\n");

        assert_eq!(detect(bytes.as_slice()).unwrap(), Encoding::Windows1252);
    }

    #[test]
    fn a_sequence_across_two_pieces_is_whole() {
        let mut bytes = vec![b'a'; PIECE - 1];
        bytes.extend_from_slice("äöü".as_bytes());

        assert_eq!(detect(bytes.as_slice()).unwrap(), Encoding::Utf8);
    }

    #[test]
    fn utf8_cut_inside_its_last_character_is_truncated() {
        let bytes = "Größe\nfür Tür".as_bytes();
        let cut = &bytes[..bytes.len() - 2];

        let error = detect(cut).unwrap_err();

        assert!(
            matches!(error, FileError::Truncated { line: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn nothing_but_blanks_is_empty() {
        assert!(matches!(detect(b"".as_slice()), Err(FileError::Empty)));
        assert!(matches!(
            detect(b" \r\n\t\n".as_slice()),
            Err(FileError::Empty)
        ));
        assert!(matches!(
            detect(b"\xef\xbb\xbf".as_slice()),
            Ok(Encoding::Utf8)
        ));
    }
}
