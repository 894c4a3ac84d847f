//! Clients in three languages, made from the committed document by generators that anybody would
//! use, and drivers that do with them what a customer does first. Each is made once for a document.

mod python;
mod rust;
mod typescript;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::fetched::{fetched, kept};
use super::python::Environment;

const REQUIREMENTS: &str = include_str!("../../../clients/requirements.txt");

/// A language in which somebody writes a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// With `openapi-generator`, over reqwest.
    Rust,
    /// With `openapi-python-client`, over httpx; its types are checked strictly.
    Python,
    /// With `openapi-typescript` and `openapi-fetch`; its types are checked strictly.
    TypeScript,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rust, Self::Python, Self::TypeScript];

    /// The driver, ready to be run with what `tests/clients/README.md` says it needs. The client is
    /// made and compiled before, unless that was done for this document.
    ///
    /// # Errors
    ///
    /// When a tool can't be had, or the client doesn't compile; the text ends with its last words.
    pub fn driver(self) -> Result<Command> {
        match self {
            Self::Rust => rust::driver(),
            Self::Python => python::driver(),
            Self::TypeScript => typescript::driver(),
        }
    }
}

/// The folder with all clients, each made and compiled.
///
/// # Errors
///
/// Those of [`Language::driver`].
pub fn all() -> Result<PathBuf> {
    for language in Language::ALL {
        language
            .driver()
            .with_context(|| format!("the client in {language:?}"))?;
    }
    Ok(super::fetched::beside_what_cargo_builds()?.join("clients"))
}

/// Python's generator and runtime, and the generator that is written in Java.
fn generators() -> Result<Environment> {
    let home = fetched("generators", REQUIREMENTS, |home| {
        let list = home.join("requirements.txt");
        fs::write(&list, REQUIREMENTS)?;
        let list = list.to_str().context("our folder's name is text")?;
        Environment::make(home.join("python"), &["--requirement", list]).map(drop)
    })?;
    Ok(Environment::within(home.join("python")))
}

/// The folder of one client, made anew when the document, its driver or its tools are others.
fn client(
    name: &str,
    tools: &str,
    sources: &[&str],
    make: impl FnOnce(&Path, &[String]) -> Result<()>,
) -> Result<PathBuf> {
    let mut texts = Vec::new();
    for source in sources {
        let path = ours(source);
        let text = fs::read_to_string(&path);
        texts.push(text.with_context(|| format!("cannot read {}", path.display()))?);
    }
    let document = fs::read_to_string(document())?;
    let contents = [tools, &document, &texts.concat()].concat();
    kept(&format!("clients/{name}"), &contents, |home| {
        make(home, &texts)
    })
}

/// The document that clients are made from.
fn document() -> PathBuf {
    house().join("server/openapi/tenant.json")
}

/// A file that is written by hand.
fn ours(name: &str) -> PathBuf {
    house().join("tests/clients").join(name)
}

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
