//! Beginning a run: who is behind, in which wave, and whether it may be done at all.

use std::sync::Arc;

use entity::platform::migration_run::State;
use sea_orm::{ActiveEnum as _, ConnectionTrait as _, DatabaseTransaction};
use sea_orm_migration::MigratorTraitSelf as _;
use serde_json::json;
use uuid::Uuid;

use super::contracts::{Contract, contracts, refuse_if_needed};
use super::options::{Canary, RunOptions};
use super::progress::{RunEntry, run_entry};
use super::selector::{CONDITION, Selector};
use super::waves::{Chosen, assign};
use super::{RunError, RunState};
use crate::history::now;
use crate::query::{all, one, run};
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};
use crate::{Product, Provisioner, db_error};

/// A worker that is stopped in the middle of a transaction holds tables that tenants need, for as
/// long as it sleeps: half a lease later the database ends it.
pub(crate) const SILENCE: std::time::Duration = std::time::Duration::from_secs(15);

/// A start waits for others' starts, which are short.
pub(super) const LIMITS: Limits = Limits {
    lock_timeout: std::time::Duration::from_secs(10),
    statement_timeout: std::time::Duration::from_secs(60),
    silence: Some(SILENCE),
};

/// What a start came to.
#[derive(Clone, Debug)]
pub enum Started {
    /// Everybody who was meant stands there already.
    Nothing {
        /// Where to.
        target: String,
        /// How many stand there.
        there: i64,
        /// How many stand at versions that this build does not know.
        ahead: i64,
    },
    /// A run was made.
    New(Box<RunEntry>),
    /// A run that leads to the same version was not over.
    Joined(Box<RunEntry>),
}

/// Tenants with a schema that is complete.
const HAS_SCHEMA: &str = "t.status NOT IN ('provisioning', 'archived', 'gone')";

/// Everything that the first look needs, in one question.
const LOOK: &str = "
    SELECT count(*) FILTER (WHERE t.schema_version = $1) AS there,
        count(*) FILTER (WHERE t.schema_version = ANY ($2::text[])) AS behind,
        count(*) FILTER (WHERE t.schema_version <> ALL ($3::text[])) AS ahead,
        (SELECT r.id FROM platform.migration_run r
         WHERE r.state NOT IN ('cancelled', 'done')) AS unfinished
    FROM platform.tenant t
    WHERE t.status NOT IN ('provisioning', 'archived', 'gone')";

impl<P: Product> Provisioner<P> {
    /// Begins to bring all tenants that are behind to a version, or finds the run that is at it.
    /// Somebody has to work on it then ([`Provisioner::work`]).
    ///
    /// Where there is nothing to do this costs one query.
    ///
    /// # Errors
    ///
    /// [`RunError`]; nothing was begun.
    pub async fn start_run(&self, options: RunOptions, actor: &str) -> Result<Started, RunError> {
        options.check().map_err(RunError::Options)?;
        let known = self.versions();
        let target = match &options.to {
            Some(version) => version.clone(),
            None => known.last().ok_or(RunError::NoMigrations)?.clone(),
        };
        let at = known.iter().position(|version| *version == target);
        let at = at.ok_or_else(|| RunError::UnknownVersion(target.clone()))?;
        let before = known[..at].to_vec();
        let values = [
            target.as_str().into(),
            before.clone().into(),
            known.clone().into(),
        ];
        let look = one(&self.inner.db, LOOK, values).await?;
        let look = look.ok_or(RunError::NoMigrations)?;
        if let Some(id) = look.try_get::<Option<Uuid>>("", "unfinished")? {
            return join(self.run_by_id(id).await?, &target);
        }
        let (there, ahead) = (look.try_get("", "there")?, look.try_get("", "ahead")?);
        let nothing = Started::Nothing {
            target: target.clone(),
            there,
            ahead,
        };
        if look.try_get::<i64>("", "behind")? == 0 {
            return Ok(nothing);
        }
        let inner = Arc::clone(&self.inner);
        let actor = actor.to_owned();
        let contracts = contracts(&inner.product, &known)?;
        let found = to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let plan = Plan {
                options,
                target,
                known,
                before,
                contracts,
            };
            let outcome = start_in(&tx, plan, &actor).await;
            finish(tx, outcome).await
        })
        .await;
        match found {
            Ok(None) => Ok(nothing),
            Ok(Some(entry)) => Ok(Started::New(Box::new(entry))),
            // Somebody was faster.
            Err(RunError::Db(error))
                if db_error::constraint(&error) == Some("migration_run_unfinished_idx") =>
            {
                let run = self.unfinished_run().await?;
                let run = run.ok_or_else(|| RunError::NotFound("unfinished".to_owned()))?;
                let target = run.target_version.clone();
                join(run, &target)
            }
            Err(error) => Err(error),
        }
    }

    /// The names of all migrations, oldest first.
    pub(crate) fn versions(&self) -> Vec<String> {
        let migrations = self.inner.product.migrator().migrations();
        migrations
            .iter()
            .map(|step| step.name().to_owned())
            .collect()
    }
}

/// A second start goes on with the first one's run.
fn join(run: RunEntry, target: &str) -> Result<Started, RunError> {
    if run.target_version == target && run.reverts.is_none() {
        return Ok(Started::Joined(Box::new(run)));
    }
    Err(RunError::InProgress {
        run: run.id,
        target: run.target_version,
        state: run.state.to_value(),
    })
}

struct Plan {
    options: RunOptions,
    target: String,
    known: Vec<String>,
    /// Versions that lie before the target, oldest first.
    before: Vec<String>,
    contracts: Vec<Contract>,
}

async fn start_in(
    tx: &DatabaseTransaction,
    plan: Plan,
    actor: &str,
) -> Result<Option<RunEntry>, RunError> {
    act_as_owner(tx).await?;
    let chosen = choose(tx, &plan).await?;
    let Some(oldest) = chosen.iter().map(|one| one.version_at(&plan.known)).min() else {
        return Ok(None);
    };
    let passed = plan.before.iter().skip(oldest + 1).chain([&plan.target]);
    for version in passed {
        let contract = plan.contracts.iter().find(|one| one.migration == *version);
        if let Some(contract) = contract {
            refuse_if_needed(tx, contract, &plan.known, plan.options.force).await?;
        }
    }
    let waves = assign(&chosen, &plan.options);
    let id = Uuid::now_v7();
    let last = waves
        .iter()
        .map(|(_, wave)| *wave)
        .max()
        .unwrap_or_default();
    write_run(tx, id, None, &plan.target, &plan.options, last + 1, actor).await?;
    let (ids, waves): (Vec<Uuid>, Vec<i32>) = waves.into_iter().unzip();
    run(
        tx,
        "INSERT INTO platform.migration_run_tenant
             (run_id, tenant_id, position, wave, state, from_version, target_version)
         SELECT $1, c.id, c.position, c.wave, 'pending', t.schema_version, $4
         FROM unnest($2::uuid[], $3::integer[]) WITH ORDINALITY c (id, wave, position)
         JOIN platform.tenant t ON t.id = c.id",
        [
            id.into(),
            ids.into(),
            waves.into(),
            plan.target.as_str().into(),
        ],
    )
    .await?;
    know_rows(tx).await?;
    Ok(Some(run_entry(tx, id).await?))
}

/// Lets the planner know what was just written. Without that it takes tables of thousands of rows
/// for almost empty ones until autovacuum comes by, and each turn of a worker reads all of them.
pub(super) async fn know_rows(tx: &DatabaseTransaction) -> Result<(), RunError> {
    tx.execute_unprepared("ANALYZE platform.migration_run_tenant, platform.tenant")
        .await?;
    Ok(())
}

/// Writes the row of a run, and the latest rehearsal that led where it leads, if it is a day old at
/// most.
pub(super) async fn write_run(
    tx: &DatabaseTransaction,
    id: Uuid,
    reverts: Option<Uuid>,
    target: &str,
    options: &RunOptions,
    waves: i32,
    actor: &str,
) -> Result<(), RunError> {
    run(
        tx,
        "INSERT INTO platform.migration_run
             (id, reverts, target_version, state, options, wave, waves, actor, created_at,
                 updated_at, rehearsal_id)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $8, CASE WHEN $2 IS NULL THEN (
             SELECT p.id FROM platform.rehearsal p
             WHERE p.target_version = $3 AND p.created_at > $8 - interval '24 hours'
             ORDER BY p.created_at DESC LIMIT 1) END)",
        [
            id.into(),
            reverts.into(),
            target.into(),
            RunState::to_value(&State::Running).into(),
            serde_json::to_value(options)?.into(),
            waves.into(),
            actor.into(),
            now().into(),
        ],
    )
    .await?;
    Ok(())
}

async fn choose(tx: &DatabaseTransaction, plan: &Plan) -> Result<Vec<Chosen>, RunError> {
    let canaries = match &plan.options.canary {
        Some(Canary::Those(selector)) => Some(selector),
        Some(Canary::Count(_)) | None => None,
    };
    let sql = format!(
        "SELECT t.id, t.schema_version, t.status = 'spare' AS is_spare,
             $3 AND {} AS is_canary
         FROM platform.tenant t
         JOIN platform.lane l ON l.id = t.lane_id
         JOIN platform.node n ON n.id = l.node_id
         LEFT JOIN platform.plan p ON p.id = t.plan_id
         LEFT JOIN platform.tenant_vitals v ON v.tenant_id = t.id
         WHERE {HAS_SCHEMA} AND t.schema_version = ANY ($4::text[]) AND {CONDITION}
         ORDER BY t.slug",
        CONDITION.replace("$1", "$2"),
    );
    let everybody = Selector::default();
    let values = [
        json!(plan.options.only).into(),
        json!(canaries.unwrap_or(&everybody)).into(),
        canaries.is_some().into(),
        plan.before.clone().into(),
    ];
    let rows = all(tx, &sql, values).await?;
    Ok(rows.iter().map(Chosen::read).collect::<Result<_, _>>()?)
}
