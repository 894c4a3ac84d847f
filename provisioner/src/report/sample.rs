//! A report with everything that one can hold, and every character that a format could trip over.

use crate::check::{Code, Finding, HeldLock, MigrationReport, Part, PartReport, Report, Waived};

/// Words that mean something to each of the formats.
pub(super) const ODD: &str = "100% <b>|`x`|</b> & \"q\" ]]> a,b:c\n::error::no\u{1b}[31m\u{1}";

pub(super) fn report() -> Report {
    Report {
        parts: parts(),
        migrations: vec![
            migration("w0002_unique", vec![]),
            migration(
                "w0010_colour_idx",
                vec![HeldLock {
                    relation: "widget".to_owned(),
                    mode: "ShareLock".to_owned(),
                    statement: "CREATE INDEX widget_colour_idx ON widget (colour)".to_owned(),
                }],
            ),
        ],
        findings: findings(),
        waived: vec![Waived {
            finding: Finding::new(Code::IndexDropped, "widget_old_idx goes")
                .of("w0002_unique")
                .at("widget_old_idx"),
            reason: format!("nobody reads by it: {ODD}"),
        }],
        notes: vec![format!("no row could be made for shelf {ODD}")],
    }
}

fn parts() -> Vec<PartReport> {
    let part = |part, examined| PartReport {
        part,
        duration_ms: 1_250,
        examined,
        skipped: None,
    };
    vec![
        part(Part::Lint, 2),
        part(Part::Kind, 2),
        part(Part::Entities, 7),
        PartReport {
            skipped: Some("the 3 tenants of one node could not be read".to_owned()),
            ..part(Part::Fleet, 40)
        },
        PartReport {
            skipped: Some("no fleet".to_owned()),
            ..part(Part::Roads, 0)
        },
    ]
}

fn migration(name: &str, locks: Vec<HeldLock>) -> MigrationReport {
    MigrationReport {
        name: name.to_owned(),
        kind: "expand".to_owned(),
        way: "transaction".to_owned(),
        duration_us: 4_200,
        rows: 150,
        locks,
    }
}

fn findings() -> Vec<Finding> {
    let mut index = Finding::new(
        Code::IndexUnderLock,
        "widget_colour_idx was built on widget, which held 50 rows",
    )
    .of("w0010_colour_idx")
    .at("widget_colour_idx")
    .by("CREATE INDEX widget_colour_idx\n    ON widget (colour)");
    index.written = Some(("migration/src/w0010_colour_idx.rs".to_owned(), Some(12)));
    let mut drift = Finding::new(Code::Drift, "an index is missing").at("index widget_name_key");
    drift.tenants = (1..=20).map(|number| format!("t{number}")).collect();
    drift.tenant_count = 37;
    vec![
        drift,
        index.clone(),
        Finding::new(Code::NarrowKey, ODD)
            .of("w0010_colour_idx")
            .at(ODD),
        Finding::new(Code::Fails, "division by zero")
            .of("w0002_unique")
            .by(ODD),
        Finding::new(Code::DoesNotCompile, "mismatched types"),
        // The same thing twice: neither may hide the other.
        index,
    ]
}
