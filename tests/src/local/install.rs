//! Installing a missing program with the machine's package manager, as harmlessly as possible.

use std::fs;
use std::io::{IsTerminal, stdin};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use super::account::own_uid;
use super::say::say;
use super::tools::find_program;
use super::{place, process};

/// A program as the package managers know it.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// What people call it.
    pub name: &'static str,
    /// Debian's and Ubuntu's package.
    pub apt: &'static str,
    /// Homebrew's formula.
    pub brew: &'static str,
    /// What to do where neither exists.
    pub instead: &'static str,
}

/// Installs a package with apt-get or brew, and says so first.
///
/// `LOCAL_INSTALL=no` forbids it.
///
/// # Errors
///
/// When that is forbidden, impossible or fails; the text says what to do by hand.
pub fn install(package: &Package) -> Result<()> {
    let forbidden = std::env::var_os("LOCAL_INSTALL").is_some_and(|answer| answer == "no");
    if !forbidden {
        if let Some(apt) = Apt::here()? {
            say(format!(
                "{} is missing: installing {} with apt-get …",
                package.name, package.apt
            ));
            return apt.install(package.apt).with_context(|| package.by_hand());
        }
        if let Some(brew) = find_program("brew") {
            say(format!(
                "{} is missing: installing {} with brew …",
                package.name, package.brew
            ));
            let output = Command::new(brew)
                .args(["install", "--quiet", package.brew])
                .output()?;
            return expect_success(&output, "brew install").with_context(|| package.by_hand());
        }
    }
    bail!("{}", package.by_hand())
}

impl Package {
    fn by_hand(&self) -> String {
        format!("{} is missing; {}", self.name, self.instead)
    }
}

struct Apt {
    sudo: Vec<String>,
}

impl Apt {
    /// apt-get, when there is one that we may use.
    fn here() -> Result<Option<Self>> {
        if find_program("apt-get").is_none() {
            return Ok(None);
        }
        if own_uid()? == 0 {
            return Ok(Some(Self { sudo: Vec::new() }));
        }
        let Some(sudo) = find_program("sudo") else {
            return Ok(None);
        };
        let mut words = vec![sudo.to_string_lossy().into_owned()];
        // Without a terminal nobody can type a password, and sudo would wait for ever.
        if !stdin().is_terminal() {
            words.push("-n".to_owned());
        }
        Ok(Some(Self { sudo: words }))
    }

    fn install(&self, package: &str) -> Result<()> {
        let quiet = temporary_silence()?;
        let installed = self.install_behind(package, &quiet);
        fs::remove_dir_all(&quiet)?;
        installed
    }

    fn install_behind(&self, package: &str, quiet: &Path) -> Result<()> {
        let known = Command::new("apt-cache")
            .args(["show", "--no-all-versions", package])
            .output()
            .is_ok_and(|output| output.status.success());
        if known {
            let output = self.run(
                quiet,
                &["install", "-y", "--no-install-recommends", package],
            )?;
            if output.status.success() {
                return Ok(());
            }
        }
        // The list of packages is absent or too old to name files that still exist.
        expect_success(&self.run(quiet, &["update"])?, "apt-get update")?;
        let output = self.run(
            quiet,
            &["install", "-y", "--no-install-recommends", package],
        )?;
        expect_success(&output, "apt-get install")
    }

    fn run(&self, quiet: &Path, args: &[&str]) -> Result<Output> {
        let path = format!("DPkg::Path={}:{SYSTEM_PATH}", quiet.display());
        let mut words = self.sudo.clone();
        // Through `env`, because sudo does not hand our environment on.
        words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"].map(String::from));
        words.extend(["-o", "DPkg::Lock::Timeout=120", "-o", &path].map(String::from));
        words.extend(args.iter().map(|arg| (*arg).to_owned()));
        // It stays in our process group: sudo may have to ask for a password at the terminal.
        Command::new(&words[0])
            .args(&words[1..])
            .output()
            .context("cannot run apt-get")
    }
}

const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A directory to put in front of the PATH of package scripts, in which the programs that start
/// services and create the system-wide cluster do nothing.
///
/// We want programs on disk: no server on port 5432, 6379 or 6432, now or after the next boot. Links
/// to `true` work where temporary folders may not hold executables.
fn temporary_silence() -> Result<std::path::PathBuf> {
    let nothing = find_program("true").context("there is no program called true")?;
    let dir = place::temporary(&std::env::temp_dir(), "tubex-install-", 0o755)?;
    for name in [
        "invoke-rc.d",
        "update-rc.d",
        "deb-systemd-invoke",
        "deb-systemd-helper",
        "pg_createcluster",
    ] {
        symlink(&nothing, dir.join(name)).context("cannot prepare the installation")?;
    }
    Ok(dir)
}

fn expect_success(output: &Output, what: &str) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let lines = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    bail!("{what} failed:{}", process::tail(&lines, 8))
}
