//! A part's XML, piece by piece, none of them larger than a bound.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::package::{Excess, of_io};
use super::unreadable;
use crate::tenant::imports::pricefile::error::FileError;

/// The longest tag or text, bytes: a spreadsheet's cell has at most 32,767 characters.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// A stream of XML.
pub(super) struct Xml<R> {
    reader: Reader<Bounded<R>>,
    buffer: Vec<u8>,
}

/// A piece of XML.
pub(super) enum Token<'a> {
    Open(Tag<'a>),
    /// The local name of what ends here.
    Close(Vec<u8>),
    Text(Cow<'a, str>),
    /// Nothing that says anything.
    Other,
    End,
}

/// A tag with its attributes.
pub(super) struct Tag<'a>(BytesStart<'a>);

impl Tag<'_> {
    /// Its name without a prefix.
    pub(super) fn is(&self, name: &str) -> bool {
        self.0.local_name().as_ref() == name.as_bytes()
    }

    /// An attribute by its name without a prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.0.attributes();
        let mut attributes = attributes.with_checks(false).flatten();
        let found = attributes.find(|it| it.key.local_name().as_ref() == name.as_bytes())?;
        let value = std::str::from_utf8(&found.value).ok()?;
        quick_xml::escape::unescape(value).ok().map(Cow::into_owned)
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attribute(name)?.parse().ok()
    }
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(part: R) -> Self {
        let mut reader = Reader::from_reader(Bounded { part, since: 0 });
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
        }
    }

    /// The next piece; text comes as it was meant, without what stands for it.
    pub(super) fn next(&mut self) -> Result<Token<'_>, FileError> {
        self.buffer.clear();
        self.reader.get_mut().since = 0;
        let event = self.reader.read_event_into(&mut self.buffer);
        Ok(match event.map_err(of_xml)? {
            Event::Start(tag) => Token::Open(Tag(tag)),
            Event::End(tag) => Token::Close(tag.local_name().as_ref().to_vec()),
            Event::Text(text) => Token::Text(text.decode().map_err(|_| damaged())?),
            Event::CData(text) => Token::Text(text.decode().map_err(|_| damaged())?),
            Event::GeneralRef(name) => {
                Token::Text(match name.resolve_char_ref().map_err(of_xml)? {
                    Some(character) => character.to_string().into(),
                    None => {
                        let name = name.decode().map_err(|_| damaged())?;
                        resolve_predefined_entity(&name).ok_or_else(damaged)?.into()
                    }
                })
            }
            // Workbooks have none; what one declares is not believed.
            Event::DocType(_) => return Err(damaged()),
            Event::Eof => Token::End,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Token::Other,
        })
    }
}

fn damaged() -> FileError {
    unreadable("its XML is damaged; save it again as .xlsx")
}

fn of_xml(error: quick_xml::Error) -> FileError {
    match error {
        quick_xml::Error::Io(error) => {
            let excess = error.get_ref().and_then(|cause| cause.downcast_ref());
            match excess {
                Some(excess @ (Excess::Bomb | Excess::Event)) => unreadable(excess.to_string()),
                None => of_io(io::Error::new(error.kind(), error.to_string())),
            }
        }
        _ => damaged(),
    }
}

/// Counts what one event takes.
pub(super) struct Bounded<R> {
    part: R,
    since: usize,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since > MAX_EVENT_BYTES {
            return Err(io::Error::other(Excess::Event));
        }
        self.part.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.since += count;
        self.part.consume(count);
    }
}
