//! One schema taken from nothing to head, migration by migration, with rows in every table: what
//! each does is watched, whether it can be taken back is tried, and its back-fill is run.

mod fill;
mod trouble;

use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction};
use sea_orm_migration::MigratorTraitSelf as _;

use self::fill::{prepare_fill, run_fill};
use self::trouble::{Victim, explain};
use super::error::CheckError;
use super::lint::{self, Seen};
use super::rows::{self, Probe};
use super::scratch::Scratch;
use super::snapshot::Snapshot;
use super::stage::{Act, Taken, Task, Trouble, take};
use super::{CheckOptions, Code, Finding, MigrationReport, Part, Report, kind};
use crate::create::make_schema;
use crate::fingerprint::{self, Difference, Shape};
use crate::transaction::{Limits, begin, enter, finish};
use crate::{Declared, Kind, Product, SchemaName, Way};

pub(super) const LIMITS: Limits = Limits {
    lock_timeout: std::time::Duration::from_secs(10),
    statement_timeout: std::time::Duration::from_secs(120),
    silence: None,
};

/// How far it went.
pub(super) struct Walked {
    /// The schema; it stands at head unless the walk was stopped.
    pub(super) schema: SchemaName,
    /// Why it did not come to head.
    pub(super) stopped: Option<String>,
}

/// What the walk carries along.
struct Walk<'a, P> {
    scratch: &'a Scratch,
    product: &'a Arc<P>,
    options: &'a CheckOptions,
    schema: SchemaName,
}

/// The copy before a migration.
struct Copy {
    rows: u64,
    probes: Vec<Probe>,
    shape: Shape,
}

/// Takes all migrations; those from `first` on are watched.
pub(super) async fn walk<P: Product>(
    scratch: &Scratch,
    product: &Arc<P>,
    options: &CheckOptions,
    first: usize,
    report: &mut Report,
) -> Result<Walked, CheckError> {
    let walk = Walk {
        scratch,
        product,
        options,
        schema: new_schema(scratch).await?,
    };
    let migrations = product.migrator().migrations();
    let names: Vec<String> = migrations.iter().map(|one| one.name().to_owned()).collect();
    let mut stopped = None;
    for (place, name) in names.iter().enumerate() {
        let went = match place < first {
            true => walk.pass(place, name, report).await?,
            false => walk.watch(place, name, &names[..place], report).await?,
        };
        if !went {
            let rest = names.len() - place - 1;
            stopped = Some(format!("{name} fails; {rest} after it were not looked at"));
            break;
        }
    }
    Ok(Walked {
        schema: walk.schema,
        stopped,
    })
}

/// An empty schema with a tenant's role and rights.
pub(super) async fn new_schema(scratch: &Scratch) -> Result<SchemaName, CheckError> {
    let schema = scratch.name_schema()?;
    let made = async {
        let tx = begin(&scratch.db, LIMITS).await?;
        let outcome = async {
            make_schema(&tx, &schema).await?;
            tx.execute_unprepared(&scratch.mark(&schema)).await
        };
        let outcome = outcome.await;
        finish(tx, outcome).await
    };
    made.await.map_err(|error| scratch.trouble(error))?;
    Ok(schema)
}

impl<P: Product> Walk<'_, P> {
    fn task(&self, place: usize, act: Act) -> Task<P> {
        Task {
            product: Arc::clone(self.product),
            place,
            schema: self.schema.clone(),
            act,
            timeout: self.options.timeout,
        }
    }

    async fn take(&self, place: usize, act: Act) -> Result<Taken, Trouble> {
        let scratch = self.scratch;
        take(&scratch.db, &scratch.options, self.task(place, act)).await
    }

    /// Takes a migration that is not to be looked at.
    async fn pass(
        &self,
        place: usize,
        name: &str,
        report: &mut Report,
    ) -> Result<bool, CheckError> {
        match self.take(place, Act::Up).await {
            Ok(_) => Ok(true),
            Err(trouble) => {
                let finding = explain(self.victim(place, name), trouble).await?;
                report.findings.push(finding);
                Ok(false)
            }
        }
    }

    fn victim<'a>(&'a self, place: usize, name: &'a str) -> Victim<'a, P> {
        Victim {
            scratch: self.scratch,
            product: self.product,
            options: self.options,
            place,
            name,
        }
    }

    /// Takes a migration and looks at all that it does.
    async fn watch(
        &self,
        place: usize,
        name: &str,
        earlier: &[String],
        report: &mut Report,
    ) -> Result<bool, CheckError> {
        let copy = self.copy(name, report).await?;
        let mut findings = vec![];
        let declared = self.product.declared(name).unwrap_or_else(|| {
            let message = "declares neither kind nor way";
            findings.push(Finding::new(Code::Undeclared, message).of(name));
            Declared::new(Kind::Expand, Way::Transaction)
        });
        let fill = match &declared.way {
            Way::Fill { statement } => Some(prepare_fill(self, name, statement).await?),
            _ => None,
        };
        let taken = match self.take(place, Act::Watch).await {
            Ok(taken) => taken,
            Err(trouble) => {
                let finding = explain(self.victim(place, name), trouble).await?;
                report.findings.push(finding);
                return Ok(false);
            }
        };
        let seen = Seen {
            name,
            declared: &declared,
            taken: &taken,
        };
        findings.extend(lint::look(seen));
        findings.extend(kind::contract_since(name, &declared.kind, earlier));
        let broken = self.try_probes(name, &taken.before, &copy.probes).await?;
        findings.extend(kind::look(seen, broken));
        if let Some(fill) = fill {
            findings.extend(run_fill(self, name, fill).await?);
        }
        match declared.kind {
            Kind::Expand if self.options.wants(Part::Reversible) => {
                findings.extend(self.there_and_back(place, name, &copy.shape).await?);
            }
            Kind::Contract { .. } if self.options.wants(Part::Reversible) => {
                let note = format!("{name} is a contract: there is no way back over it");
                report.notes.push(note);
            }
            _ => {}
        }
        findings.retain(|finding| self.options.wants(finding.code.part()));
        report.findings.extend(findings);
        report.migrations.push(MigrationReport {
            name: name.to_owned(),
            kind: kind_name(&declared.kind).to_owned(),
            way: way_name(&declared.way).to_owned(),
            duration_us: u64::try_from(taken.duration.as_micros()).unwrap_or(u64::MAX),
            rows: copy.rows,
            locks: lint::locks(seen),
        });
        Ok(true)
    }

    /// Fills the schema, and remembers how it looked.
    async fn copy(&self, name: &str, report: &mut Report) -> Result<Copy, CheckError> {
        let (options, schema) = (self.options, &self.schema);
        self.within(async |tx| {
            let filled = rows::fill(tx, schema, options.rows, options.seed).await?;
            for (table, reason) in filled.empty {
                let note = format!("no row could be made for {table} before {name}: {reason}");
                if !report.notes.contains(&note) {
                    report.notes.push(note);
                }
            }
            let probes = rows::probes(tx, schema, options.seed).await?;
            Ok(Copy {
                rows: filled.rows,
                probes,
                shape: fingerprint::shape(tx, schema).await?,
            })
        })
        .await
    }

    async fn try_probes(
        &self,
        name: &str,
        before: &Snapshot,
        probes: &[Probe],
    ) -> Result<Vec<Finding>, CheckError> {
        self.within(async |tx| kind::try_probes(tx, name, before, probes).await)
            .await
    }

    /// A transaction in the schema, kept when all went well.
    async fn within<T>(
        &self,
        work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, sea_orm::DbErr>,
    ) -> Result<T, CheckError> {
        let done = async {
            let tx = begin(&self.scratch.db, LIMITS).await?;
            let outcome = async {
                enter(&tx, &self.schema).await?;
                work(&tx).await
            };
            let outcome = outcome.await;
            finish(tx, outcome).await
        };
        done.await.map_err(|error| self.scratch.trouble(error))
    }

    /// Down and up again, in a transaction that is undone.
    async fn there_and_back(
        &self,
        place: usize,
        name: &str,
        before: &Shape,
    ) -> Result<Vec<Finding>, CheckError> {
        let schema = &self.schema;
        let after = self
            .within(async |tx| fingerprint::shape(tx, schema).await)
            .await?;
        let taken = match self.take(place, Act::ThereAndBack).await {
            Ok(taken) => taken,
            Err(trouble) => {
                let finding = explain(self.victim(place, name), trouble).await?;
                return Ok(vec![finding]);
            }
        };
        let mut findings = vec![];
        for (is, should, code) in [
            (taken.back, before, Code::DownLeavesTraces),
            (taken.again, &after, Code::UpAgainDiffers),
        ] {
            let difference = is.and_then(|is| is.difference(should));
            if let Some(difference) = difference {
                findings.push(Finding::new(code, tell(&difference)).of(name));
            }
        }
        // Where traces are left it is they who are in the way.
        if let Some((words, statement)) = taken.again_refused
            && findings.is_empty()
        {
            let message = format!("fails when it is taken a second time: {words}");
            let finding = Finding::new(Code::UpAgainDiffers, message).of(name);
            findings.push(finding.by(statement.as_deref().unwrap_or_default()));
        }
        Ok(findings)
    }
}

/// A difference in one sentence.
pub(super) fn tell(difference: &Difference) -> String {
    const MOST: usize = 5;
    let words = difference.words();
    let more = match words.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let named = words.into_iter().take(MOST).collect::<Vec<_>>();
    format!("{}{more}", named.join("; "))
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Expand => "expand",
        Kind::Contract { .. } => "contract",
    }
}

fn way_name(way: &Way) -> &'static str {
    match way {
        Way::Transaction => "transaction",
        Way::Index { .. } => "index",
        Way::Fill { .. } => "fill",
    }
}
