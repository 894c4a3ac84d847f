//! What a server says to its database, message by message.

use std::collections::HashMap;

/// One thing that was asked over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A simple query: its text, which may hold several statements.
    Query(String),
    /// A text was prepared.
    Prepare(String),
    /// A prepared text was executed.
    Execute(String),
    /// Nothing but the question whether the other end is still there.
    Sync,
    /// Any other message, by its letter.
    Other(char),
}

/// Reads one connection's messages as they pass.
#[derive(Debug, Default)]
pub(super) struct Frontend {
    unread: Vec<u8>,
    /// Who signed in; nothing before that.
    pub(super) login: Option<String>,
    prepared: HashMap<Vec<u8>, String>,
    bound: Option<String>,
    /// Whether a statement was asked for since the last Sync.
    is_asking: bool,
}

impl Frontend {
    /// Takes what was read, and returns the messages that it completed.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Asked> {
        self.unread.extend_from_slice(bytes);
        let mut asked = Vec::new();
        while let Some(message) = self.next_message() {
            asked.extend(self.understand(&message));
        }
        asked
    }

    /// A whole message; the first ones of a connection have no letter before their length.
    fn next_message(&mut self) -> Option<Vec<u8>> {
        let letter = usize::from(self.login.is_some());
        let length = self.unread.get(letter..letter + 4)?.try_into().ok()?;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        let end = letter + length.max(4);
        (self.unread.len() >= end).then(|| self.unread.drain(..end).collect())
    }

    fn understand(&mut self, message: &[u8]) -> Option<Asked> {
        if self.login.is_none() {
            // After length and version: names and values, each with a zero at its end. A question
            // for TLS holds none.
            let mut words = message[8.min(message.len())..].split(|byte| *byte == 0);
            while let Some(name) = words.next() {
                let value = words.next().unwrap_or_default();
                if name == b"user" {
                    self.login = Some(text(value));
                }
            }
            return None;
        }
        let mut body = message[5..].split(|byte| *byte == 0);
        let mut word = || body.next().unwrap_or_default().to_vec();
        match message[0] {
            b'Q' => Some(Asked::Query(text(&word()))),
            b'P' => {
                let (name, sql) = (word(), text(&word()));
                self.prepared.insert(name, sql.clone());
                self.is_asking = true;
                Some(Asked::Prepare(sql))
            }
            b'B' => {
                let (_portal, name) = (word(), word());
                self.bound = self.prepared.get(&name).cloned();
                None
            }
            b'E' => {
                self.is_asking = true;
                Some(Asked::Execute(self.bound.take().unwrap_or_default()))
            }
            // It ends what was asked before it; alone it asks for nothing.
            b'S' => (!std::mem::take(&mut self.is_asking)).then_some(Asked::Sync),
            b'D' | b'H' | b'C' => {
                self.is_asking = true;
                None
            }
            // A password.
            b'p' => None,
            other => Some(Asked::Other(char::from(other))),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(letter: &str, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [letter.as_bytes(), &length, body].concat()
    }

    #[test]
    fn messages_are_understood_in_any_pieces() {
        let stream = [
            message("", b"\x04\xd2\x16\x2f"),
            message("", b"\0\x03\0\0user\0lane_1\0database\0d\0\0"),
            message("p", b"secret\0"),
            message("Q", b"BEGIN; SET LOCAL ROLE x\0"),
            message("P", b"s1\0SELECT $1\0\0\0"),
            message("D", b"Ss1\0"),
            message("S", b""),
            message("B", b"\0s1\0\0\0"),
            message("E", b"\0\0\0\0\0"),
            message("S", b""),
            message("S", b""),
        ]
        .concat();
        let expected = [
            Asked::Query("BEGIN; SET LOCAL ROLE x".to_owned()),
            Asked::Prepare("SELECT $1".to_owned()),
            Asked::Execute("SELECT $1".to_owned()),
            Asked::Sync,
        ];

        for size in [1, 7, 1000] {
            let mut frontend = Frontend::default();
            let pieces = stream.chunks(size);
            let asked: Vec<_> = pieces.flat_map(|piece| frontend.read(piece)).collect();

            assert_eq!(asked, expected, "in pieces of {size}");
            assert_eq!(frontend.login.as_deref(), Some("lane_1"));
        }
    }
}
