//! What a check found, written down: for people, and for the machines around them. Everything here
//! makes text of a [`Report`]; nothing is read and nothing is sent.

mod github;
mod human;
pub mod json;
mod junit;
mod markdown;
#[cfg(test)]
mod sample;
mod sarif;
mod wire;

use std::collections::BTreeMap;

use crate::check::{Finding, Part, Report, Severity};

pub use self::human::Look;
pub use self::markdown::summary;

/// A way to write it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prose and colours.
    Human,
    /// All of it; its shape is published as [`json::SCHEMA`].
    Json,
    /// JUnit's XML, which every CI knows how to show.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions, then prose.
    Github,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Human,
        Self::Json,
        Self::Junit,
        Self::Sarif,
        Self::Github,
    ];

    /// What people type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Github => "github",
        }
    }

    /// The format of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The report in this format; only prose has a look. Ends with a line's end.
    pub fn render(self, report: &Report, look: Look) -> String {
        match self {
            Self::Human => human::render(report, look),
            Self::Json => json::render(report),
            Self::Junit => junit::render(report),
            Self::Sarif => sarif::render(report),
            Self::Github => github::render(report, look),
        }
    }
}

/// How many findings are errors, and how many are warnings.
fn count(findings: &[Finding]) -> (usize, usize) {
    let is_error = |finding: &&Finding| finding.code.severity() == Severity::Error;
    let errors = findings.iter().filter(is_error).count();
    (errors, findings.len() - errors)
}

/// A number and its noun: `1 error`, `2 errors`.
fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The last word: what was found in all.
fn verdict(report: &Report) -> String {
    let (errors, warnings) = count(&report.findings);
    let found = match (errors, warnings) {
        (0, 0) => "nothing found".to_owned(),
        (errors, 0) => counted(errors, "error"),
        (0, warnings) => counted(warnings, "warning"),
        _ => format!(
            "{}, {}",
            counted(errors, "error"),
            counted(warnings, "warning")
        ),
    };
    let waived = match report.waived.len() {
        0 => String::new(),
        number => format!(", {number} waived"),
    };
    format!(
        "{found}{waived} in {}",
        counted(report.migrations.len(), "migration")
    )
}

/// A migration, if it is one that does it, and what was found there.
type Group<'a> = (Option<&'a str>, Vec<&'a Finding>);

/// Findings by part, and within it by migration, oldest first; those of no migration come last.
fn grouped<'a>(
    report: &Report,
    findings: impl Iterator<Item = &'a Finding>,
) -> BTreeMap<Part, Vec<Group<'a>>> {
    let age = |name: &str| report.migrations.iter().position(|one| one.name == name);
    let mut parts: BTreeMap<Part, Vec<Group<'_>>> = BTreeMap::new();
    for finding in findings {
        let groups = parts.entry(finding.code.part()).or_default();
        let migration = finding.migration.as_deref();
        match groups.iter_mut().find(|(name, _)| *name == migration) {
            Some((_, group)) => group.push(finding),
            None => groups.push((migration, vec![finding])),
        }
    }
    for groups in parts.values_mut() {
        groups.sort_by_key(|(name, _)| match name {
            Some(name) => (false, age(name).unwrap_or(usize::MAX), *name),
            None => (true, usize::MAX, ""),
        });
    }
    parts
}

/// A statement on one line, as far as it is worth reading there.
fn shortened(statement: &str) -> String {
    const ENOUGH: usize = 110;

    let words: Vec<_> = statement.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(ENOUGH) {
        None => line,
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
    }
}

/// Tenants, a few of them by name.
fn tenants(finding: &Finding) -> Option<String> {
    const NAMED: usize = 5;

    if finding.tenant_count == 0 {
        return None;
    }
    let named: Vec<_> = finding.tenants.iter().take(NAMED).cloned().collect();
    let named_count = u64::try_from(named.len()).unwrap_or(u64::MAX);
    let more = finding.tenant_count.saturating_sub(named_count);
    Some(match more {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    })
}

/// The file that it is written in, with the line if that is known.
fn place(finding: &Finding) -> Option<String> {
    let (path, line) = finding.written.as_ref()?;
    Some(match line {
        Some(line) => format!("{path}:{line}"),
        None => path.clone(),
    })
}

/// Milliseconds for people.
fn time(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        _ => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_shortened_between_letters() {
        let long = "é ".repeat(200);

        assert_eq!(shortened("ALTER TABLE\n    a"), "ALTER TABLE a");
        assert_eq!(shortened(&long).chars().count(), 111 - 1);
    }

    #[test]
    fn findings_come_by_part_and_then_by_age() {
        let report = sample::report();

        let groups = grouped(&report, report.findings.iter());

        let names: Vec<_> = groups[&Part::Lint].iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            [Some("w0002_unique"), Some("w0010_colour_idx"), None]
        );
        assert_eq!(groups.keys().last(), Some(&Part::Fleet));
    }

    #[test]
    fn the_last_word_counts_and_agrees_with_its_noun() {
        assert_eq!(verdict(&Report::default()), "nothing found in 0 migrations");
        assert_eq!(
            verdict(&sample::report()),
            "5 errors, 1 warning, 1 waived in 2 migrations"
        );
    }

    #[test]
    fn times_are_short() {
        assert_eq!(
            [time(0), time(999), time(1_250)],
            ["0 ms", "999 ms", "1.2 s"]
        );
    }
}
