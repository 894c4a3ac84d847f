//! A tenant into a folder: one moment of its data, read in one transaction that writes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use entity::platform::{lane, node, plan, tenant};
use futures_util::StreamExt as _;
use sea_orm::sea_query::LockType;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait as _, QuerySelect as _};
use sea_orm_migration::MigratorTraitSelf;
use serde_json::json;

use super::catalogue::{self, Content, Table, quoted_list};
use super::folder::Draft;
use super::manifest::{About, Manifest, SequenceAt, TableFile, file_name};
use super::wire::{Mode, Wire, trouble};
use super::{CopyError, LIMITS, READABLE};
use crate::history::{now, record};
use crate::life;
use crate::nodes::Site;
use crate::query::column;
use crate::transaction::{act_as_owner, begin, enter, finish, to_the_end};
use crate::{Inner, Product, Provisioner, SchemaName, directory};

/// A folder that was written.
#[derive(Clone, Debug)]
pub struct Exported {
    /// What people type.
    pub slug: String,
    /// Where it lies.
    pub location: PathBuf,
    /// The newest migration.
    pub schema_version: String,
    /// How many tables it holds.
    pub tables: usize,
    /// Their rows.
    pub rows: u64,
    /// The tables' files together.
    pub bytes: u64,
    /// The manifest's own checksum, which stands for all files.
    pub sha256: String,
    /// How long it took.
    pub took: Duration,
}

/// A tenant that can be read: its entry, its plan and the way to its node.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) row: tenant::Model,
    pub(crate) site: Site,
    plan: Option<String>,
}

impl<P: Product> Provisioner<P> {
    /// Writes a tenant into the folder `to`, which must not exist. The tenant is served and
    /// written all the while; it is not migrated, suspended or closed before the end.
    ///
    /// # Errors
    ///
    /// [`CopyError`]; no folder by that name is left behind, not even by a kill.
    pub async fn export(
        &self,
        tenant: &str,
        to: &Path,
        actor: &str,
    ) -> Result<Exported, CopyError> {
        let inner = Arc::clone(&self.inner);
        let (tenant, to, actor) = (tenant.to_owned(), to.to_owned(), actor.to_owned());
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = export_in(&tx, &inner, &tenant, &to, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }
}

async fn export_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    tenant: &str,
    to: &Path,
    actor: &str,
) -> Result<Exported, CopyError> {
    act_as_owner(tx).await?;
    let source = Source::find(tx, inner, tenant).await?;
    let exported = write(inner, &source, to).await?;
    let detail = json!({
        "sha256": exported.sha256,
        "rows": exported.rows,
        "bytes": exported.bytes,
    });
    record(tx, source.row.id, "exported", actor, detail, now()).await?;
    Ok(exported)
}

impl Source {
    /// A tenant that stays as it is until the transaction ends: others may copy it too.
    pub(crate) async fn find<P: Product>(
        tx: &DatabaseTransaction,
        inner: &Inner<P>,
        tenant: &str,
    ) -> Result<Self, CopyError> {
        let missing = || CopyError::NotFound(tenant.to_owned());
        let found = directory::find(tx, tenant).await?.ok_or_else(missing)?;
        let row = tenant::Entity::find_by_id(found.id)
            .lock(LockType::Share)
            .one(tx)
            .await?
            .ok_or_else(missing)?;
        if !READABLE.contains(&row.status) {
            return Err(CopyError::Standing {
                slug: row.slug,
                is: row.status,
            });
        }
        if life::unfinished(tx, row.id).await?.is_some() {
            return Err(CopyError::BeingArchived(row.slug));
        }
        Self::of(tx, inner, row).await
    }

    /// The same of a row that the caller holds.
    pub(crate) async fn of<P: Product>(
        tx: &DatabaseTransaction,
        inner: &Inner<P>,
        row: tenant::Model,
    ) -> Result<Self, CopyError> {
        let found = lane::Entity::find_by_id(row.lane_id)
            .find_also_related(node::Entity)
            .one(tx)
            .await?;
        let Some((_, Some(node))) = found else {
            return Err(DbErr::RecordNotFound("the lane of a tenant".to_owned()).into());
        };
        let plan = match row.plan_id {
            Some(id) => plan::Entity::find_by_id(id).one(tx).await?,
            None => None,
        };
        Ok(Self {
            row,
            site: inner.reach(node).await?,
            plan: plan.map(|plan| plan.name),
        })
    }

    pub(super) fn database<'a>(
        &'a self,
        platform: &'a DatabaseConnection,
    ) -> &'a DatabaseConnection {
        self.site.database(platform)
    }
}

/// Writes a tenant that stays as it is into a folder.
pub(crate) async fn write<P: Product>(
    inner: &Inner<P>,
    source: &Source,
    to: &Path,
) -> Result<Exported, CopyError> {
    let begun = Instant::now();
    let draft = Draft::begin(to)?;
    let migrator = inner.product.migrator();
    let read = async {
        let wire = Wire::begin(source.database(&inner.db), Mode::Picture, LIMITS).await?;
        let outcome = read(&wire, &draft, source, migrator).await;
        let manifest = wire.finish(outcome).await?;
        draft.complete(&manifest).await?;
        Ok(manifest)
    };
    let manifest = match read.await {
        Ok(manifest) => manifest,
        Err(error) => {
            draft.discard();
            return Err(error);
        }
    };
    let exported = Exported {
        slug: source.row.slug.clone(),
        location: to.to_owned(),
        tables: manifest.tables.len(),
        rows: manifest.tables.iter().map(|table| table.rows).sum(),
        bytes: manifest.tables.iter().map(|table| table.bytes).sum(),
        schema_version: manifest.schema_version,
        sha256: manifest.sha256,
        took: begun.elapsed(),
    };
    tracing::info!(
        tenant.id = %source.row.id,
        rows = exported.rows,
        bytes = exported.bytes,
        duration_ms = exported.took.as_millis() as u64,
        "exported a tenant"
    );
    Ok(exported)
}

async fn read(
    wire: &Wire,
    draft: &Draft,
    source: &Source,
    migrator: &impl MigratorTraitSelf,
) -> Result<Manifest, CopyError> {
    let row = &source.row;
    let schema = SchemaName::parse(&row.schema_name)?;
    let looked = Looked::at(wire, &schema, migrator).await?;
    let mut tables = Vec::with_capacity(looked.content.tables.len());
    for table in &looked.content.tables {
        tables.push(copy(wire, draft, &schema, table).await?);
    }
    let sequences = looked.standings.into_iter();
    let manifest = Manifest {
        format: 0,
        tenant: About {
            id: row.id,
            slug: row.slug.clone(),
            name: row.name.clone(),
            plan: source.plan.clone(),
            tags: row.tags.clone(),
        },
        exported_at: now(),
        schema_version: looked.version,
        migrations: looked.migrations,
        tables,
        sequences: sequences
            .map(|(name, at)| {
                let (last, is_called) = (at.last, at.is_called);
                (name, SequenceAt { last, is_called })
            })
            .collect(),
        sha256: String::new(),
    };
    Ok(manifest.sealed())
}

/// A schema as it is seen at one moment.
pub(super) struct Looked {
    pub(super) content: Content,
    pub(super) standings: std::collections::BTreeMap<String, catalogue::Standing>,
    pub(super) migrations: Vec<String>,
    pub(super) version: String,
}

impl Looked {
    pub(super) async fn at(
        wire: &Wire,
        schema: &SchemaName,
        migrator: &impl MigratorTraitSelf,
    ) -> Result<Self, CopyError> {
        let tx = wire.savepoint().await?;
        let outcome = async {
            enter(&tx, schema).await?;
            let ledger = migrator.migration_table_name().to_string();
            let content = catalogue::read(&tx, schema, &ledger).await?;
            let standings = content.standings(&tx, schema).await?;
            let sql = format!(
                "SELECT version FROM {schema}.{} ORDER BY applied_at, version",
                catalogue::quoted(&ledger)
            );
            let migrations: Vec<String> = column(&tx, &sql, []).await?;
            let version = migrations.last().cloned();
            let version = version
                .ok_or_else(|| DbErr::RecordNotFound("the tenant's own history".to_owned()))?;
            Ok::<_, CopyError>(Self {
                content,
                standings,
                migrations,
                version,
            })
        };
        let outcome = outcome.await;
        finish(tx, outcome).await
    }
}

/// One table into its file, as it comes from the database.
async fn copy(
    wire: &Wire,
    draft: &Draft,
    schema: &SchemaName,
    table: &Table,
) -> Result<TableFile, CopyError> {
    let name = catalogue::quoted(&table.name);
    let columns = quoted_list(&table.columns);
    let sql = format!("COPY {schema}.{name} ({columns}) TO STDOUT");
    let mut file = draft.file(&file_name(&table.name)).await?;
    let mut connection = wire.raw().await?;
    let mut stream = connection.copy_out_raw(&sql).await.map_err(trouble)?;
    while let Some(bytes) = stream.next().await {
        file.write(&bytes.map_err(trouble)?).await?;
    }
    drop(stream);
    let written = file.finish().await?;
    Ok(TableFile {
        name: table.name.clone(),
        columns: table.columns.clone(),
        structure: table.structure.clone(),
        rows: written.rows,
        bytes: written.bytes,
        sha256: written.sha256,
    })
}
