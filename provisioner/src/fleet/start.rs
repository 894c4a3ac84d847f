//! Beginning a run: who is behind, in which wave, and whether it may be done at all.

use std::sync::Arc;

use entity::platform::migration_run::State;
use sea_orm::{ActiveEnum as _, DatabaseTransaction, QueryResult};
use sea_orm_migration::MigratorTraitSelf as _;
use serde_json::json;
use uuid::Uuid;

use super::options::{Canary, RunOptions};
use super::progress::{RunEntry, run_entry};
use super::selector::{CONDITION, Selector};
use super::{RunError, RunState};
use crate::history::now;
use crate::query::{all, one, run};
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};
use crate::{Kind, Product, Provisioner, db_error};

/// A start waits for others' starts, which are short.
pub(super) const LIMITS: Limits = Limits {
    lock_timeout: std::time::Duration::from_secs(10),
    statement_timeout: std::time::Duration::from_secs(60),
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

/// A contract on the way.
struct Contract {
    migration: String,
    since: String,
}

struct Plan {
    options: RunOptions,
    target: String,
    known: Vec<String>,
    /// Versions that lie before the target, oldest first.
    before: Vec<String>,
    contracts: Vec<Contract>,
}

/// All contracts of a product; every migration has to say what it is.
fn contracts<P: Product>(product: &P, known: &[String]) -> Result<Vec<Contract>, RunError> {
    let mut contracts = vec![];
    for name in known {
        let declared = product.declared(name);
        match declared
            .ok_or_else(|| RunError::Undeclared(name.clone()))?
            .kind
        {
            Kind::Expand => {}
            Kind::Contract { since } => contracts.push(Contract {
                migration: name.clone(),
                since,
            }),
        }
    }
    Ok(contracts)
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
            refuse_if_needed(tx, contract, &plan).await?;
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
    Ok(Some(run_entry(tx, id).await?))
}

/// Writes the row of a run.
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
             (id, reverts, target_version, state, options, wave, waves, actor, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $8)",
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

/// A tenant that will be moved.
struct Chosen {
    id: Uuid,
    version: String,
    is_spare: bool,
    is_canary: bool,
}

impl Chosen {
    fn read(row: &QueryResult) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            id: row.try_get("", "id")?,
            version: row.try_get("", "schema_version")?,
            is_spare: row.try_get("", "is_spare")?,
            is_canary: row.try_get("", "is_canary")?,
        })
    }

    fn version_at(&self, known: &[String]) -> usize {
        let at = known.iter().position(|version| *version == self.version);
        at.unwrap_or_default()
    }
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

/// Who goes in which wave: canaries first, spares, which nobody uses, with the last.
fn assign(chosen: &[Chosen], options: &RunOptions) -> Vec<(Uuid, i32)> {
    let mut canaries = match options.canary {
        Some(Canary::Count(count)) => count as usize,
        Some(Canary::Those(_)) | None => 0,
    };
    let (mut first, mut rest, mut spares) = (vec![], vec![], vec![]);
    for one in chosen {
        if one.is_spare {
            spares.push(one.id);
        } else if one.is_canary || canaries > 0 {
            canaries = canaries.saturating_sub(1);
            first.push(one.id);
        } else {
            rest.push(one.id);
        }
    }
    let offset = i32::from(!first.is_empty());
    let mut placed: Vec<_> = first.into_iter().map(|id| (id, 0)).collect();
    let last = options.waves.len().saturating_sub(1);
    for (position, id) in rest.iter().enumerate() {
        // The share that is over once this one had its turn.
        let share = (position + 1) * 100;
        let is_within = |percent: &u8| share <= usize::from(*percent) * rest.len();
        let wave = options.waves.iter().position(is_within).unwrap_or(last);
        placed.push((*id, offset + wave as i32));
    }
    let last = placed.last().map_or(0, |(_, wave)| *wave);
    placed.extend(spares.into_iter().map(|id| (id, last)));
    close_gaps(placed)
}

/// A wave without anybody is none.
fn close_gaps(mut placed: Vec<(Uuid, i32)>) -> Vec<(Uuid, i32)> {
    let mut seen: Vec<i32> = placed.iter().map(|(_, wave)| *wave).collect();
    seen.dedup();
    for (_, wave) in &mut placed {
        *wave = seen.iter().position(|one| one == wave).unwrap_or_default() as i32;
    }
    placed
}

/// Servers that were heard of in the last hour and need what the contract takes away.
async fn refuse_if_needed(
    tx: &DatabaseTransaction,
    contract: &Contract,
    plan: &Plan,
) -> Result<(), RunError> {
    let position = |version: &str| plan.known.iter().position(|known| known == version);
    let since = position(&contract.since)
        .ok_or_else(|| RunError::UnknownVersion(contract.since.clone()))?;
    let rows = all(
        tx,
        "SELECT id, build, knows FROM platform.server_process
         WHERE seen_at > now() - interval '1 hour' ORDER BY id",
        [],
    )
    .await?;
    let mut servers = vec![];
    for row in rows {
        let knows: String = row.try_get("", "knows")?;
        // One that knows what we don't is newer than we are.
        if position(&knows).is_some_and(|knows| knows < since) {
            let (id, build): (Uuid, String) = (row.try_get("", "id")?, row.try_get("", "build")?);
            servers.push(format!("{id} (build {build}, knows {knows})"));
        }
    }
    if servers.is_empty() {
        return Ok(());
    }
    if plan.options.force {
        tracing::warn!(
            migration.name = contract.migration,
            servers = servers.join(", "),
            "a contract is forced past live servers that need what it takes away"
        );
        return Ok(());
    }
    Err(RunError::Needed {
        migration: contract.migration.clone(),
        since: contract.since.clone(),
        servers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(count: usize, spares: usize) -> Vec<Chosen> {
        (0..count + spares)
            .map(|n| Chosen {
                id: Uuid::from_u128(n as u128),
                version: "one".to_owned(),
                is_spare: n >= count,
                is_canary: false,
            })
            .collect()
    }

    fn sizes(placed: &[(Uuid, i32)]) -> Vec<usize> {
        let last = placed.iter().map(|(_, wave)| *wave).max().unwrap();
        (0..=last)
            .map(|wave| placed.iter().filter(|(_, one)| *one == wave).count())
            .collect()
    }

    #[test]
    fn waves_are_shares_of_those_who_are_no_canaries() {
        let options = RunOptions {
            canary: Some(Canary::Count(2)),
            waves: vec![10, 50, 100],
            ..RunOptions::default()
        };

        assert_eq!(sizes(&assign(&chosen(22, 3), &options)), [2, 2, 8, 13]);
        assert_eq!(sizes(&assign(&chosen(3, 0), &options)), [2, 1]);
        assert_eq!(sizes(&assign(&chosen(0, 3), &options)), [3]);
    }
}
