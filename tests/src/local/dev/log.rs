//! The server's log, followed: warnings and errors are repeated at the terminal in short form.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

const LONGEST: usize = 300;

/// Reads what a log has grown by.
#[derive(Debug)]
pub struct Follower {
    file: Option<File>,
    unfinished: Vec<u8>,
}

impl Follower {
    /// Follows a log from its beginning.
    pub fn open(path: &Path) -> Self {
        Self {
            file: File::open(path).ok(),
            unfinished: Vec::new(),
        }
    }

    /// The complete lines that are new since the last call.
    pub fn new_lines(&mut self) -> Vec<String> {
        let Some(file) = &mut self.file else {
            return Vec::new();
        };
        // A log that cannot be read is not worth ending the server for.
        let _unreadable = file.read_to_end(&mut self.unfinished);
        let Some(end) = self.unfinished.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.unfinished.split_off(end + 1);
        let complete = std::mem::replace(&mut self.unfinished, rest);
        String::from_utf8_lossy(&complete)
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

/// A line for the terminal: a warning, an error, or anything that is not a log event (a panic).
pub fn shown(line: &str) -> Option<String> {
    let is_worth_it = match event(line) {
        Some(event) => ["WARN", "ERROR"].contains(&level(&event).as_str()),
        None => !line.trim().is_empty(),
    };
    is_worth_it.then(|| short(line))
}

/// A line in short form, whatever its level: time, level, message and the other fields.
pub fn short(line: &str) -> String {
    let Some(event) = event(line) else {
        return cut(line.trim_end());
    };
    // Fields are an object of their own or lie flat beside the level, as the server prefers.
    let fields = event
        .get("fields")
        .and_then(Value::as_object)
        .unwrap_or(&event);
    let message = fields
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or("(no message)");
    let known = ["level", "timestamp", "message", "target", "span", "spans"];
    let details: Vec<String> = fields
        .iter()
        .filter(|(key, value)| !known.contains(&key.as_str()) && !value.is_object())
        .map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key}={text}"),
            None => format!("{key}={value}"),
        })
        .collect();
    let time = event
        .get("timestamp")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let clock = time.get(11..19).unwrap_or(time);
    let details = if details.is_empty() {
        String::new()
    } else {
        format!(" ({})", details.join(", "))
    };
    cut(&format!("{clock} {:<5} {message}{details}", level(&event)))
}

fn event(line: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(line).ok()
}

fn level(event: &Map<String, Value>) -> String {
    event
        .get("level")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_ascii_uppercase()
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_shown_in_both_shapes_and_the_rest_is_not() {
        let nested = r#"{"timestamp":"2025-11-21T05:24:01.5Z","level":"WARN","fields":{"message":"slow query","duration_ms":812,"quote.id":"q1"},"target":"server::db"}"#;
        let flat = r#"{"timestamp":"2025-11-21T05:24:01Z","level":"ERROR","message":"mail failed","target":"x"}"#;
        let info = r#"{"timestamp":"2025-11-21T05:24:01Z","level":"INFO","message":"listening"}"#;

        assert_eq!(
            shown(nested).unwrap(),
            "05:24:01 WARN  slow query (duration_ms=812, quote.id=q1)"
        );
        assert_eq!(shown(flat).unwrap(), "05:24:01 ERROR mail failed");
        assert_eq!(shown(info), None);
        assert_eq!(short(info), "05:24:01 INFO  listening");
    }

    #[test]
    fn a_panic_is_shown_as_it_is_and_long_lines_are_cut() {
        assert_eq!(
            shown("thread 'main' panicked").unwrap(),
            "thread 'main' panicked"
        );
        assert_eq!(shown("  "), None);
        assert_eq!(
            shown(&"ä".repeat(400)).unwrap().chars().count(),
            LONGEST + 1
        );
    }
}
