//! What is fetched from package registries, once, and kept beside what cargo builds.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use super::process;
use super::say::say;

/// The folder of this name with these contents; fetched by `fetch` when it isn't there or holds
/// something else.
///
/// `contents` changes whenever something else is fetched.
///
/// # Errors
///
/// When it has to be fetched and can't, or `LOCAL_INSTALL=no` forbids it.
pub fn fetched(
    name: &str,
    contents: &str,
    fetch: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    kept(name, contents, |home| {
        if std::env::var_os("LOCAL_INSTALL").is_some_and(|answer| answer == "no") {
            bail!("{name} is missing, and LOCAL_INSTALL=no forbids to fetch it");
        }
        say(format!("{name} is missing: fetching it …"));
        fetch(home).with_context(|| format!("cannot fetch {name}"))
    })
}

/// The folder of this name, made by `make` unless it was made of the same. Whoever comes meanwhile
/// waits: tests are processes of their own.
///
/// # Errors
///
/// When it has to be made and can't.
pub fn kept(name: &str, contents: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let home = beside_what_cargo_builds()?.join(name);
    fs::create_dir_all(&home)?;
    let lock = File::create(home.join("lock"))?;
    lock.lock()
        .with_context(|| format!("cannot wait for {name}"))?;
    let stamp = home.join("contents");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == contents) {
        return Ok(home);
    }
    make(&home)?;
    fs::write(stamp, contents)?;
    Ok(home)
}

/// Cargo's own folder: what we keep there is as much a cache as that is.
///
/// # Errors
///
/// When this program was not built by cargo.
pub fn beside_what_cargo_builds() -> Result<PathBuf> {
    let ours = std::env::current_exe()?;
    let built = ours
        .ancestors()
        .find(|folder| folder.join(".cargo-lock").is_file())
        .and_then(Path::parent);
    let target = built.with_context(|| format!("{} was not built by cargo", ours.display()))?;
    Ok(target.to_owned())
}

/// Runs a command that has to succeed.
///
/// # Errors
///
/// When it doesn't; the text ends with its last words.
pub fn run(command: &mut Command) -> Result<()> {
    let words = format!("{command:?}");
    let output = command
        .output()
        .with_context(|| format!("cannot run {words}"))?;
    expect_success(&output, &words)
}

/// # Errors
///
/// When a command has failed; the text ends with its last words.
pub(super) fn expect_success(output: &Output, what: &str) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let lines = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    bail!("{what} failed:{}", process::tail(&lines, 8))
}
