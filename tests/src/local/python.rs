//! Environments of Python, each with the packages of one purpose.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::fetched::run;
use super::install::{self, Package};
use super::tools::find_program;

const PYTHON: Package = Package {
    name: "Python with venv",
    apt: "python3-venv",
    brew: "python",
    instead: "install Python 3 with its modules venv and ensurepip, and put python3 on PATH",
};

/// An environment that was made by [`Environment::make`].
#[derive(Clone, Debug)]
pub struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// One that is in a folder already.
    pub fn within(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Makes one anew, with packages as `pip install` takes them.
    ///
    /// # Errors
    ///
    /// When there is no Python, or a package can't be had.
    pub fn make(folder: PathBuf, packages: &[&str]) -> Result<Self> {
        let environment = Self::within(folder);
        let mut make = Command::new(system_python()?);
        run(make
            .args(["-m", "venv", "--clear"])
            .arg(&environment.folder))?;
        run(environment
            .pip()
            .args(["install", "--quiet"])
            .args(packages))?;
        Ok(environment)
    }

    /// Its Python.
    pub fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// A program that one of its packages brought along. Not by its first line, which names the
    /// folder in which the environment was made, and folders are moved.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.python());
        command.arg(self.folder.join("bin").join(name));
        command
    }

    /// Where its packages lie.
    ///
    /// # Errors
    ///
    /// When it has none.
    pub fn packages(&self) -> Result<PathBuf> {
        let versions =
            fs::read_dir(self.folder.join("lib"))?.filter_map(|entry| Some(entry.ok()?.path()));
        versions
            .map(|version| version.join("site-packages"))
            .find(|folder| folder.is_dir())
            .with_context(|| format!("{} has no packages", self.folder.display()))
    }

    /// Its pip, to be told what to do.
    pub fn pip(&self) -> Command {
        let mut pip = Command::new(self.python());
        pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
        pip
    }
}

/// A Python that can make environments; Debian's can't until python3-venv is there.
fn system_python() -> Result<PathBuf> {
    let find = || find_program("python3").filter(|python| can_make_environments(python));
    if let Some(found) = find() {
        return Ok(found);
    }
    install::install(&PYTHON)?;
    find().context("Python was installed, but makes no environments")
}

fn can_make_environments(python: &Path) -> bool {
    let output = Command::new(python)
        .args(["-c", "import venv, ensurepip"])
        .output();
    output.is_ok_and(|output| output.status.success())
}
