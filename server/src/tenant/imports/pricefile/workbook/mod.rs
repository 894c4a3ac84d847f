//! Workbooks (`.xlsx`): one worksheet becomes text, which is then read as any other price file.
//!
//! By hand on a ZIP and an XML reader, because a file from outside may hold anything: libraries for
//! workbooks keep all texts in memory, reserve as much as the file claims to need, and read numbers
//! as binary fractions. Here nothing is believed that is not there, every part is read as a stream
//! with an upper bound, and numbers stay decimal: those 15 digits that a spreadsheet shows.
//!
//! Lines of the text are rows of the worksheet, so line numbers in messages are row numbers; line
//! breaks within a cell become blanks for that.

mod amount;
mod book;
mod package;
mod sheet;
mod strings;
mod styles;
mod xml;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use self::book::Book;
use self::package::Package;
use super::error::FileError;
use super::mapping::{Delimiter, Encoding, Mapping};

/// How a ZIP archive begins, and one without entries.
const ARCHIVE: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
/// How files of older programs of the kind begin, and workbooks with a password.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0";
/// The name, in UTF-16, of the one stream that a workbook with a password consists of.
const ENCRYPTED: &str = "EncryptedPackage";
/// How far it is looked for: where a writer puts the list of streams is its own affair.
const LOOKED_THROUGH: u64 = 4 * 1024 * 1024;

/// A price file as text with the mapping that fits it: a workbook's worksheet, or the very file when
/// it is none. What it is shows in its contents, whatever it is called.
///
/// The worksheet is the mapping's, or the first that isn't hidden; the mapping that comes back names
/// it. Its text lies in a file without a name.
///
/// # Errors
///
/// [`FileError::Workbook`], [`FileError::SheetNotFound`], [`FileError::TooManyColumns`],
/// [`FileError::Io`].
pub fn readable(
    mut file: File,
    mapping: Option<Mapping>,
) -> Result<(File, Option<Mapping>), FileError> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.by_ref().take(4).read_to_end(&mut head)?;
    if head == COMPOUND && is_encrypted(&mut file)? {
        return Err(FileError::Workbook {
            reason: "it is protected by a password; save it without one".to_owned(),
        });
    }
    if !ARCHIVE.contains(&head.as_slice()) {
        file.seek(SeekFrom::Start(0))?;
        return Ok((file, mapping));
    }
    let mut mapping = mapping.unwrap_or_default();
    let mut package = Package::open(file)?;
    let book = Book::read(&mut package)?;
    let chosen = book.sheet(mapping.sheet.as_deref())?;
    let text = sheet::text_of(&mut package, &book, chosen)?;
    mapping.sheet = Some(chosen.name.clone());
    mapping.delimiter = Some(Delimiter::Tab);
    mapping.encoding = Some(Encoding::Utf8);
    Ok((text, Some(mapping)))
}

fn is_encrypted(file: &mut File) -> Result<bool, FileError> {
    let name: Vec<u8> = ENCRYPTED
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(LOOKED_THROUGH).read_to_end(&mut head)?;
    Ok(head.windows(name.len()).any(|window| window == name))
}

fn unreadable(reason: impl Into<String>) -> FileError {
    FileError::Workbook {
        reason: reason.into(),
    }
}
