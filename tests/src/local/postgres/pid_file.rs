//! `postmaster.pid`: what a Postgres server writes about itself into its data directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The lines of the file that we need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    /// The id of the main process.
    pub(super) pid: u32,
    /// The port it listens on.
    pub(super) port: u16,
    /// Whether it accepts connections.
    pub(super) is_ready: bool,
}

impl PidFile {
    /// Where the file is.
    pub(super) fn path(data: &Path) -> PathBuf {
        data.join("postmaster.pid")
    }

    /// Reads it; None when there is none, or it is only half written.
    pub(super) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(Self::path(data)).ok()?)
    }

    /// Removes an empty one, as a machine leaves it that went down: Postgres would wait for
    /// somebody to look after it.
    pub(super) fn remove_if_empty(data: &Path) -> io::Result<()> {
        let path = Self::path(data);
        match fs::metadata(&path) {
            Ok(found) if found.len() == 0 => fs::remove_file(&path),
            _ => Ok(()),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        // Line 1 is the process, 4 the port, 8 the state; a stand-alone server writes a negative id.
        let pid = lines.next()?.trim().parse().ok()?;
        let port = lines.nth(2)?.trim().parse().ok()?;
        let is_ready = lines.nth(3).is_some_and(|state| state.trim() == "ready");
        Some(Self {
            pid,
            port,
            is_ready,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = "4711\n/d/data\n1763703000\n40123\n\n127.0.0.1\n  123456  7\nready   \n";

    #[test]
    fn a_ready_server_is_recognised() {
        let expected = PidFile {
            pid: 4711,
            port: 40123,
            is_ready: true,
        };

        assert_eq!(PidFile::parse(READY), Some(expected));
    }

    #[test]
    fn a_server_that_starts_or_stops_is_not_ready() {
        let starting = READY.replace("ready   ", "starting");
        let too_early = READY.replace("  123456  7\nready   \n", "");

        assert!(!PidFile::parse(&starting).unwrap().is_ready);
        assert!(!PidFile::parse(&too_early).unwrap().is_ready);
    }

    #[test]
    fn half_a_file_is_no_file() {
        assert_eq!(PidFile::parse(""), None);
        assert_eq!(PidFile::parse("4711\n/d/data\n"), None);
    }
}
