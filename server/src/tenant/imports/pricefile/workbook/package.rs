//! The archive that a workbook is: its parts as streams that end before they are too much.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::result::ZipError;

use super::unreadable;
use super::xml::Xml;
use crate::tenant::imports::pricefile::error::FileError;

/// Most parts of an archive; workbooks have dozens.
const MAX_PARTS: u16 = 4096;
/// Longest list of parts, bytes: it is read into memory as a whole.
const MAX_LIST_BYTES: u32 = 1024 * 1024;
/// How an archive's end record begins; its list's length and size are told there.
const END_RECORD: &[u8] = b"PK\x05\x06";
/// Longest end record: 22 bytes and a comment.
const MAX_END_BYTES: u64 = 22 + 0xffff;
/// The least that can be compressed a lot without being an attack, bytes.
const BOMB_FROM: u64 = 16 * 1024 * 1024;
/// How often more than its compressed size a part can be. Worksheets are up to 50 times; deflate
/// stops at 1032.
const MAX_RATIO: u64 = 200;

/// An open archive.
pub(super) struct Package {
    archive: ZipArchive<File>,
}

/// Why a part ends too early; it travels through readers as an I/O error.
#[derive(Debug, thiserror::Error)]
pub(super) enum Excess {
    #[error(
        "it unpacks to far more than a price list holds; save only the list itself, as a new \
         workbook or as CSV"
    )]
    Bomb,
    #[error("a single cell in it is longer than a mebibyte; shorten it, or save the list as CSV")]
    Event,
}

impl Package {
    pub(super) fn open(mut file: File) -> Result<Self, FileError> {
        check_list(&mut file)?;
        let archive = ZipArchive::new(file).map_err(of_archive)?;
        Ok(Self { archive })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// A part as XML; at most so many bytes of it are ever read.
    pub(super) fn part(
        &mut self,
        name: &str,
        limit: u64,
    ) -> Result<Xml<impl BufRead + '_>, FileError> {
        let part = self.archive.by_name(name).map_err(of_archive)?;
        if part.encrypted() {
            return Err(unreadable(
                "it is protected by a password; save it without one",
            ));
        }
        let packed = part.compressed_size();
        Ok(Xml::new(BufReader::with_capacity(
            64 * 1024,
            Limited {
                part,
                packed,
                seen: 0,
                limit,
            },
        )))
    }
}

/// The list of parts is looked at before it is read: what it claims is reserved for it.
fn check_list(file: &mut File) -> Result<(), FileError> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(MAX_END_BYTES)))?;
    let mut tail = Vec::new();
    file.by_ref().take(MAX_END_BYTES).read_to_end(&mut tail)?;
    file.seek(SeekFrom::Start(0))?;
    let records = tail
        .windows(22)
        .filter(|window| window.starts_with(END_RECORD));
    for record in records {
        let parts = u16::from_le_bytes([record[10], record[11]]);
        let bytes = u32::from_le_bytes([record[12], record[13], record[14], record[15]]);
        if parts > MAX_PARTS || bytes > MAX_LIST_BYTES {
            return Err(unreadable("it has more parts than any workbook"));
        }
    }
    Ok(())
}

fn of_archive(error: ZipError) -> FileError {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => of_io(error),
        ZipError::FileNotFound => unreadable("a part of it is missing; save it again as .xlsx"),
        _ => unreadable("it is cut off or damaged; send it again, or save it again as .xlsx"),
    }
}

/// What a reader of ours said of a part, or the disk.
pub(super) fn of_io(error: io::Error) -> FileError {
    match error.get_ref().and_then(|cause| cause.downcast_ref()) {
        Some(excess @ (Excess::Bomb | Excess::Event)) => unreadable(excess.to_string()),
        // Bad checksums and streams that end too early come as one of these.
        None if matches!(
            error.kind(),
            io::ErrorKind::InvalidData
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::Other
        ) =>
        {
            unreadable("it is cut off or damaged; send it again, or save it again as .xlsx")
        }
        None => FileError::Io(error),
    }
}

struct Limited<R> {
    part: R,
    packed: u64,
    seen: u64,
    limit: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(buffer)?;
        self.seen += read as u64;
        let is_bomb = self.seen > BOMB_FROM && self.seen / MAX_RATIO > self.packed;
        if self.seen > self.limit || is_bomb {
            return Err(io::Error::other(Excess::Bomb));
        }
        Ok(read)
    }
}
