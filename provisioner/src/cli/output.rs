//! Printing: tables and fields for people, JSON for machines.

use std::io::Write as _;

use provisioner::TenantEntry;
use sea_orm::ActiveEnum as _;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A line on standard output. Whoever closed the pipe has read enough.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A line on standard error.
pub(super) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A warning, where it can't be taken for an answer.
pub(super) fn warn(text: &impl std::fmt::Display) {
    complain(&format!("warning: {text}"));
}

/// A tenant for machines.
pub(super) fn tenant_json(tenant: &TenantEntry) -> Value {
    json!({
        "id": tenant.id,
        "slug": tenant.slug,
        "name": tenant.name,
        "status": tenant.status.to_value(),
        "schema_name": tenant.schema_name,
        "node": tenant.node,
        "lane": tenant.lane,
        "plan": tenant.plan,
        "schema_version": tenant.schema_version,
        "tags": tenant.tags,
        "legal_hold": tenant.legal_hold,
        "size_bytes": tenant.size_bytes,
        "last_active_at": tenant.last_active_at.map(moment),
        "created_at": moment(tenant.created_at),
    })
}

/// A tenant for people, field by field.
pub(super) fn tenant_fields(tenant: &TenantEntry) -> String {
    fields(&[
        ("slug", &tenant.slug),
        ("name", &tenant.name),
        ("status", &tenant.status.to_value()),
        ("id", &tenant.id.to_string()),
        ("schema", &tenant.schema_name),
        ("version", &tenant.schema_version),
        ("node", &tenant.node),
        ("lane", &tenant.lane),
        ("plan", tenant.plan.as_deref().unwrap_or("none")),
        ("tags", &tenant.tags.join(", ")),
        ("legal hold", tenant.legal_hold.as_deref().unwrap_or("none")),
        ("size", &size(tenant.size_bytes)),
        (
            "last active",
            &tenant.last_active_at.map_or_else(unknown, moment),
        ),
        ("created", &moment(tenant.created_at)),
    ])
}

/// What nobody has told yet.
pub(super) fn unknown() -> String {
    "-".to_owned()
}

/// Bytes for people: whole ones, in the unit that makes them short.
pub(super) fn size(bytes: Option<i64>) -> String {
    let Some(mut number) = bytes else {
        return unknown();
    };
    let mut units = ["B", "kB", "MB", "GB", "TB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while number >= 10_000
        && let Some(next) = units.next()
    {
        number /= 1024;
        unit = next;
    }
    format!("{number} {unit}")
}

/// Names and values in two columns.
pub(super) fn fields(rows: &[(&str, &str)]) -> String {
    let width = rows
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    let lines: Vec<_> = rows
        .iter()
        .map(|(name, value)| format!("{name:<width$}  {value}"))
        .collect();
    lines.join("\n")
}

/// Rows under a heading, columns as wide as their widest cell.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = heading.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<_> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(heading.to_vec())];
    lines.extend(
        rows.iter()
            .map(|row| line(row.iter().map(String::as_str).collect())),
    );
    lines.join("\n")
}

/// RFC 3339 in UTC.
pub(super) fn moment(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC)
        .format(&Rfc3339)
        .expect("years from 0 to 9999 fit RFC 3339, and Postgres' clock is within them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_short() {
        assert_eq!(size(None), "-");
        assert_eq!(size(Some(9_999)), "9999 B");
        assert_eq!(size(Some(5_242_880)), "5120 kB");
        assert_eq!(size(Some(i64::MAX)), "8388607 TB");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            ["ab".to_owned(), "c".to_owned()],
            ["ü".to_owned(), "long".to_owned()],
        ];

        assert_eq!(table(["x", "y"], &rows), "x   y\nab  c\nü   long");
    }
}
