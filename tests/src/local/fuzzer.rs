//! What makes up requests from our OpenAPI document and judges the answers: Schemathesis.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::fetched::fetched;
use super::python::Environment;

const REQUIREMENTS: &str = include_str!("../../fuzz/requirements.txt");

/// Finds Schemathesis, or fetches it. It works in its own folder, where it may leave things, and by
/// our rules.
///
/// # Errors
///
/// When it is neither here nor can be fetched.
pub fn fuzzer() -> Result<Command> {
    let home = fetched("fuzzer", REQUIREMENTS, |home| {
        let list = home.join("requirements.txt");
        fs::write(&list, REQUIREMENTS)?;
        let list = list.to_str().context("our folder's name is text")?;
        Environment::make(home.join("python"), &["--requirement", list]).map(drop)
    })?;
    let environment = Environment::within(home.join("python"));
    let mut command = environment.program("schemathesis");
    command
        .arg("--config-file")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/schemathesis.toml"))
        .current_dir(home);
    Ok(command)
}
