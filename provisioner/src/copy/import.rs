//! A tenant out of a folder: its schema at the folder's version, its rows, and then this build's
//! head. On the platform's own node in one transaction, elsewhere as `elsewhere` says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use entity::platform::plan;
use entity::platform::tenant::Status;
use serde_json::json;
use uuid::Uuid;

use super::raise::{Rows, check_folder, raise};
use super::verify::{Verified, verify};
use super::wire::{Mode, Wire};
use super::{CopyError, LIMITS, elsewhere};
use crate::create::elsewhere::{Announced, announce, take_over};
use crate::create::{self, NewTenant, Placement, head};
use crate::history::record;
use crate::lanes::{self, AddedLane, Wish};
use crate::nodes::Site;
use crate::transaction::{finish, to_the_end};
use crate::{
    CreateError, Inner, Label, Product, Provisioner, SchemaName, Slug, TenantEntry, TenantName,
    directory, plans,
};

/// A tenant to be made of an export.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// The folder that [`Provisioner::export`] wrote.
    pub folder: PathBuf,
    /// What people will type.
    pub slug: Slug,
    /// What people will read; the exported tenant's name if nothing is given.
    pub name: Option<TenantName>,
    /// Where it goes and what it may use. The exported tenant's plan does not come along.
    pub at: Placement,
    /// Who asks.
    pub actor: String,
}

/// A tenant that was made of rows that existed.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its entry in the directory.
    pub tenant: TenantEntry,
    /// Set when a lane was added for it.
    pub added: Option<AddedLane>,
    /// The rows of all its tables.
    pub rows: u64,
    /// How long it took.
    pub took: Duration,
}

/// What an import has come to when its first transaction ends.
enum Begun {
    Complete(Box<TenantEntry>, Option<AddedLane>, u64),
    Announced(Announced),
}

/// What the first look at the directory says.
enum Way {
    Here {
        site: Site,
        wish: Wish,
        plan: Option<plan::Model>,
    },
    Announced(Announced),
}

impl<P: Product> Provisioner<P> {
    /// Makes a tenant of an export, active and at head. All files are read and found whole before
    /// anything is written. Sessions and everything else come along as they were.
    ///
    /// # Errors
    ///
    /// [`CopyError`]; nothing is left behind, except by [`CreateError::Unfinished`].
    pub async fn import(&self, import: NewImport) -> Result<Imported, CopyError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let begun = Instant::now();
            let folder = verify(&import.folder).await?;
            check_folder(&folder, inner.product.migrator())?;
            let new = new_tenant(&import, &folder)?;
            let birth = Birthmark {
                tags: tags(&folder)?,
                detail: json!({
                    "imported_from": folder.manifest.tenant.id,
                    "exported_version": folder.manifest.schema_version,
                    "sha256": folder.sha256(),
                }),
            };
            let rows = Rows::Folder(Box::new(folder));
            let wire = Wire::begin(&inner.db, Mode::Write, LIMITS).await?;
            let outcome = start(&wire, &inner, &new, &import.at, &rows, &birth).await;
            let (tenant, added, rows) = match wire.finish(outcome).await? {
                Begun::Complete(tenant, added, rows) => (*tenant, added, rows),
                Begun::Announced(announced) => {
                    let added = announced.added.clone();
                    let (tenant, rows) =
                        elsewhere::complete(&inner, &announced, &new, &rows, &birth).await?;
                    (tenant, added, rows)
                }
            };
            Ok(Imported {
                tenant,
                added,
                rows,
                took: begun.elapsed(),
            })
        })
        .await
    }
}

/// One that gets its rows from a copy: nobody is born in it.
pub(super) fn unborn(slug: Slug, name: TenantName, actor: String) -> NewTenant {
    NewTenant {
        slug,
        name,
        owner: None,
        seeds: vec![],
        settings: BTreeMap::new(),
        actor,
    }
}

/// What a tenant made of a copy begins with, and what its history says of that.
pub(super) struct Birthmark {
    pub(super) tags: Vec<String>,
    pub(super) detail: serde_json::Value,
}

fn new_tenant(import: &NewImport, folder: &Verified) -> Result<NewTenant, CopyError> {
    let name = match &import.name {
        Some(name) => name.clone(),
        None => TenantName::parse(&folder.manifest.tenant.name)
            .map_err(|error| CopyError::damaged(&folder.folder, error.to_string()))?,
    };
    Ok(unborn(import.slug.clone(), name, import.actor.clone()))
}

fn tags(folder: &Verified) -> Result<Vec<String>, CopyError> {
    let words = &folder.manifest.tenant.tags;
    for word in words {
        Label::parse(word)
            .map_err(|error| CopyError::damaged(&folder.folder, error.to_string()))?;
    }
    Ok(words.clone())
}

async fn start<P: Product>(
    wire: &Wire,
    inner: &Inner<P>,
    new: &NewTenant,
    at: &Placement,
    rows: &Rows,
    birth: &Birthmark,
) -> Result<Begun, CopyError> {
    let head = head(inner.product.migrator()).ok_or(CreateError::NoMigrations)?;
    let tx = wire.savepoint().await?;
    let outcome = look(&tx, inner, new, at, &head).await;
    let (site, wish, plan) = match finish(tx, outcome).await? {
        Way::Announced(announced) => return Ok(Begun::Announced(announced)),
        Way::Here { site, wish, plan } => (site, wish, plan),
    };
    let schema = SchemaName::generate().map_err(CreateError::from)?;
    let rows = raise(wire, &inner.product, &schema, rows).await?;
    let tx = wire.savepoint().await?;
    let outcome = async {
        // Last, because a lane is held until the commit.
        let placed = lanes::place(inner.ground(&tx, &site), wish).await?;
        lanes::admit(&tx, &schema, &placed.lane.login).await?;
        let described = new.birth(Uuid::now_v7());
        let status = Status::Active;
        let mut row = create::entry_of(&described, &schema, &placed, plan.as_ref(), status, &head);
        row.tags = birth.tags.clone();
        let (id, at) = (row.id, row.created_at);
        create::enlist(&tx, row, &new.slug).await?;
        record(&tx, id, "created", &new.actor, birth.detail.clone(), at).await?;
        let entry = directory::entry(&tx, id).await?;
        Ok(Begun::Complete(
            Box::new(entry.ok_or_else(create::vanished)?),
            placed.added,
            rows,
        ))
    };
    let outcome = outcome.await;
    finish(tx, outcome).await
}

/// Takes the slug, and finds out where the tenant goes. Elsewhere, says so in the directory.
async fn look<P: Product>(
    tx: &sea_orm::DatabaseTransaction,
    inner: &Inner<P>,
    new: &NewTenant,
    at: &Placement,
    head: &str,
) -> Result<Way, CopyError> {
    let half_made = create::reserve(tx, &new.slug).await?;
    let plan = plan_of(tx, at).await?;
    if let Some(row) = half_made {
        let announced = take_over(tx, &row, at, plan, &new.slug).await?;
        return Ok(Way::Announced(announced));
    }
    let (site, wish) = create::destination(tx, inner, at, plan.as_ref()).await?;
    if site.is_own() {
        return Ok(Way::Here { site, wish, plan });
    }
    let announced = announce(inner.ground(tx, &site), wish, new, plan, head).await?;
    Ok(Way::Announced(announced))
}

/// The plan that was asked for.
pub(super) async fn plan_of(
    tx: &sea_orm::DatabaseTransaction,
    at: &Placement,
) -> Result<Option<plan::Model>, CopyError> {
    let Some(name) = &at.plan else {
        return Ok(None);
    };
    let plan = plans::find(tx, name).await?;
    let plan = plan.ok_or_else(|| CreateError::NoPlan(name.to_string()))?;
    Ok(Some(plan))
}
