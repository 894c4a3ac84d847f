//! A summary in Markdown, for the page of a job.

use std::fmt::Write as _;

use super::{grouped, shortened, time, verdict};
use crate::check::{Finding, Report};

/// A job's page takes a mebibyte; nobody reads that many rows.
const ROWS: usize = 200;

/// What was found, as tables.
pub fn summary(report: &Report) -> String {
    let mut text = format!("## tubex check: {}\n", verdict(report));
    if !report.findings.is_empty() {
        text.push_str("\n| code | where | seen | the safe way |\n|---|---|---|---|\n");
    }
    let groups = grouped(report, report.findings.iter());
    let ordered = groups.into_values().flatten().flat_map(|(_, group)| group);
    for finding in ordered.take(ROWS) {
        text.push_str(&row(finding));
    }
    if report.findings.len() > ROWS {
        let more = report.findings.len() - ROWS;
        let _ = writeln!(text, "\n… and {more} more.");
    }
    text.push_str("\n| part | looked at | time | |\n|---|---|---|---|\n");
    for part in &report.parts {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            part.part.name(),
            part.examined,
            time(part.duration_ms),
            cell(part.skipped.as_deref().unwrap_or_default())
        );
    }
    if !report.waived.is_empty() {
        text.push_str("\n| waived | where | because |\n|---|---|---|\n");
    }
    for waived in report.waived.iter().take(ROWS) {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            waived.finding.code.name(),
            subject(&waived.finding),
            cell(&waived.reason)
        );
    }
    for note in &report.notes {
        let _ = write!(text, "\n* {}", cell(note));
    }
    text.push('\n');
    text
}

fn row(finding: &Finding) -> String {
    let mut seen = cell(&finding.message);
    if let Some(statement) = &finding.statement {
        let _ = write!(seen, "<br>{}", cell(&shortened(statement)));
    }
    format!(
        "| {} | {} | {seen} | {} |\n",
        finding.code.name(),
        subject(finding),
        cell(finding.code.remedy())
    )
}

fn subject(finding: &Finding) -> String {
    let words = finding.migration.iter().chain(&finding.object);
    let words: Vec<_> = words.map(|word| cell(word)).collect();
    words.join("<br>")
}

/// Text that means itself: on one line, and without a sign that Markdown or HTML would read.
fn cell(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' | '!' | '@' | '<' | '>' | '&' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_row_has_its_columns_whatever_was_seen() {
        let text = summary(&sample::report());

        let rows: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("| ") && line.matches('|').count() == 5)
            .collect();
        // The findings, the parts, and a heading over each.
        assert_eq!(rows.len(), 6 + 5 + 2, "{text}");
        assert!(text.starts_with("## tubex check: 5 errors, 1 warning, 1 waived"));
        assert!(text.contains("| index-dropped | w0002&#95;unique<br>widget&#95;old&#95;idx |"));
        assert!(!text.contains("<b>"));
    }

    #[test]
    fn a_page_stays_short() {
        let mut report = sample::report();
        report.findings = vec![report.findings[0].clone(); 1_000];

        let text = summary(&report);

        assert!(text.contains("… and 800 more."));
        assert!(text.len() < 100_000);
    }
}
