//! A report's shape in JSON, word for word as its schema says.

use serde::{Deserialize, Serialize};

use super::count;
use super::json::NotAReport;
use crate::check::{
    Code, Finding, HeldLock, MigrationReport, Part, PartReport, Report, Severity, Waived,
};

/// What the shape is called; it changes when a reader would have to.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    format: u32,
    tool: Tool,
    passed: bool,
    errors: usize,
    warnings: usize,
    parts: Vec<WirePart>,
    migrations: Vec<WireMigration>,
    findings: Vec<WireFinding>,
    waived: Vec<WireWaived>,
    notes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Tool {
    name: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
struct WirePart {
    part: String,
    title: String,
    duration_ms: u64,
    examined: u64,
    skipped: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WireMigration {
    name: String,
    kind: String,
    way: String,
    duration_us: u64,
    rows: u64,
    locks: Vec<WireLock>,
}

#[derive(Serialize, Deserialize)]
struct WireLock {
    relation: String,
    mode: String,
    statement: String,
}

#[derive(Serialize, Deserialize)]
struct WireFinding {
    code: String,
    part: String,
    severity: String,
    title: String,
    remedy: String,
    migration: Option<String>,
    object: Option<String>,
    message: String,
    statement: Option<String>,
    written: Option<Written>,
    tenants: Vec<String>,
    tenant_count: u64,
}

#[derive(Serialize, Deserialize)]
struct Written {
    path: String,
    line: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct WireWaived {
    finding: WireFinding,
    reason: String,
}

impl Document {
    pub(super) fn of(report: &Report) -> Self {
        let (errors, warnings) = count(&report.findings);
        Self {
            format: FORMAT,
            tool: Tool {
                name: "tubex".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            passed: report.findings.is_empty(),
            errors,
            warnings,
            parts: report.parts.iter().map(WirePart::of).collect(),
            migrations: report.migrations.iter().map(WireMigration::of).collect(),
            findings: report.findings.iter().map(WireFinding::of).collect(),
            waived: report.waived.iter().map(WireWaived::of).collect(),
            notes: report.notes.clone(),
        }
    }

    pub(super) fn into_report(self) -> Result<Report, NotAReport> {
        if self.format != FORMAT {
            return Err(NotAReport::Unknown(format!("format {}", self.format)));
        }
        let parts = self.parts.into_iter().map(WirePart::read);
        let migrations = self.migrations.into_iter().map(WireMigration::read);
        let findings = self.findings.into_iter().map(WireFinding::read);
        let waived = self.waived.into_iter().map(WireWaived::read);
        Ok(Report {
            parts: parts.collect::<Result<_, _>>()?,
            migrations: migrations.collect(),
            findings: findings.collect::<Result<_, _>>()?,
            waived: waived.collect::<Result<_, _>>()?,
            notes: self.notes,
        })
    }
}

impl WirePart {
    fn of(part: &PartReport) -> Self {
        Self {
            part: part.part.name().to_owned(),
            title: part.part.title().to_owned(),
            duration_ms: part.duration_ms,
            examined: part.examined,
            skipped: part.skipped.clone(),
        }
    }

    fn read(self) -> Result<PartReport, NotAReport> {
        let part = Part::ALL.into_iter().find(|part| part.name() == self.part);
        Ok(PartReport {
            part: part.ok_or(NotAReport::Unknown(self.part))?,
            duration_ms: self.duration_ms,
            examined: self.examined,
            skipped: self.skipped,
        })
    }
}

impl WireMigration {
    fn of(migration: &MigrationReport) -> Self {
        let lock = |lock: &HeldLock| WireLock {
            relation: lock.relation.clone(),
            mode: lock.mode.clone(),
            statement: lock.statement.clone(),
        };
        Self {
            name: migration.name.clone(),
            kind: migration.kind.clone(),
            way: migration.way.clone(),
            duration_us: migration.duration_us,
            rows: migration.rows,
            locks: migration.locks.iter().map(lock).collect(),
        }
    }

    fn read(self) -> MigrationReport {
        let lock = |lock: WireLock| HeldLock {
            relation: lock.relation,
            mode: lock.mode,
            statement: lock.statement,
        };
        MigrationReport {
            name: self.name,
            kind: self.kind,
            way: self.way,
            duration_us: self.duration_us,
            rows: self.rows,
            locks: self.locks.into_iter().map(lock).collect(),
        }
    }
}

impl WireFinding {
    fn of(finding: &Finding) -> Self {
        let code = finding.code;
        let severity = match code.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let written = finding.written.clone();
        Self {
            code: code.name().to_owned(),
            part: code.part().name().to_owned(),
            severity: severity.to_owned(),
            title: code.title().to_owned(),
            remedy: code.remedy().to_owned(),
            migration: finding.migration.clone(),
            object: finding.object.clone(),
            message: finding.message.clone(),
            statement: finding.statement.clone(),
            written: written.map(|(path, line)| Written { path, line }),
            tenants: finding.tenants.clone(),
            tenant_count: finding.tenant_count,
        }
    }

    fn read(self) -> Result<Finding, NotAReport> {
        Ok(Finding {
            code: Code::find(&self.code).ok_or(NotAReport::Unknown(self.code))?,
            migration: self.migration,
            object: self.object,
            message: self.message,
            statement: self.statement,
            written: self.written.map(|written| (written.path, written.line)),
            tenants: self.tenants,
            tenant_count: self.tenant_count,
        })
    }
}

impl WireWaived {
    fn of(waived: &Waived) -> Self {
        Self {
            finding: WireFinding::of(&waived.finding),
            reason: waived.reason.clone(),
        }
    }

    fn read(self) -> Result<Waived, NotAReport> {
        Ok(Waived {
            finding: self.finding.read()?,
            reason: self.reason,
        })
    }
}
