//! `tubex explain`: what a check can find, and what to do about it. Needs no database.

use std::process::ExitCode;

use clap::Args;
use provisioner::check::{CODES, Code, Part, Severity};
use serde_json::{Value, json};

use super::failure::Failure;
use super::output::say;

/// How many names are offered to somebody who mistyped one.
const OFFERED: usize = 3;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A code, as a finding of tubex check names it; without one, all of them are listed
    code: Option<String>,
}

pub(super) fn run(args: &ExplainArgs, json: bool) -> Result<ExitCode, Failure> {
    let text = match &args.code {
        None if json => json!({ "codes": all().map(row).collect::<Vec<_>>() }).to_string(),
        None => list(),
        Some(name) => {
            let code = Code::find(name).ok_or_else(|| unknown(name))?;
            match json {
                true => {
                    let mut answer = row(code);
                    answer["page"] = code.page().into();
                    answer.to_string()
                }
                false => code.page().trim_end().to_owned(),
            }
        }
    };
    say(&text);
    Ok(ExitCode::SUCCESS)
}

fn all() -> impl Iterator<Item = Code> {
    CODES.iter().copied()
}

fn row(code: Code) -> Value {
    json!({
        "code": code.name(),
        "part": code.part().name(),
        "severity": severity(code),
        "title": code.title(),
        "remedy": code.remedy(),
    })
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn list() -> String {
    let width = all()
        .map(|code| code.name().len())
        .max()
        .unwrap_or_default();
    let blocks = Part::ALL.map(|part| {
        let mut lines = vec![format!("{}: {}", part.name(), part.title())];
        lines.extend(
            all()
                .filter(|code| code.part() == part)
                .map(|code| format!("  {:<width$}  {}", code.name(), code.title())),
        );
        lines.join("\n")
    });
    format!("{}\n\ntubex explain CODE says more.", blocks.join("\n\n"))
}

fn unknown(name: &str) -> Failure {
    let nearest = nearest(name).join(", ");
    Failure::usage(format!("there is no code {name:?}"))
        .hint(format!("near to it: {nearest}; tubex explain lists all"))
}

/// Names that one may have meant, the likeliest first.
fn nearest(name: &str) -> Vec<&'static str> {
    let name = name.to_lowercase().replace(['_', ' '], "-");
    let mut known: Vec<_> = all().map(Code::name).collect();
    known.sort_by_key(|one| {
        let is_part = !name.is_empty() && (one.contains(&name) || name.contains(one));
        (!is_part, strsim::osa_distance(one, &name))
    });
    known.truncate(OFFERED);
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_guessed() {
        assert_eq!(nearest("index_under_lok")[0], "index-under-lock");
        assert_eq!(nearest("under-lock").len(), OFFERED);
        assert!(
            nearest("under-lock")
                .iter()
                .all(|name| name.ends_with("under-lock"))
        );
        assert_eq!(nearest("Drift")[0], "drift");
    }

    #[test]
    fn the_list_holds_every_code_under_its_part() {
        let text = list();

        for code in CODES {
            assert!(text.contains(&format!("\n  {} ", code.name())));
        }
        let (lint, rest) = text.split_once("\n\nreversible: ").unwrap();
        assert!(lint.contains("  index-under-lock") && !rest.contains("  index-under-lock"));
    }
}
