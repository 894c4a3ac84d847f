//! Words for the person at the terminal: progress on stderr, results on stdout.

use std::fmt::Display;
use std::io::{Write, stderr, stdout};

/// Tells what is going on.
///
/// A closed terminal is ignored on purpose: it must not keep us from stopping things in order,
/// and `eprintln!` would panic.
pub fn say(text: impl Display) {
    let _closed_terminal = writeln!(stderr(), "{text}");
}

/// Prints what was asked for; ignores a closed pipe, as [`say`] does.
pub fn print(text: impl Display) {
    let mut out = stdout().lock();
    let _closed_pipe = writeln!(out, "{text}").and_then(|()| out.flush());
}
