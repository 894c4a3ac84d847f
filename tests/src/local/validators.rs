//! What says whether a report is what it claims to be: validators of JSON Schema and XML Schema in
//! a Python environment of their own, the official schema of SARIF 2.1.0, and the one by which
//! Jenkins reads JUnit's XML. All of it is fetched from package registries, once.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use super::install::{self, Package};
use super::process;
use super::say::say;
use super::tools::find_program;

/// Changes whenever something else is fetched.
const CONTENTS: &str = "jsonschema 4.26.0, xmlschema 4.3.2, pytest 8.4.2, serde-sarif 0.8.0";

const PACKAGES: [&str; 2] = ["jsonschema==4.26.0", "xmlschema==4.3.2"];

/// Its source archive carries Jenkins' schema.
const PYTEST: &str = "pytest==8.4.2";

/// Its sources carry the schema of OASIS.
const SARIF_MANIFEST: &str = "\
[package]
name = \"sarif-schema\"
edition = \"2024\"

[dependencies]
serde-sarif = { version = \"=0.8.0\", default-features = false }

[workspace]
";

const PYTHON: Package = Package {
    name: "Python with venv",
    apt: "python3-venv",
    brew: "python",
    instead: "install Python 3 with its modules venv and ensurepip, and put python3 on PATH",
};

const EXTRACT: &str = "\
import sys, tarfile, glob
archive = tarfile.open(glob.glob(sys.argv[1] + '/*.tar.gz')[0])
name = next(name for name in archive.getnames() if name.endswith('/junit-10.xsd'))
open(sys.argv[2], 'wb').write(archive.extractfile(name).read())
";

const CHECK_JSON: &str = "\
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
for error in kind(schema, format_checker=kind.FORMAT_CHECKER).iter_errors(json.load(sys.stdin)):
    print(error.json_path, error.message.replace('\\n', ' ')[:500])
";

const CHECK_XML: &str = "\
import sys, xmlschema
for error in xmlschema.XMLSchema(sys.argv[1]).iter_errors(sys.stdin.read()):
    print(error.path, error.reason.replace('\\n', ' ')[:500])
";

/// Where they are.
#[derive(Clone, Debug)]
pub struct Validators {
    /// The folder of all of it.
    pub home: PathBuf,
}

/// Finds the validators, or fetches them.
///
/// # Errors
///
/// When they are neither here nor can be fetched; the text says what is missing.
pub fn validators() -> Result<Validators> {
    let home = home()?;
    fs::create_dir_all(&home)?;
    // Tests are processes of their own and may all come at once; the first one fetches.
    let lock = File::create(home.join("lock"))?;
    lock.lock().context("cannot wait for the validators")?;
    let found = Validators { home };
    let stamp = found.home.join("contents");
    if fs::read_to_string(&stamp).is_ok_and(|contents| contents == CONTENTS) {
        return Ok(found);
    }
    if std::env::var_os("LOCAL_INSTALL").is_some_and(|answer| answer == "no") {
        bail!("validators of reports are missing, and LOCAL_INSTALL=no forbids to fetch them");
    }
    say(format!(
        "validators of reports are missing: fetching {CONTENTS} …"
    ));
    found.fetch()?;
    fs::write(stamp, CONTENTS)?;
    Ok(found)
}

/// Beside what cargo builds: it is as much a cache as that is.
fn home() -> Result<PathBuf> {
    let ours = std::env::current_exe()?;
    let built = ours
        .ancestors()
        .find(|folder| folder.join(".cargo-lock").is_file())
        .and_then(Path::parent);
    let target = built.with_context(|| format!("{} was not built by cargo", ours.display()))?;
    Ok(target.join("validators"))
}

impl Validators {
    /// The official schema of SARIF 2.1.0.
    pub fn sarif_schema(&self) -> PathBuf {
        self.home.join("sarif-2.1.0.json")
    }

    /// Jenkins' schema of JUnit's XML.
    pub fn junit_schema(&self) -> PathBuf {
        self.home.join("junit-10.xsd")
    }

    /// What is wrong with a JSON text, by a JSON Schema; no lines if nothing is.
    ///
    /// # Errors
    ///
    /// When the text is no JSON, or the schema no schema.
    pub fn check_json(&self, schema: &Path, text: &str) -> Result<String> {
        self.check(CHECK_JSON, schema, text)
    }

    /// What is wrong with an XML text, by an XML Schema; no lines if nothing is.
    ///
    /// # Errors
    ///
    /// When the text is not well-formed, or the schema no schema.
    pub fn check_xml(&self, schema: &Path, text: &str) -> Result<String> {
        self.check(CHECK_XML, schema, text)
    }

    fn check(&self, program: &str, schema: &Path, text: &str) -> Result<String> {
        let mut child = Command::new(self.python())
            .args(["-I", "-X", "utf8", "-c", program])
            .arg(schema)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run the validators")?;
        let mut stdin = child.stdin.take().context("its input is piped")?;
        stdin.write_all(text.as_bytes())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        expect_success(&output, "the validator")?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    fn python(&self) -> PathBuf {
        self.home.join("python/bin/python")
    }

    fn fetch(&self) -> Result<()> {
        let python = system_python()?;
        let environment = self.home.join("python");
        let mut make = Command::new(python);
        run(make.args(["-m", "venv", "--clear"]).arg(&environment))?;
        run(self.pip().args(["install", "--quiet"]).args(PACKAGES))?;
        self.fetch_junit_schema()?;
        self.fetch_sarif_schema()
    }

    fn pip(&self) -> Command {
        let mut pip = Command::new(self.python());
        pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
        pip
    }

    fn fetch_junit_schema(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sources = ["download", "--quiet", "--no-deps", "--no-binary", ":all:"];
        run(self
            .pip()
            .args(sources)
            .arg("--dest")
            .arg(folder.path())
            .arg(PYTEST))?;
        run(Command::new(self.python())
            .args(["-I", "-c", EXTRACT])
            .arg(folder.path())
            .arg(self.junit_schema()))
    }

    fn fetch_sarif_schema(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let manifest = folder.path().join("Cargo.toml");
        fs::write(&manifest, SARIF_MANIFEST)?;
        fs::create_dir(folder.path().join("src"))?;
        fs::write(folder.path().join("src/lib.rs"), "")?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--quiet", "--format-version", "1"])
            .arg("--manifest-path")
            .arg(&manifest)
            .output()
            .context("cannot run cargo")?;
        expect_success(&output, "cargo metadata")?;
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let packages = metadata["packages"].as_array();
        let sources = packages
            .into_iter()
            .flatten()
            .find(|package| package["name"] == "serde-sarif")
            .and_then(|package| Path::new(package["manifest_path"].as_str()?).parent())
            .context("cargo metadata names no serde-sarif")?;
        fs::copy(sources.join("src/schema.json"), self.sarif_schema())
            .context("serde-sarif carries no schema any more")?;
        Ok(())
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

fn run(command: &mut Command) -> Result<()> {
    let words = format!("{command:?}");
    let output = command
        .output()
        .with_context(|| format!("cannot run {words}"))?;
    expect_success(&output, &words)
}

fn expect_success(output: &Output, what: &str) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let lines = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    bail!("{what} failed:{}", process::tail(&lines, 8))
}
