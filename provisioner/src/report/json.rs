//! All of a report for machines, and the way back. What it looks like is a promise: [`SCHEMA`].

use super::wire::Document;
use crate::check::Report;

/// The JSON Schema (draft 2020-12) of what [`render`] writes.
pub const SCHEMA: &str = include_str!("../../docs/check-report.schema.json");

/// A text that is no report of ours.
#[derive(Debug, thiserror::Error)]
pub enum NotAReport {
    /// It has another shape.
    #[error("this is no report of a check")]
    Shape(#[from] serde_json::Error),
    /// It says something that this build doesn't know.
    #[error("{0:?} is not known to this build")]
    Unknown(String),
}

pub(super) fn render(report: &Report) -> String {
    let text = serde_json::to_string_pretty(&Document::of(report));
    text.expect("a report has nothing that JSON can't say") + "\n"
}

/// The same on a single line, for a pipe.
pub fn line(report: &Report) -> String {
    let text = serde_json::to_string(&Document::of(report));
    text.expect("a report has nothing that JSON can't say")
}

/// Reads what [`line`] or the format wrote.
///
/// # Errors
///
/// [`NotAReport`].
pub fn read(text: &str) -> Result<Report, NotAReport> {
    serde_json::from_str::<Document>(text)?.into_report()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_report_survives_being_written_and_read() {
        let report = sample::report();

        assert_eq!(read(&render(&report)).unwrap(), report);
        assert_eq!(read(&line(&report)).unwrap(), report);
        assert!(!line(&report).contains('\n'));
    }

    #[test]
    fn a_newer_report_is_refused_rather_than_misread() {
        let text = line(&sample::report());

        let newer = text.replace(r#""format":1"#, r#""format":2"#);
        let strange = text.replace("index-under-lock", "index-over-lock");

        assert!(matches!(read(&newer), Err(NotAReport::Unknown(_))));
        assert!(matches!(read(&strange), Err(NotAReport::Unknown(_))));
        assert!(matches!(read("{}"), Err(NotAReport::Shape(_))));
    }

    #[test]
    fn the_schema_names_every_code_and_part() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();

        let known = |name: &str| -> Vec<String> {
            serde_json::from_value(schema["$defs"][name]["enum"].clone()).unwrap()
        };
        let codes: Vec<_> = crate::check::CODES.iter().map(|code| code.name()).collect();
        let parts = crate::check::Part::ALL.map(crate::check::Part::name);
        assert_eq!(known("code"), codes);
        assert_eq!(known("part"), parts);
    }
}
