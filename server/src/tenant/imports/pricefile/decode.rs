//! Turns the file's bytes into UTF-8, one piece at a time.

use std::io::{self, Read};

use encoding_rs::DecoderResult;

use super::codepage;
use super::mapping::Encoding;

const PIECE: usize = 64 * 1024;

/// The file has characters that its encoding lacks, or its reader failed.
#[derive(Debug)]
pub(super) enum DecodeError {
    Io(io::Error),
    Malformed,
}

/// A reader's text in UTF-8, to be taken in pieces of bounded size.
///
/// Pieces of a UTF-8 file are passed on unchecked and may end inside a character: whoever
/// puts rows together checks each of them.
pub(super) struct Decoded<R> {
    file: R,
    engine: Engine,
    raw: Box<[u8]>,
    text: Vec<u8>,
    from: usize,
    to: usize,
    at_start: bool,
    at_end: bool,
}

enum Engine {
    Utf8,
    Cp850,
    Library(Box<encoding_rs::Decoder>),
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(file: R, encoding: Encoding) -> Self {
        let library = |encoding: &'static encoding_rs::Encoding| {
            Engine::Library(Box::new(encoding.new_decoder_with_bom_removal()))
        };
        let engine = match encoding {
            Encoding::Utf8 => Engine::Utf8,
            Encoding::Cp850 => Engine::Cp850,
            Encoding::Utf16Le => library(encoding_rs::UTF_16LE),
            Encoding::Utf16Be => library(encoding_rs::UTF_16BE),
            Encoding::Windows1252 => library(encoding_rs::WINDOWS_1252),
        };
        Self {
            file,
            engine,
            raw: vec![0; PIECE].into_boxed_slice(),
            text: Vec::new(),
            from: 0,
            to: 0,
            at_start: true,
            at_end: false,
        }
    }

    /// What is decoded and not consumed yet; empty only at the end of the file.
    pub(super) fn piece(&mut self) -> Result<&[u8], DecodeError> {
        while self.from == self.to && !self.at_end {
            self.decode_more()?;
        }
        let decoded: &[u8] = match self.engine {
            Engine::Utf8 => &self.raw,
            Engine::Cp850 | Engine::Library(_) => &self.text,
        };
        Ok(&decoded[self.from..self.to])
    }

    /// Takes `count` bytes off the front of the piece.
    pub(super) fn consume(&mut self, count: usize) {
        self.from = (self.from + count).min(self.to);
    }

    fn decode_more(&mut self) -> Result<(), DecodeError> {
        let read = self.read_raw()?;
        self.at_end = read == 0;
        (self.from, self.to) = (0, 0);
        let raw = &self.raw[..read];
        match &mut self.engine {
            Engine::Utf8 => {
                self.to = read;
                if self.at_start && raw.starts_with(b"\xef\xbb\xbf") {
                    self.from = 3;
                }
            }
            Engine::Cp850 => {
                self.text.clear();
                let mut buffer = [0; 4];
                for byte in raw {
                    let encoded = codepage::cp850(*byte).encode_utf8(&mut buffer);
                    self.text.extend_from_slice(encoded.as_bytes());
                }
                self.to = self.text.len();
            }
            Engine::Library(decoder) => {
                let needed = decoder.max_utf8_buffer_length_without_replacement(read);
                self.text.resize(needed.unwrap_or(4 * PIECE), 0);
                let (result, _, written) =
                    decoder.decode_to_utf8_without_replacement(raw, &mut self.text, self.at_end);
                if let DecoderResult::Malformed(..) = result {
                    return Err(DecodeError::Malformed);
                }
                self.to = written;
            }
        }
        self.at_start = false;
        Ok(())
    }

    /// Fills the raw buffer as far as the file goes, so that a mark is never split.
    fn read_raw(&mut self) -> Result<usize, DecodeError> {
        let mut filled = 0;
        while filled < self.raw.len() {
            match self.file.read(&mut self.raw[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DecodeError::Io(error)),
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], encoding: Encoding) -> Result<String, DecodeError> {
        let mut decoded = Decoded::new(bytes, encoding);
        let mut all = Vec::new();
        loop {
            let piece = decoded.piece()?;
            if piece.is_empty() {
                return Ok(String::from_utf8(all).unwrap());
            }
            all.extend_from_slice(piece);
            let count = piece.len();
            decoded.consume(count);
        }
    }

    #[test]
    fn every_encoding_decodes_to_the_same_text() {
        let text = "Größe ½ ± Ç\r\n".repeat(9_000);
        let cp850: Vec<u8> = text
            .chars()
            .map(|c| (0..=255).find(|byte| codepage::cp850(*byte) == c).unwrap())
            .collect();
        let windows = encoding_rs::WINDOWS_1252.encode(&text).0.into_owned();
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_be_bytes)
            .collect();
        let marked = format!("\u{feff}{text}").into_bytes();

        assert_eq!(decode(&cp850, Encoding::Cp850).unwrap(), text);
        assert_eq!(decode(&windows, Encoding::Windows1252).unwrap(), text);
        assert_eq!(decode(&little, Encoding::Utf16Le).unwrap(), text);
        assert_eq!(decode(&big, Encoding::Utf16Be).unwrap(), text);
        assert_eq!(decode(&marked, Encoding::Utf8).unwrap(), text);
    }

    #[test]
    fn half_a_utf16_character_is_malformed() {
        assert!(matches!(
            decode(b"a\0b", Encoding::Utf16Le),
            Err(DecodeError::Malformed)
        ));
        assert!(matches!(
            decode(b"\x00\xd8a\0", Encoding::Utf16Le),
            Err(DecodeError::Malformed)
        ));
    }
}
