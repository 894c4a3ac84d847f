//! The real programs, as they were built beside the tests.

use std::path::PathBuf;
use std::process::{Command, Output};

use super::database::SECRET;

/// The `server` program.
pub fn server_binary() -> PathBuf {
    beside_us("server")
}

/// The worker that also does errands, the jobs of tests.
pub(super) fn errand_worker_binary() -> PathBuf {
    beside_us("errand_worker")
}

/// Runs `tubex` against a database and returns what it printed.
///
/// # Panics
///
/// When it can't be started.
pub fn tubex(database_url: &str, arguments: &[&str], more: &[(&str, &str)]) -> Output {
    tubex_command(database_url, arguments)
        .envs(more.iter().copied())
        .output()
        .expect("tubex is built by `make test` before the tests run")
}

/// The command line, to be started as one likes.
pub fn tubex_command(database_url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(beside_us("tubex"));
    command
        .args(arguments)
        .env("TUBEX_DATABASE__URL", database_url)
        .env("TUBEX_DATABASE__SECRET", SECRET);
    command
}

/// Tests run from `target/<profile>/deps`, programs lie one above.
fn beside_us(name: &str) -> PathBuf {
    let ours = std::env::current_exe().expect("a running program has a path");
    let folder = ours.parent().expect("a program lies in a folder");
    let folder = if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    folder.join(name)
}
