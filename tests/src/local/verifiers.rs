//! The published libraries that receivers of webhooks verify with, fetched from package registries
//! once: those of npm and PyPI. (The crate is linked.)

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::fetched::{expect_success, fetched};
use super::node::{Packages, Wanted};
use super::python::Environment;

const PYTHON: &str = "standardwebhooks==1.1.0";

const NODE: Wanted = Wanted {
    name: "verifiers-npm",
    manifest: include_str!("../../verifiers/package.json"),
    lock: include_str!("../../verifiers/package-lock.json"),
    files: &[("verify.js", include_str!("../../verifiers/verify.js"))],
};

/// What verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verifier {
    /// The package of npm; Node itself where there is a public key.
    Npm,
    /// The package of PyPI.
    PyPi,
}

/// Fetches all of them, unless they are here. Answers with the folder of npm's.
///
/// # Errors
///
/// When one can't be had.
pub fn all() -> Result<PathBuf> {
    pypi()?;
    Ok(Packages::of(&NODE)?.home)
}

fn pypi() -> Result<Environment> {
    let home = fetched("verifiers-pypi", PYTHON, |home| {
        Environment::make(home.join("python"), &[PYTHON]).map(drop)
    })?;
    Ok(Environment::within(home.join("python")))
}

impl Verifier {
    /// What it says of a delivery: `accepted` or `refused`. It is asked as JSON, with `secret` or
    /// `public_key`, `headers` and `body`.
    ///
    /// # Errors
    ///
    /// When it can't be had, or fails at something else.
    pub fn says_of(self, delivery: &str) -> Result<String> {
        let mut child = self
            .command()?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run the verifier")?;
        let mut stdin = child.stdin.take().context("its input is piped")?;
        stdin.write_all(delivery.as_bytes())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        expect_success(&output, "the verifier")?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    fn command(self) -> Result<Command> {
        match self {
            Self::Npm => {
                let mut command = Packages::of(&NODE)?.node();
                command.arg("verify.js");
                Ok(command)
            }
            Self::PyPi => {
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("verifiers/verify.py");
                let mut command = Command::new(pypi()?.python());
                command.arg("-I").arg(script);
                Ok(command)
            }
        }
    }
}
