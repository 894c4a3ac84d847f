//! The client in Python: a package that `openapi-python-client` writes, and a script that uses it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{REQUIREMENTS, client, document, generators};
use crate::local::fetched::run;

/// Without the formatter that it would run otherwise.
const CONFIG: &str = "post_hooks: []\n";

pub(super) fn driver() -> Result<Command> {
    let home = client("python", REQUIREMENTS, &["python/driver.py"], make)?;
    let mut driver = Command::new(generators()?.python());
    driver.arg("driver.py").current_dir(home);
    Ok(driver)
}

fn make(home: &Path, texts: &[String]) -> Result<()> {
    let environment = generators()?;
    let config = home.join("config.yaml");
    fs::write(&config, CONFIG)?;
    run(environment
        .program("openapi-python-client")
        .args([
            "generate",
            "--meta",
            "none",
            "--overwrite",
            "--fail-on-warning",
        ])
        .arg("--config")
        .arg(&config)
        .arg("--path")
        .arg(document())
        .arg("--output-path")
        .arg(home.join("tubex_client")))?;
    fs::write(home.join("driver.py"), &texts[0])?;
    run(environment
        .program("mypy")
        .args(["--strict", "--no-error-summary", "driver.py"])
        .current_dir(home))
}
