//! The texts that cells refer to by number: the first ones in memory, all others on disk.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};

use super::package::Package;
use super::unreadable;
use super::xml::{Token, Xml};
use crate::tenant::imports::pricefile::error::FileError;

/// Texts kept in memory, bytes.
const IN_MEMORY: usize = 24 * 1024 * 1024;
/// Most texts; eight bytes of memory each.
const MAX_TEXTS: usize = 4_000_000;
/// Most bytes of texts with their XML.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// Longest text, bytes; a cell holds 32,767 characters.
pub(super) const MAX_TEXT_BYTES: usize = 256 * 1024;

/// All texts of a workbook.
#[derive(Default)]
pub(super) struct Strings {
    memory: Vec<u8>,
    disk: Option<File>,
    /// Where each text ends.
    ends: Vec<u64>,
}

impl Strings {
    pub(super) fn read(package: &mut Package, name: &str) -> Result<Self, FileError> {
        let mut strings = Self::default();
        if !package.has(name) {
            return Ok(strings);
        }
        let mut xml = package.part(name, MAX_BYTES)?;
        let mut disk = None;
        loop {
            match xml.next()? {
                Token::Open(tag) if tag.is("si") => {
                    let text = text_within(&mut xml, b"si")?;
                    strings.add(text.as_bytes(), &mut disk)?;
                }
                Token::End => break,
                Token::Open(_) | Token::Close(_) | Token::Text(_) | Token::Other => {}
            }
        }
        strings.disk = match disk {
            Some(file) => Some(file.into_inner().map_err(|error| error.into_error())?),
            None => None,
        };
        Ok(strings)
    }

    fn add(&mut self, text: &[u8], disk: &mut Option<BufWriter<File>>) -> Result<(), FileError> {
        if self.ends.len() == MAX_TEXTS {
            return Err(unreadable(
                "it holds more different texts than can be read; save the list as CSV",
            ));
        }
        // Once there is a file, all further texts go there: a text is never in both.
        match disk {
            None if self.memory.len() + text.len() <= IN_MEMORY => {
                self.memory.extend_from_slice(text);
            }
            Some(file) => file.write_all(text)?,
            None => {
                let mut file = BufWriter::new(tempfile::tempfile()?);
                file.write_all(text)?;
                *disk = Some(file);
            }
        }
        let before = self.ends.last().copied().unwrap_or(0);
        self.ends.push(before + text.len() as u64);
        Ok(())
    }

    /// A text by its number.
    pub(super) fn get(&mut self, index: usize) -> Result<Option<String>, FileError> {
        let Some(&end) = self.ends.get(index) else {
            return Ok(None);
        };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let in_memory = self.memory.len() as u64;
        let mut bytes = Vec::new();
        match &mut self.disk {
            Some(file) if end > in_memory => {
                file.seek(SeekFrom::Start(start - in_memory))?;
                file.take(end - start).read_to_end(&mut bytes)?;
            }
            _ => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                let found = self.memory.get(place(start)..place(end));
                bytes.extend_from_slice(found.unwrap_or_default());
            }
        }
        let damaged = |_| unreadable("its texts are damaged; save it again as .xlsx");
        String::from_utf8(bytes).map(Some).map_err(damaged)
    }
}

/// All text up to the end of an element, but for how its characters are read aloud.
pub(super) fn text_within<R: std::io::BufRead>(
    xml: &mut Xml<R>,
    element: &[u8],
) -> Result<String, FileError> {
    let (mut text, mut is_text, mut aloud) = (String::new(), false, 0u32);
    loop {
        match xml.next()? {
            Token::Open(tag) if tag.is("rPh") => aloud += 1,
            Token::Open(tag) if tag.is("t") => is_text = aloud == 0,
            Token::Close(name) if name == b"rPh" => aloud = aloud.saturating_sub(1),
            Token::Close(name) if name == b"t" => is_text = false,
            Token::Close(name) if name == element => return Ok(unescaped(&text)),
            Token::Text(more) if is_text => text.push_str(&more),
            Token::End => return Err(unreadable("it is cut off; send it again")),
            Token::Open(_) | Token::Close(_) | Token::Text(_) | Token::Other => {}
        }
        if text.len() > MAX_TEXT_BYTES {
            return Err(unreadable("a cell in it is longer than any cell may be"));
        }
    }
}

/// Resolves `_x000D_` and the like, which is how workbooks write what XML can't.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let code = from
            .get(2..6)
            .filter(|_| from.as_bytes().get(6) == Some(&b'_'));
        let character = code
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32);
        match character {
            Some(character) => {
                out.push(character);
                rest = &from[7..];
            }
            None => {
                out.push_str("_x");
                rest = &from[2..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_beyond_memory_are_read_from_disk() {
        let mut strings = Strings::default();
        let mut disk = None;
        let long = "x".repeat(MAX_TEXT_BYTES);
        for number in 0..(IN_MEMORY / MAX_TEXT_BYTES + 4) {
            strings
                .add(format!("{number} {long}").as_bytes(), &mut disk)
                .unwrap();
        }
        strings.disk = Some(disk.unwrap().into_inner().unwrap());

        for number in [0, 50, 95, 96, 99] {
            let text = strings.get(number).unwrap().unwrap();
            assert!(text.starts_with(&format!("{number} x")), "{number}");
            assert!(text.ends_with('x'));
        }
        assert_eq!(strings.get(100).unwrap(), None);
    }

    #[test]
    fn what_xml_cannot_hold_is_read_as_it_was_meant() {
        assert_eq!(unescaped("a_x000D_b_x005F_x000D_"), "a\rb_x000D_");
        assert_eq!(unescaped("max_x_y _xé _x12"), "max_x_y _xé _x12");
    }
}
