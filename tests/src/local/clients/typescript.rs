//! The client in TypeScript: types that `openapi-typescript` writes, and a script that uses them
//! with `openapi-fetch`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{client, document};
use crate::local::fetched::run;
use crate::local::node::{Packages, Wanted};

const PACKAGES: Wanted = Wanted {
    name: "typescript",
    manifest: include_str!("../../../clients/typescript/package.json"),
    lock: include_str!("../../../clients/typescript/package-lock.json"),
    files: &[],
};

pub(super) fn driver() -> Result<Command> {
    let packages = Packages::of(&PACKAGES)?;
    let sources = ["typescript/driver.ts", "typescript/tsconfig.json"];
    let home = client("typescript", PACKAGES.lock, &sources, |home, texts| {
        make(&packages, home, texts)
    })?;
    // It strips the types by itself.
    let mut driver = packages.node();
    driver.arg("driver.ts").current_dir(home);
    Ok(driver)
}

fn make(packages: &Packages, home: &Path, texts: &[String]) -> Result<()> {
    // Where Node and TypeScript look for packages.
    let modules = home.join("node_modules");
    if !modules.exists() {
        std::os::unix::fs::symlink(packages.home.join("node_modules"), &modules)?;
    }
    run(packages
        .program("openapi-typescript")
        .arg(document())
        .arg("--output")
        .arg(home.join("tubex.d.ts")))?;
    for (name, text) in ["driver.ts", "tsconfig.json", "package.json"]
        .iter()
        .zip(texts.iter().map(String::as_str).chain([PACKAGES.manifest]))
    {
        fs::write(home.join(name), text)?;
    }
    run(packages.program("tsc").arg("--project").arg(home))
}
