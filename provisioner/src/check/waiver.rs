//! What somebody has answered for, beside the migration that does it.

use sea_orm_migration::MigratorTraitSelf as _;

use super::{CheckOptions, Code, Finding, Report, Waived};
use crate::Product;

/// A finding that may stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Its code's name.
    pub code: String,
    /// Why it may stay; never empty.
    pub reason: String,
}

/// Sorts out of a report what somebody has answered for, and finds waivers that are of no use.
/// Those of migrations that were not watched are left alone.
pub(super) fn waive<P: Product>(
    product: &P,
    options: &CheckOptions,
    first: usize,
    report: &mut Report,
) {
    let watched = report.migrations.len();
    let migrations = product.migrator().migrations();
    for migration in migrations.iter().skip(first).take(watched) {
        let name = migration.name();
        let Some(declared) = product.declared(name) else {
            continue;
        };
        for waiver in &declared.waivers {
            let complaint = match Code::find(&waiver.code) {
                None => Some((Code::WaiverUnknown, format!("{:?} is no code", waiver.code))),
                Some(_) if waiver.reason.trim().is_empty() => Some((
                    Code::WaiverWithoutReason,
                    format!("{} is waived without a reason", waiver.code),
                )),
                Some(code) => {
                    let was_found = apply(report, name, code, &waiver.reason);
                    let is_unused = !was_found && options.wants(code.part());
                    is_unused.then(|| {
                        let message = format!("{} is waived and was not found", waiver.code);
                        (Code::WaiverUnused, message)
                    })
                }
            };
            if let Some((code, message)) = complaint
                && options.wants(code.part())
            {
                report.findings.push(Finding::new(code, message).of(name));
            }
        }
    }
    for finding in &mut report.findings {
        note_source(product, finding);
    }
    for waived in &mut report.waived {
        note_source(product, &mut waived.finding);
    }
}

fn apply(report: &mut Report, migration: &str, code: Code, reason: &str) -> bool {
    let is_meant =
        |finding: &Finding| finding.code == code && finding.migration.as_deref() == Some(migration);
    let (waived, kept) = std::mem::take(&mut report.findings)
        .into_iter()
        .partition::<Vec<_>, _>(is_meant);
    report.findings = kept;
    let was_found = !waived.is_empty();
    report
        .waived
        .extend(waived.into_iter().map(|finding| Waived {
            finding,
            reason: reason.to_owned(),
        }));
    was_found
}

/// Where the migration of a finding is written.
fn note_source<P: Product>(product: &P, finding: &mut Finding) {
    let Some(migration) = &finding.migration else {
        return;
    };
    let written = product.declared(migration).and_then(|one| one.written);
    finding.written = finding.written.take().or(written.map(|path| (path, None)));
}
