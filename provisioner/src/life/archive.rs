//! From tables to files: an export that is whole, verified and recorded, and only then the end of
//! the schema. Cut anywhere, doing it again goes on where it was.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use entity::platform::tenant::{self, Status};
use entity::platform::tenant_export;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait,
    DatabaseTransaction, DbErr, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::dismantle::{dismantle, remove, wait_for_writers};
use super::{LIMITS, LifeError, held, seen};
use crate::copy::{self, CopyError, Source, verify};
use crate::history::{now, record};
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Inner, Product, Provisioner, SchemaName, TenantEntry, directory};

/// How a tenant is archived.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The folder of all exports, which exists; the tenant's own is made in it. An archive that is
    /// gone on with stays where it was begun.
    pub to: PathBuf,
    /// For how many days from now the export has to be kept.
    pub keep_days: u32,
}

/// A tenant whose schema is gone.
#[derive(Clone, Debug)]
pub struct Archived {
    /// Its entry.
    pub tenant: TenantEntry,
    /// What is left of it.
    pub export: ExportEntry,
}

/// An export that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportEntry {
    /// Never changes.
    pub id: Uuid,
    /// The folder.
    pub location: String,
    /// The tables' files together.
    pub bytes: i64,
    /// The manifest's own checksum, which stands for all files.
    pub sha256: String,
    /// Until when it has to be kept.
    pub keep_until: Option<OffsetDateTime>,
    /// Who made it.
    pub actor: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was destroyed.
    pub destroyed_at: Option<OffsetDateTime>,
}

impl From<tenant_export::Model> for ExportEntry {
    fn from(row: tenant_export::Model) -> Self {
        Self {
            id: row.id,
            location: row.location,
            bytes: row.bytes,
            sha256: row.sha256,
            keep_until: row.keep_until,
            actor: row.actor,
            created_at: row.created_at,
            destroyed_at: row.destroyed_at,
        }
    }
}

impl<P: Product> Provisioner<P> {
    /// Exports a closing tenant, drops its schema and its role, and keeps the export.
    ///
    /// # Errors
    ///
    /// [`LifeError`]; nothing is dropped before the export is whole, verified and recorded. After
    /// that the tenant stays closing until the same call has dropped everything.
    pub async fn archive(
        &self,
        tenant: &str,
        archive: Archive,
        actor: &str,
    ) -> Result<Archived, LifeError> {
        let inner = Arc::clone(&self.inner);
        let (tenant, actor) = (tenant.to_owned(), actor.to_owned());
        to_the_end(async move {
            settle(&inner.db, &tenant).await?;
            // The row is held until the end: nobody else moves, migrates or copies the tenant.
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = archive_in(&tx, &inner, &tenant, &archive, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }

    /// The exports of a tenant that were kept, the newest first; destroyed ones too.
    ///
    /// # Errors
    ///
    /// [`LifeError::NotFound`], [`LifeError::Db`].
    pub async fn exports(&self, tenant: &str) -> Result<Vec<ExportEntry>, LifeError> {
        let row = directory::find(&self.inner.db, tenant).await?;
        let row = row.ok_or_else(|| LifeError::NotFound(tenant.to_owned()))?;
        let exports = of(row.id).all(&self.inner.db).await?;
        Ok(exports.into_iter().map(ExportEntry::from).collect())
    }
}

/// By when every server knows that a tenant is closing.
const KNOWN_AFTER: Duration = Duration::milliseconds(1500);

/// Waits until no server begins to write any more: what is written after the export is lost.
async fn settle(db: &impl ConnectionTrait, tenant: &str) -> Result<(), DbErr> {
    let Some(row) = directory::find(db, tenant).await? else {
        return Ok(());
    };
    let left = row.updated_at + KNOWN_AFTER - now();
    // Nothing where that is over, and never longer, whatever the clocks say.
    let left = std::time::Duration::try_from(left.min(KNOWN_AFTER)).unwrap_or_default();
    if row.status == Status::Closing && !left.is_zero() {
        tokio::time::sleep(left).await;
    }
    Ok(())
}

/// A tenant's exports, the newest first.
pub(super) fn of(tenant: Uuid) -> sea_orm::Select<tenant_export::Entity> {
    tenant_export::Entity::find()
        .filter(tenant_export::Column::TenantId.eq(tenant))
        .order_by_desc(tenant_export::Column::CreatedAt)
}

/// The export of an archive that was begun: from its record on, tables may be gone.
pub(crate) async fn unfinished(
    db: &impl ConnectionTrait,
    tenant: Uuid,
) -> Result<Option<tenant_export::Model>, DbErr> {
    of(tenant)
        .filter(tenant_export::Column::KeepUntil.is_not_null())
        .filter(tenant_export::Column::DestroyedAt.is_null())
        .one(db)
        .await
}

/// Under legal hold nothing is destroyed.
pub(super) fn check_hold(row: &tenant::Model) -> Result<(), LifeError> {
    match &row.legal_hold {
        None => Ok(()),
        Some(reason) => Err(LifeError::Held {
            slug: row.slug.clone(),
            reason: reason.clone(),
        }),
    }
}

async fn archive_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    tenant: &str,
    archive: &Archive,
    actor: &str,
) -> Result<Archived, LifeError> {
    act_as_owner(tx).await?;
    let row = held(tx, tenant, &[Status::Closing], "archived").await?;
    check_hold(&row)?;
    let id = row.id;
    let schema = SchemaName::parse(&row.schema_name).map_err(CopyError::from)?;
    let source = Source::of(tx, inner, row).await?;
    let export = match unfinished(tx, id).await? {
        Some(export) => {
            check(&export, &source.row.slug).await?;
            export
        }
        None => keep(inner, &source, archive, actor).await?,
    };
    dismantle(source.site.database(&inner.db), &schema).await?;
    let node = source.site.begin(tx, LIMITS).await?;
    let removed = remove(&node, &schema).await;
    node.finish(removed).await?;
    let now = now();
    let mut archived = source.row.into_active_model();
    archived.status = Set(Status::Archived);
    archived.updated_at = Set(now);
    archived.update(tx).await?;
    let detail = json!({ "export": export.id, "sha256": export.sha256 });
    record(tx, id, "archived", actor, detail, now).await?;
    Ok(Archived {
        tenant: seen(tx, id).await?,
        export: export.into(),
    })
}

/// Exports, looks at every byte again, and records what is kept, in a transaction of its own: what
/// is dropped next can't be taken back.
async fn keep<P: Product>(
    inner: &Inner<P>,
    source: &Source,
    archive: &Archive,
    actor: &str,
) -> Result<tenant_export::Model, LifeError> {
    let broken = |cause| LifeError::File {
        path: archive.to.clone(),
        cause,
    };
    let home = fs::canonicalize(&archive.to).map_err(broken)?;
    sweep(&inner.db, &home, source.row.id).await?;
    let now = now();
    let folder = home.join(format!("{}-{}", source.row.id, stamp(now)));
    let location = folder.to_str().ok_or_else(|| {
        broken(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not UTF-8",
        ))
    })?;
    let schema = SchemaName::parse(&source.row.schema_name).map_err(CopyError::from)?;
    wait_for_writers(source.site.database(&inner.db), &schema).await?;
    let exported = copy::write(inner, source, &folder).await?;
    verify(&folder).await?;
    let export = tenant_export::Model {
        id: Uuid::now_v7(),
        tenant_id: source.row.id,
        location: location.to_owned(),
        bytes: i64::try_from(exported.bytes).unwrap_or(i64::MAX),
        sha256: exported.sha256,
        keep_until: Some(now + Duration::days(archive.keep_days.into())),
        actor: actor.to_owned(),
        created_at: now,
        destroyed_at: None,
    };
    let tx = begin(&inner.db, LIMITS).await?;
    let outcome = async {
        act_as_owner(&tx).await?;
        let row = export.clone().into_active_model().reset_all();
        tenant_export::Entity::insert(row)
            .exec_without_returning(&tx)
            .await?;
        let detail = json!({ "export": export.id, "sha256": export.sha256 });
        record(&tx, export.tenant_id, "archiving", actor, detail, now).await
    };
    let outcome = outcome.await;
    finish(tx, outcome).await?;
    Ok(export)
}

/// Removes what an archive left that was cut before its record: it holds people's data, and nobody
/// would destroy it with the rest. The tenant's row is held, so nobody is writing there.
async fn sweep(db: &impl ConnectionTrait, home: &Path, id: Uuid) -> Result<(), LifeError> {
    let recorded: Vec<_> = of(id).all(db).await?;
    for left in copy::beginning_with(home, &format!("{id}-"))? {
        let is_recorded = recorded
            .iter()
            .any(|export| Path::new(&export.location) == left);
        if !is_recorded && let Some(stranger) = copy::remove(&left)? {
            return Err(LifeError::Stranger(stranger));
        }
    }
    Ok(())
}

/// An export that was recorded by an archive that was cut, before more is dropped.
async fn check(export: &tenant_export::Model, slug: &str) -> Result<(), LifeError> {
    let location = Path::new(&export.location);
    if !location.is_dir() {
        return Err(LifeError::ExportMissing {
            slug: slug.to_owned(),
            location: location.to_owned(),
        });
    }
    let verified = verify(location).await?;
    if verified.sha256() == export.sha256 {
        return Ok(());
    }
    Err(LifeError::from(CopyError::Damaged {
        path: location.to_owned(),
        what: "is another export than the one that was recorded".to_owned(),
    }))
}

/// A moment as a part of a file's name.
fn stamp(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}
