//! Taking a run back: exactly those whom it moved, the last one first, each to where it stood. It
//! is a run itself, with the same machinery.

use std::sync::Arc;

use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::control::{cancel_places, hold_run};
use super::options::RunOptions;
use super::progress::{RunEntry, run_entry};
use super::start::{LIMITS, know_rows, write_run};
use super::{RunError, RunState};
use crate::query::{all, one, run};
use crate::transaction::{begin, finish, to_the_end};
use crate::{Kind, Product, Provisioner};

impl<P: Product> Provisioner<P> {
    /// Begins to take a run back; somebody has to work on it then. A run that is not over is
    /// cancelled. Tenants that have been moved on since are left where they are. A rollback that is
    /// not over is returned as it is, to be gone on with.
    ///
    /// # Errors
    ///
    /// [`RunError::OneWay`] across a contract, [`RunError::Needed`] while live servers need what
    /// would be taken back (unless `force`), [`RunError::NothingToRevert`],
    /// [`RunError::IsRollback`].
    pub async fn rollback_run(
        &self,
        id: Uuid,
        force: bool,
        actor: &str,
    ) -> Result<RunEntry, RunError> {
        let steps = self.steps()?;
        let inner = Arc::clone(&self.inner);
        let actor = actor.to_owned();
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = rollback_in(&tx, id, &steps, force, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }

    /// All migrations, oldest first, and which of them can't be taken back.
    fn steps(&self) -> Result<Vec<(String, Kind)>, RunError> {
        let declare = |name: String| match self.inner.product.declared(&name) {
            Some(declared) => Ok((name, declared.kind)),
            None => Err(RunError::Undeclared(name)),
        };
        self.versions().into_iter().map(declare).collect()
    }
}

async fn rollback_in(
    tx: &DatabaseTransaction,
    id: Uuid,
    steps: &[(String, Kind)],
    force: bool,
    actor: &str,
) -> Result<RunEntry, RunError> {
    let is = hold_run(tx, id).await?;
    let entry = run_entry(tx, id).await?;
    let is_over = matches!(is, RunState::Done | RunState::Cancelled);
    if entry.reverts.is_some() {
        // The same words again go on with it, and never forwards: that is a migration's way.
        return match is_over {
            true => Err(RunError::IsRollback(id)),
            false => Ok(entry),
        };
    }
    if !is_over {
        cancel_places(tx, id).await?;
        run(
            tx,
            "UPDATE platform.migration_run SET state = 'cancelled', reason = $2,
                 updated_at = now(), finished_at = now() WHERE id = $1",
            [id.into(), format!("taken back by {actor}").into()],
        )
        .await?;
    }
    let other = one(
        tx,
        "SELECT id, target_version, state FROM platform.migration_run
         WHERE state NOT IN ('cancelled', 'done')",
        [],
    );
    if let Some(other) = other.await? {
        return Err(RunError::InProgress {
            run: other.try_get("", "id")?,
            target: other.try_get("", "target_version")?,
            state: other.try_get("", "state")?,
        });
    }
    let ways = all(
        tx,
        "SELECT DISTINCT m.from_version, t.schema_version FROM platform.migration_run_tenant m
         JOIN platform.tenant t ON t.id = m.tenant_id
         WHERE m.run_id = $1 AND m.reached = t.schema_version AND m.reached <> m.from_version",
        [id.into()],
    )
    .await?;
    for way in &ways {
        let (from, to): (String, String) = (
            way.try_get("", "schema_version")?,
            way.try_get("", "from_version")?,
        );
        refuse_contracts(steps, &from, &to)?;
        if !force {
            refuse_needed(tx, steps, &to).await?;
        }
    }
    let options = RunOptions {
        force,
        waves: vec![100],
        canary: None,
        approve: false,
        ..entry.options
    };
    let back = Uuid::now_v7();
    write_run(
        tx,
        back,
        Some(id),
        &entry.target_version,
        &options,
        1,
        actor,
    )
    .await?;
    let count = run(
        tx,
        "INSERT INTO platform.migration_run_tenant
             (run_id, tenant_id, position, wave, state, from_version, target_version)
         SELECT $2, m.tenant_id, row_number() OVER (ORDER BY m.finished_at DESC NULLS FIRST,
                 m.position DESC), 0, 'pending', t.schema_version, m.from_version
         FROM platform.migration_run_tenant m JOIN platform.tenant t ON t.id = m.tenant_id
         WHERE m.run_id = $1 AND m.reached = t.schema_version AND m.reached <> m.from_version
             AND t.status NOT IN ('provisioning', 'archived', 'gone')",
        [id.into(), back.into()],
    )
    .await?;
    if count == 0 {
        return Err(RunError::NothingToRevert(id));
    }
    know_rows(tx).await?;
    run_entry(tx, back).await
}

fn place(steps: &[(String, Kind)], version: &str) -> Result<usize, RunError> {
    let at = steps.iter().position(|(name, _)| name == version);
    at.ok_or_else(|| RunError::UnknownVersion(version.to_owned()))
}

fn refuse_contracts(steps: &[(String, Kind)], from: &str, to: &str) -> Result<(), RunError> {
    let (last, first) = (place(steps, from)?, place(steps, to)? + 1);
    for (name, kind) in steps.get(first..=last).unwrap_or_default() {
        if let Kind::Contract { .. } = kind {
            return Err(RunError::OneWay {
                migration: name.clone(),
                reason: "it is a contract: what it took away is gone".to_owned(),
            });
        }
    }
    Ok(())
}

/// Servers that were heard of in the last hour and can't serve what would be left.
async fn refuse_needed(
    tx: &DatabaseTransaction,
    steps: &[(String, Kind)],
    to: &str,
) -> Result<(), RunError> {
    let left = place(steps, to)?;
    let rows = all(
        tx,
        "SELECT id, build, needs FROM platform.server_process
         WHERE seen_at > now() - interval '1 hour' ORDER BY id",
        [],
    )
    .await?;
    let mut servers = vec![];
    let mut oldest = String::new();
    for row in rows {
        let needs: String = row.try_get("", "needs")?;
        // One that needs what we don't know needs more than we could leave.
        if place(steps, &needs).map_or(true, |needs| needs > left) {
            let (id, build): (Uuid, String) = (row.try_get("", "id")?, row.try_get("", "build")?);
            servers.push(format!("{id} (build {build}, needs {needs})"));
            oldest = needs;
        }
    }
    if servers.is_empty() {
        return Ok(());
    }
    Err(RunError::Needed {
        migration: format!("the way back to {to}"),
        since: oldest,
        servers,
    })
}
