//! Rehearsals: the migrations that tenants have before them, tried on clones of a few that differ
//! most, and what that says about all of them.
//!
//! A clone stands beside its tenant, on the same node and with the same rows, and no directory
//! knows it. It is taken along the very path that a run would take (messages, indexes beside
//! traffic, batches) with a watch in hand, and removed. What breaks breaks there, and the tenant
//! is never touched.

mod leftovers;
mod pick;
mod predict;
mod report;
mod survey;
mod take;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::DbErr;
use uuid::Uuid;

use self::leftovers::{Life, mark, remove, remove_dead};
use self::pick::{Candidate, Pick, pick};
pub use self::predict::Prediction;
use self::predict::{Measured, Terms, predict};
pub use self::report::{Outcome, Rehearsal, Rehearsed, RehearsedTenant};
use self::report::{told, untouched};
use self::survey::{Survey, survey};
use self::take::{Stage, take};
use crate::copy::{CopyError, Mirror, Source, mirror};
use crate::db_error::describe;
use crate::fleet::{Course, Extent, Path, Traffic};
use crate::history::now;
use crate::nodes::Site;
use crate::query::{one, run};
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};
use crate::{Inner, Product, Provisioner, RunError, RunOptions, SchemaName};

const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(5),
    statement_timeout: Duration::from_secs(120),
    silence: None,
};

/// How to rehearse.
#[derive(Clone, Debug)]
pub struct RehearseOptions {
    /// Where to; the newest migration of this build if it isn't said.
    pub to: Option<String>,
    /// With so many tenants at most.
    pub most: usize,
    /// Tables and indexes that are copied at most, in bytes.
    pub budget_bytes: i64,
    /// How long it may take, about.
    pub budget: Duration,
    /// Connections that the run will have, for what is predicted.
    pub connections: u16,
}

impl Default for RehearseOptions {
    fn default() -> Self {
        Self {
            to: None,
            most: 5,
            budget_bytes: 1_024 * 1_048_576,
            budget: Duration::from_secs(300),
            connections: 2,
        }
    }
}

impl<P: Product> Provisioner<P> {
    /// Tries what is before those who are behind on clones of a few, keeps what came of it, and
    /// says what is to be expected. Nothing of it is left behind: clones of rehearsals that were
    /// killed are removed first.
    ///
    /// # Errors
    ///
    /// [`RunError`]; that a migration fails on a tenant's rows is an answer, not an error.
    pub async fn rehearse(
        &self,
        options: RehearseOptions,
        actor: &str,
    ) -> Result<Rehearsal, RunError> {
        let begun = Instant::now();
        let known = self.versions();
        let target = match &options.to {
            Some(version) => version.clone(),
            None => known.last().ok_or(RunError::NoMigrations)?.clone(),
        };
        let at = known.iter().position(|version| *version == target);
        let at = at.ok_or_else(|| RunError::UnknownVersion(target.clone()))?;
        let before = &known[..at];
        let platform = &self.inner.db;
        // Where it could not be kept there is no use in holding one.
        one(
            platform,
            "SELECT 1 AS yes FROM platform.rehearsal LIMIT 1",
            [],
        )
        .await?;
        let mut found = survey(&self.inner, before).await?;
        for site in found.sites.values() {
            let notes = remove_dead(platform, site.database(platform)).await?;
            found.notes.extend(notes);
        }
        if found.pending.is_empty() {
            return Ok(Rehearsal::Nothing { target });
        }
        let picks = pick(&found.candidates, options.most, options.budget_bytes);
        if picks.is_empty() {
            found.notes.push(
                "nobody who is behind has room in the budget: --budget-mb allows more".to_owned(),
            );
        }
        let stands = |version: &&String| {
            let mut candidates = found.candidates.iter();
            candidates.any(|one| one.version == **version)
        };
        let from_versions = before.iter().filter(stands).cloned().collect();
        let mut rehearsed = Rehearsed {
            id: Uuid::now_v7(),
            target_version: target,
            from_versions,
            pending: found.pending.len(),
            tenants: vec![],
            prediction: None,
            notes: std::mem::take(&mut found.notes),
            took_ms: 0,
        };
        let until = begun + options.budget;
        self.rehearse_with(&found, picks, until, &mut rehearsed)
            .await?;
        rehearsed.prediction = expect(&found, &rehearsed, options.connections);
        rehearsed.took_ms = millis(begun.elapsed());
        self.keep_rehearsal(&rehearsed, actor).await?;
        Ok(Rehearsal::Held(Box::new(rehearsed)))
    }

    /// Rehearses with one after the other, node by node.
    async fn rehearse_with(
        &self,
        found: &Survey,
        picks: Vec<Pick>,
        until: Instant,
        rehearsed: &mut Rehearsed,
    ) -> Result<(), RunError> {
        for site in found.sites.values() {
            let is_here = |pick: &&Pick| pick.candidate.node == site.id();
            let here: Vec<Pick> = picks.iter().filter(is_here).cloned().collect();
            if here.is_empty() {
                continue;
            }
            let there = site.database(&self.inner.db);
            let looks = HashSet::from([rehearsed.target_version.clone()]);
            let product = &self.inner.product;
            let course = Course::record(there, product, Extent::Forth, &looks).await?;
            let rehearsal = Arc::new(Staging {
                inner: Arc::clone(&self.inner),
                site: site.clone(),
                course,
                target: rehearsed.target_version.clone(),
                mark: mark(rehearsed.id),
                until,
            });
            let life = Life::begin(there, &rehearsal.mark).await?;
            for pick in here {
                let rehearsal = Arc::clone(&rehearsal);
                let held = to_the_end(async move { rehearsal.with(pick).await }).await;
                let (tenant, note) = held?;
                rehearsed.tenants.push(tenant);
                rehearsed.notes.extend(note);
            }
            life.end().await;
        }
        Ok(())
    }

    async fn keep_rehearsal(&self, rehearsed: &Rehearsed, actor: &str) -> Result<(), RunError> {
        let tx = begin(&self.inner.db, LIMITS).await?;
        let outcome = async {
            act_as_owner(&tx).await?;
            run(
                &tx,
                "INSERT INTO platform.rehearsal (id, from_versions, target_version, build, tenants,
                     prediction, actor, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                [
                    rehearsed.id.into(),
                    rehearsed.from_versions.clone().into(),
                    rehearsed.target_version.as_str().into(),
                    env!("CARGO_PKG_VERSION").into(),
                    serde_json::to_value(&rehearsed.tenants)?.into(),
                    rehearsed
                        .prediction
                        .as_ref()
                        .map(serde_json::to_value)
                        .transpose()?
                        .into(),
                    actor.into(),
                    now().into(),
                ],
            )
            .await?;
            Ok::<_, RunError>(())
        };
        let outcome = outcome.await;
        finish(tx, outcome).await
    }
}

/// What is the same for all clones on a node.
#[derive(Debug)]
struct Staging<P> {
    inner: Arc<Inner<P>>,
    site: Site,
    course: Course,
    target: String,
    mark: String,
    until: Instant,
}

impl<P: Product> Staging<P> {
    /// Makes a clone, takes it along the way and removes it.
    async fn with(&self, pick: Pick) -> Result<(RehearsedTenant, Option<String>), RunError> {
        let Pick { candidate, why } = pick;
        if Instant::now() >= self.until {
            let note = format!(
                "{}: no time was left: --budget-seconds allows more",
                candidate.slug
            );
            return Ok((untouched(&candidate, why), Some(note)));
        }
        let node = self.site.database(&self.inner.db);
        let schema = SchemaName::generate()?;
        let copied = self.copy(&candidate, &schema).await;
        let rows = match copied {
            Ok(rows) => rows,
            Err(error) => {
                // A lost answer to a commit would leave it.
                remove(node, &schema).await?;
                let slug = &candidate.slug;
                let more = match Instant::now() >= self.until {
                    true => "; --budget-seconds allows more time",
                    false => "",
                };
                let note = format!("{slug}: there is no clone: {}{more}", reason(&error));
                return Ok((untouched(&candidate, why), Some(note)));
            }
        };
        let path = Path::forth(
            &self.course,
            &candidate.version,
            &self.target,
            Traffic::Live,
        )?;
        let stage = Stage {
            node,
            schema: &schema,
            until: self.until,
        };
        let taken = take(stage, &self.course, &path, &self.target).await;
        let removed = remove(node, &schema).await;
        let taken = taken?;
        removed?;
        let note = taken.is_cut.then(|| {
            let slug = &candidate.slug;
            format!("{slug}: the time was up before the end: --budget-seconds allows more")
        });
        Ok((told(&candidate, why, rows, taken), note))
    }

    async fn copy(&self, candidate: &Candidate, schema: &SchemaName) -> Result<u64, CopyError> {
        let tx = begin(&self.inner.db, LIMITS).await?;
        let outcome = async {
            act_as_owner(&tx).await?;
            // Stays as it is until it is copied.
            let source = Source::find(&tx, &self.inner, &candidate.id.to_string()).await?;
            if source.row.schema_version != candidate.version {
                let moved = "somebody migrates it at this moment".to_owned();
                return Err(DbErr::Custom(moved).into());
            }
            let left = self.until.saturating_duration_since(Instant::now());
            let wanted = Mirror {
                of: (candidate.id, &candidate.schema),
                schema,
                mark: &self.mark,
                // Nothing at all would mean no limit.
                at_most: left.max(Duration::from_millis(1)),
            };
            let node = self.site.database(&self.inner.db);
            mirror(node, self.inner.product.migrator(), wanted).await
        };
        let outcome = outcome.await;
        finish(tx, outcome).await
    }
}

/// An error and its cause, as far as the cause says more.
fn reason(error: &CopyError) -> String {
    let source = std::error::Error::source(error);
    match source.and_then(|source| source.downcast_ref::<DbErr>()) {
        Some(cause) => format!("{error}: {}", describe(cause)),
        None => error.to_string(),
    }
}

/// What is to be expected, from those that came through.
fn expect(found: &Survey, rehearsed: &Rehearsed, connections: u16) -> Option<Prediction> {
    let came_through = rehearsed
        .tenants
        .iter()
        .filter(|one| one.outcome == Outcome::Done);
    let measured: Vec<Measured> = came_through
        .map(|one| Measured {
            bytes: one.bytes,
            duration_us: one.duration_us,
            locking_messages: one.locking_messages,
        })
        .collect();
    let terms = Terms {
        connections,
        lock_timeout_ms: RunOptions::default().lock_timeout_ms,
        traffic_is_known: found.traffic_is_known,
    };
    predict(&measured, &found.pending, terms)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
