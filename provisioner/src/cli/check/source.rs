//! Checking another checkout: its own build knows its migrations, so that one is made and asked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use provisioner::check::{Code, Finding, Part, Report};
use serde::Deserialize;
use tokio::process::Command;

use super::answer::Answer;
use super::undone;
use crate::cli::failure::Failure;

/// Builds it and lets it check; the exit code is that of its check.
pub(super) async fn check(
    folder: &Path,
    answer: &Answer,
    parts: Vec<Part>,
) -> Result<ExitCode, Failure> {
    let built = build(folder).await?;
    if let Some(program) = built.program {
        return hand_over(&program).await;
    }
    if built.findings.is_empty() {
        return Err(Failure::stuck(
            "not_built",
            format!("no program tubex came out of {}", folder.display()),
        )
        .hint("cargo's own words stand above; --source takes the folder of a Cargo.toml"));
    }
    answer.give(&Report {
        findings: built.findings,
        ..undone(&parts, "the migrations don't compile")
    })
}

struct Built {
    program: Option<PathBuf>,
    findings: Vec<Finding>,
}

/// The whole workspace and no single package of it: features are those of all that is built at
/// once, and another choice would build half of the tree a second time.
async fn build(folder: &Path) -> Result<Built, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(&cargo)
        .args(["build", "--manifest-path", "Cargo.toml", "--workspace"])
        .args(["--bins", "--message-format=json"])
        // Its own toolchain file and settings count there, and paths in messages begin there.
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| {
            let cargo = cargo.display();
            Failure::stuck(
                "no_cargo",
                format!("{cargo} can't be run in {}: {error}", folder.display()),
            )
            .hint("is the folder there, and is Rust installed (https://rustup.rs)?")
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<_> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .collect();
    Ok(match output.status.success() {
        true => Built {
            program: messages.iter().find_map(Message::program),
            findings: vec![],
        },
        false => Built {
            program: None,
            findings: findings(&messages),
        },
    })
}

/// Lets the program check that was built, with our own words.
async fn hand_over(program: &Path) -> Result<ExitCode, Failure> {
    let failed = |error: std::io::Error| {
        let program = program.display();
        Failure::stuck("not_built", format!("{program} can't be run: {error}"))
    };
    let status = Command::new(program)
        .args(without_source(std::env::args_os().skip(1)))
        .status()
        .await
        .map_err(failed)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}

/// Our own words but `--source DIR` and `--source=DIR`.
fn without_source(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut words = words;
    while let Some(word) = words.next() {
        if word == "--source" {
            words.next();
        } else if !word.to_string_lossy().starts_with("--source=") {
            kept.push(word);
        }
    }
    kept
}

/// A line of cargo's, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    target: Option<Target>,
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    code: Option<DiagnosticCode>,
    rendered: Option<String>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct DiagnosticCode {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    is_primary: bool,
}

impl Message {
    fn program(&self) -> Option<PathBuf> {
        let target = self.target.as_ref()?;
        let is_ours = self.reason == "compiler-artifact" && target.name == "tubex";
        self.executable.clone().filter(|_| is_ours)
    }

    fn error(&self) -> Option<&Diagnostic> {
        let diagnostic = self.message.as_ref()?;
        let is_error = diagnostic.level.starts_with("error");
        (self.reason == "compiler-message" && is_error).then_some(diagnostic)
    }
}

/// Errors that stand somewhere; the others only count them, unless there is nothing else, as when
/// a program can't be linked.
fn findings(messages: &[Message]) -> Vec<Finding> {
    let errors = || messages.iter().filter_map(Message::error);
    let mut findings: Vec<_> = errors()
        .filter(|error| !error.spans.is_empty())
        .map(finding)
        .collect();
    if findings.is_empty() {
        findings.extend(errors().map(finding));
    }
    // A file that several programs share is complained about once for each.
    let mut distinct: Vec<Finding> = Vec::new();
    for finding in findings {
        if !distinct.contains(&finding) {
            distinct.push(finding);
        }
    }
    distinct
}

fn finding(error: &Diagnostic) -> Finding {
    let code = error.code.as_ref().map(|code| format!(" ({})", code.code));
    let message = format!("{}{}", error.message, code.unwrap_or_default());
    let mut finding = Finding::new(Code::DoesNotCompile, message);
    if let Some(rendered) = &error.rendered {
        finding = finding.by(rendered);
    }
    let span = error.spans.iter().find(|span| span.is_primary);
    finding.written = span.map(|span| (span.file_name.clone(), Some(span.line_start)));
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_source_is_left_out_of_our_words() {
        let words = [
            "check",
            "--source",
            "a b",
            "--json",
            "--source=c",
            "--rows",
            "9",
        ];

        let kept = without_source(words.iter().map(OsString::from));

        assert_eq!(kept, ["check", "--json", "--rows", "9"]);
    }

    #[test]
    fn errors_are_found_at_their_lines_and_sums_of_errors_are_left_out() {
        let lines = [
            r#"{"reason":"compiler-message","message":{"level":"error","message":"mismatched types",
                "code":{"code":"E0308"},"rendered":"error[E0308]: …\n","spans":[
                {"file_name":"src/other.rs","line_start":1,"is_primary":false},
                {"file_name":"src/m0007.rs","line_start":12,"is_primary":true}]}}"#,
            r#"{"reason":"compiler-message","message":{"level":"warning","message":"unused",
                "code":null,"rendered":null,"spans":[]}}"#,
            r#"{"reason":"compiler-message","message":{"level":"error","code":null,
                "message":"aborting due to 1 previous error","rendered":null,"spans":[]}}"#,
            r#"{"reason":"build-finished","success":false}"#,
        ];
        let read = |line: &&str| serde_json::from_str::<Message>(line).unwrap();
        let messages: Vec<_> = lines.iter().map(read).collect();

        let findings = findings(&messages);

        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].message, "mismatched types (E0308)");
        assert_eq!(
            findings[0].written,
            Some(("src/m0007.rs".to_owned(), Some(12)))
        );
    }
}
