//! The client in Rust: a crate that `openapi-generator` writes, and a program that uses it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{REQUIREMENTS, client, document, generators, house};
use crate::local::fetched::run;

pub(super) fn driver() -> Result<Command> {
    let sources = ["rust/Cargo.toml", "rust/src/main.rs"];
    let home = client("rust", REQUIREMENTS, &sources, make)?;
    Ok(Command::new(home.join("target/debug/driver")))
}

fn make(home: &Path, texts: &[String]) -> Result<()> {
    let generated = home.join("tubex-client");
    if generated.exists() {
        fs::remove_dir_all(&generated)?;
    }
    run(generators()?
        .program("openapi-generator-cli")
        .args(["generate", "--generator-name", "rust", "--input-spec"])
        .arg(document())
        .arg("--output")
        .arg(&generated)
        .args([
            "--additional-properties",
            "packageName=tubex-client,useSingleRequestParameter=true",
        ]))?;
    fs::create_dir_all(home.join("src"))?;
    for (name, text) in ["Cargo.toml", "src/main.rs"].iter().zip(texts) {
        fs::write(home.join(name), text)?;
    }
    // The same versions as ours, which are known and fetched already.
    fs::copy(house().join("Cargo.lock"), home.join("Cargo.lock"))?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo)
        .args(["build", "--quiet"])
        .env("CARGO_TARGET_DIR", home.join("target"))
        .env_remove("RUSTFLAGS")
        .current_dir(home))
}
