//! Workflow commands of GitHub Actions: each finding is shown at its line of the pull request.

use super::{Look, human};
use crate::check::{Finding, Report, Severity};

pub(super) fn render(report: &Report, look: Look) -> String {
    let mut text: String = report.findings.iter().map(command).collect();
    let summary = human::render(report, look);
    for line in summary.lines() {
        // Whatever begins like a command would be obeyed.
        if line.trim_start().starts_with("::") || line.contains("##[") {
            text.push_str("| ");
        }
        text.push_str(&line.replace("##[", "## ["));
        text.push('\n');
    }
    text
}

fn command(finding: &Finding) -> String {
    let code = finding.code;
    let word = match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut properties = Vec::new();
    if let Some((path, line)) = &finding.written {
        properties.push(format!("file={}", property(path)));
        properties.extend(line.map(|line| format!("line={line}")));
    }
    let title = match &finding.migration {
        Some(migration) => format!("{} in {migration}", code.name()),
        None => code.name().to_owned(),
    };
    properties.push(format!("title={}", property(&title)));
    let object = finding.object.iter().map(|object| format!("{object}: "));
    let message = format!(
        "{}{}\nThe safe way: {}\nMore: tubex explain {}",
        object.collect::<String>(),
        finding.message,
        code.remedy(),
        code.name()
    );
    format!("::{word} {}::{}\n", properties.join(","), data(&message))
}

/// A command ends with its line, and a percent sign begins what stands for another character.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property ends with a comma, and all of them with a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::check::Code;

    #[test]
    fn a_finding_is_one_command_at_its_line() {
        let text = render(&sample::report(), Look::default());

        let expected = "::error file=migration/src/w0010_colour_idx.rs,line=12,\
             title=index-under-lock in w0010_colour_idx::widget_colour_idx: widget_colour_idx was \
             built on widget, which held 50 rows%0AThe safe way: declare it Way%3A%3A";
        let expected = expected.replace("%3A", ":");
        assert!(text.contains(&expected), "{text}");
    }

    #[test]
    fn nothing_that_was_seen_is_obeyed() {
        let mut report = sample::report();
        let mut odd = Finding::new(Code::Drift, sample::ODD);
        odd.written = Some(("a,b:c%.rs".to_owned(), None));
        report.findings.push(odd);
        report
            .findings
            .push(Finding::new(Code::DoesNotCompile, "no").by("::stop-commands::x\n ##[error]y"));

        let text = render(&report, Look::default());

        let commands = text
            .lines()
            .filter(|line| line.trim_start().starts_with("::"));
        assert_eq!(commands.count(), report.findings.len());
        assert!(!text.contains("##["), "{text}");
        assert!(
            text.contains("::error file=a%2Cb%3Ac%25.rs,title=drift::100%25 <b>"),
            "{text}"
        );
        assert!(text.contains("a,b:c%0A::error::no"), "{text}");
    }
}
