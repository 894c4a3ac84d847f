//! A private OpenID provider, panva's certified `oidc-provider`, until dropped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Stdio};

use anyhow::{Context, Result, bail};

use super::node::{Packages, Wanted};
use super::process;
use super::say::say;

const PROVIDER: Wanted = Wanted {
    name: "oidc-provider",
    manifest: include_str!("../../oidc/package.json"),
    lock: include_str!("../../oidc/package-lock.json"),
    files: &[("provider.mjs", include_str!("../../oidc/provider.mjs"))],
};

/// A running provider, without clients and users.
#[derive(Debug)]
pub struct OidcProvider {
    child: Child,
    /// It ends when this does, which is so even when we are killed.
    _stdin: ChildStdin,
    issuer: String,
}

/// Finds the provider, or fetches it.
///
/// # Errors
///
/// When it is neither here nor can be fetched.
pub fn packages() -> Result<Packages> {
    Packages::of(&PROVIDER)
}

impl OidcProvider {
    /// Starts one on a free port.
    ///
    /// # Errors
    ///
    /// When it can't be had, or does not start; the text ends with its last words.
    pub fn start() -> Result<Self> {
        let mut child = packages()?
            .node()
            .arg("provider.mjs")
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run the OpenID provider")?;
        let stdin = child.stdin.take().context("its input is piped")?;
        let stdout = child.stdout.take().context("its output is piped")?;
        let mut stderr = child.stderr.take().context("its complaints are piped")?;
        let mut first = String::new();
        BufReader::new(stdout).read_line(&mut first)?;
        let Ok(said) = serde_json::from_str::<serde_json::Value>(&first) else {
            let _gone_already = child.kill();
            child.wait()?;
            let mut complaints = Vec::new();
            stderr.read_to_end(&mut complaints)?;
            bail!(
                "the OpenID provider does not start:{}",
                process::tail(&complaints, 8)
            );
        };
        // Nobody reads them; but a full pipe would stop it.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        let issuer = said["issuer"].as_str().context("it tells its issuer")?;
        Ok(Self {
            child,
            _stdin: stdin,
            issuer: issuer.to_owned(),
        })
    }

    /// What it calls itself, which is where it is.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            say(format!("cannot stop the OpenID provider: {error}"));
        }
    }
}
