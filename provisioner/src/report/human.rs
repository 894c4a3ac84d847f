//! For people at a terminal, or reading a log.

use anstyle::{AnsiColor, Style};

use super::{grouped, place, shortened, tenants, time, verdict};
use crate::check::{Code, Finding, MigrationReport, PartReport, Report, Severity};

/// How it should look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are understood.
    pub has_colour: bool,
    /// Whether also what is well is told: locks, whole statements.
    pub is_verbose: bool,
}

const HEADING: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const FINE: Style = AnsiColor::Green.on_default().bold();
const QUIET: Style = Style::new().dimmed();

pub(super) fn render(report: &Report, look: Look) -> String {
    let page = Page(look);
    let mut blocks = page.findings(report);
    blocks.extend(page.waived(report));
    blocks.extend(page.locks(report));
    blocks.extend(page.notes(report));
    blocks.extend(page.parts(report));
    blocks.push(page.verdict(report));
    blocks.join("\n\n") + "\n"
}

struct Page(Look);

impl Page {
    fn findings(&self, report: &Report) -> Vec<String> {
        let parts = grouped(report, report.findings.iter());
        let blocks = parts.into_iter().map(|(part, groups)| {
            let title = format!("{}: {}", part.name(), part.title());
            let mut lines = vec![self.ink(HEADING, &title)];
            for (migration, findings) in groups {
                lines.extend(migration.map(|name| format!("  {}", self.ink(HEADING, name))));
                lines.extend(findings.into_iter().map(|finding| self.finding(finding)));
            }
            lines.join("\n")
        });
        blocks.collect()
    }

    fn finding(&self, finding: &Finding) -> String {
        let code = finding.code;
        let (word, style) = match code.severity() {
            Severity::Error => ("error", ERROR),
            Severity::Warning => ("warning", WARNING),
        };
        let mut first = format!("    {} {}", self.ink(style, word), code.name());
        if let Some(object) = &finding.object {
            first.push_str("  ");
            first.push_str(&plain(object));
        }
        let mut lines = vec![first, format!("      {}", plain(&finding.message))];
        let facts = [
            ("written", place(finding)),
            ("statement", self.statement(finding)),
            ("tenants", tenants(finding)),
            ("instead", Some(code.remedy().to_owned())),
            ("more", Some(format!("tubex explain {}", code.name()))),
        ];
        let facts = facts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        lines.extend(facts.map(|(name, value)| {
            let name = self.ink(QUIET, &format!("{name:<9}"));
            format!("      {name}  {}", plain_lines(&value, "                 "))
        }));
        lines.join("\n")
    }

    fn statement(&self, finding: &Finding) -> Option<String> {
        let statement = finding.statement.as_deref()?;
        // What a compiler says is laid out in lines, and half of it says nothing.
        let is_whole = self.0.is_verbose || finding.code == Code::DoesNotCompile;
        Some(match is_whole {
            true => statement.to_owned(),
            false => shortened(statement),
        })
    }

    fn waived(&self, report: &Report) -> Option<String> {
        let lines = report.waived.iter().map(|waived| {
            let finding = &waived.finding;
            let of = finding.migration.iter().chain(&finding.object);
            let of: Vec<_> = of.map(|word| plain(word)).collect();
            format!(
                "  {}  {}: {}\n    {}  {}",
                finding.code.name(),
                of.join(", "),
                plain(&finding.message),
                self.ink(QUIET, "because"),
                plain(&waived.reason)
            )
        });
        self.block("waived", lines)
    }

    fn locks(&self, report: &Report) -> Option<String> {
        if !self.0.is_verbose {
            return None;
        }
        let lines = report.migrations.iter().map(locks);
        self.block("locks on tables that were there before", lines)
    }

    fn notes(&self, report: &Report) -> Option<String> {
        let lines = report.notes.iter().map(|note| format!("  {}", plain(note)));
        self.block("notes", lines)
    }

    fn parts(&self, report: &Report) -> Option<String> {
        let lines = report.parts.iter().map(|part| self.part(report, part));
        self.block("parts", lines)
    }

    fn part(&self, report: &Report, part: &PartReport) -> String {
        let found = |finding: &&Finding| finding.code.part() == part.part;
        let found = report.findings.iter().filter(found).count();
        let waived = report.waived.iter().map(|waived| &waived.finding);
        let waived = waived.filter(|one| one.code.part() == part.part).count();
        let said = match &part.skipped {
            Some(why) if part.examined == 0 => {
                self.ink(WARNING, &format!("skipped: {}", plain(why)))
            }
            skipped => {
                let mut said = format!(
                    "{} looked at in {}, {found} found",
                    part.examined,
                    time(part.duration_ms)
                );
                if waived > 0 {
                    said.push_str(&format!(", {waived} waived"));
                }
                if let Some(why) = skipped {
                    let why = format!("; not to its end: {}", plain(why));
                    said.push_str(&self.ink(WARNING, &why));
                }
                said
            }
        };
        format!("  {:<10}  {said}", part.part.name())
    }

    fn verdict(&self, report: &Report) -> String {
        let style = if report.findings.is_empty() {
            FINE
        } else {
            ERROR
        };
        self.ink(style, &verdict(report))
    }

    fn block(&self, title: &str, lines: impl Iterator<Item = String>) -> Option<String> {
        let lines: Vec<_> = lines.collect();
        if lines.is_empty() {
            return None;
        }
        Some(format!(
            "{}\n{}",
            self.ink(HEADING, title),
            lines.join("\n")
        ))
    }

    fn ink(&self, style: Style, text: &str) -> String {
        match self.0.has_colour {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }
}

fn locks(migration: &MigrationReport) -> String {
    let mut lines = vec![format!(
        "  {}  {} as {}, {} on {} rows",
        migration.name,
        migration.kind,
        migration.way,
        time(migration.duration_us / 1_000),
        migration.rows
    )];
    if migration.locks.is_empty() {
        lines.push("    none".to_owned());
    }
    lines.extend(migration.locks.iter().map(|lock| {
        format!(
            "    {}  {}  {}",
            lock.mode,
            plain(&lock.relation),
            shortened(&lock.statement)
        )
    }));
    lines.join("\n")
}

/// Text on one line, without anything that a terminal would obey.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ").trim_end().to_owned()
}

/// The same for text of several lines, which then stand below each other.
fn plain_lines(text: &str, indent: &str) -> String {
    let lines: Vec<_> = text.lines().map(plain).collect();
    lines.join(&format!("\n{indent}"))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn without_colour() -> String {
        render(&sample::report(), Look::default())
    }

    #[test]
    fn a_finding_says_what_was_seen_by_which_statement_and_what_to_do_instead() {
        let text = without_colour();

        let expected = "
    error index-under-lock  widget_colour_idx
      widget_colour_idx was built on widget, which held 50 rows
      written    migration/src/w0010_colour_idx.rs:12
      statement  CREATE INDEX widget_colour_idx ON widget (colour)
      instead    declare it Way::index with CREATE INDEX CONCURRENTLY, alone in its migration
      more       tubex explain index-under-lock
";
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("t1, t2, t3, t4, t5 and 32 more"), "{text}");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_comes_from_a_database() {
        let text = without_colour();

        let controls = |c: &char| c.is_control() && *c != '\n';
        assert_eq!(text.chars().find(controls), None);
        assert!(!text.contains("\n::"), "{text}");
    }

    #[test]
    fn colours_change_no_word() {
        let look = Look {
            has_colour: true,
            is_verbose: false,
        };
        let coloured = render(&sample::report(), look);

        let mut bare = String::new();
        for piece in coloured.split('\u{1b}') {
            let text = match piece.strip_prefix('[') {
                Some(piece) => piece.split_once('m').expect("a style ends").1,
                None => piece,
            };
            bare.push_str(text);
        }
        assert_ne!(coloured, bare);
        assert_eq!(bare, without_colour());
    }

    #[test]
    fn every_part_says_how_it_went_and_the_last_line_counts() {
        let text = without_colour();

        for line in [
            "  lint        2 looked at in 1.2 s, 5 found",
            "  kind        2 looked at in 1.2 s, 0 found, 1 waived",
            "  fleet       40 looked at in 1.2 s, 1 found; not to its end: the 3 tenants of one \
             node could not be read",
            "  roads       skipped: no fleet",
        ] {
            assert!(text.lines().any(|one| one == line), "{text}");
        }
        assert!(text.ends_with("\n5 errors, 1 warning, 1 waived in 2 migrations\n"));
    }

    #[test]
    fn locks_are_told_to_those_who_ask() {
        let look = Look {
            has_colour: false,
            is_verbose: true,
        };
        let text = render(&sample::report(), look);

        assert!(!without_colour().contains("ShareLock"));
        assert!(
            text.contains("    ShareLock  widget  CREATE INDEX"),
            "{text}"
        );
        assert!(text.contains("  w0002_unique  expand as transaction, 4 ms on 150 rows\n    none"));
    }
}
