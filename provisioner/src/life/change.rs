//! What operators may change of an entry: its slug, its tags, and whether it is under legal hold.

use std::collections::BTreeSet;
use std::sync::Arc;

use entity::platform::tenant::{self, Status};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, DatabaseTransaction, DbErr, IntoActiveModel as _,
};
use serde_json::{Value, json};

use super::{LIMITS, LifeError, held, reason_of, seen};
use crate::history::{now, record};
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Label, Product, Provisioner, Slug, TenantEntry, db_error};

/// Words to put on a tenant, and words to take off.
#[derive(Clone, Debug, Default)]
pub struct Tags {
    /// Put on; those that are there already stay.
    pub add: Vec<Label>,
    /// Taken off; those that are not there are nobody's mistake.
    pub remove: Vec<Label>,
}

impl Tags {
    /// As many as a tenant can carry.
    pub const MOST: usize = 50;

    /// The tags after the change, sorted.
    fn applied_to(&self, tags: &[String]) -> Result<Vec<String>, LifeError> {
        let mut words: BTreeSet<String> = tags.iter().cloned().collect();
        for word in &self.remove {
            words.remove(word.as_str());
        }
        words.extend(self.add.iter().map(Label::to_string));
        if words.len() > Self::MOST {
            return Err(LifeError::TooManyTags(words.len()));
        }
        Ok(words.into_iter().collect())
    }
}

enum Change {
    Slug(Slug),
    Tags(Tags),
    Hold(String),
    Release,
}

/// Whoever is complete and somebody's.
const SOMEBODYS: &[Status] = &[
    Status::Active,
    Status::Suspended,
    Status::PastGrace,
    Status::Closing,
    Status::Archived,
];

/// The same without those who are kept as files only: their slug stays theirs.
const WITH_SCHEMA: &[Status] = &[
    Status::Active,
    Status::Suspended,
    Status::PastGrace,
    Status::Closing,
];

impl Change {
    fn from(&self) -> &'static [Status] {
        match self {
            Self::Slug(_) => WITH_SCHEMA,
            Self::Tags(_) | Self::Hold(_) | Self::Release => SOMEBODYS,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Slug(_) => "renamed",
            Self::Tags(_) => "tagged",
            Self::Hold(_) => "held",
            Self::Release => "released",
        }
    }
}

impl<P: Product> Provisioner<P> {
    /// Gives a tenant another slug, which servers answer to within a second. The old one is free
    /// for others at once; the schema's name never changes.
    ///
    /// # Errors
    ///
    /// [`LifeError`]; one that is being made, archived or gone keeps its slug.
    pub async fn rename(
        &self,
        tenant: &str,
        slug: Slug,
        actor: &str,
    ) -> Result<TenantEntry, LifeError> {
        self.change(tenant, Change::Slug(slug), actor).await
    }

    /// Puts words on a tenant, and takes others off.
    ///
    /// # Errors
    ///
    /// [`LifeError`].
    pub async fn tag(
        &self,
        tenant: &str,
        tags: Tags,
        actor: &str,
    ) -> Result<TenantEntry, LifeError> {
        self.change(tenant, Change::Tags(tags), actor).await
    }

    /// Puts a tenant under legal hold: nothing of it can be archived or purged.
    ///
    /// # Errors
    ///
    /// [`LifeError`].
    pub async fn hold(
        &self,
        tenant: &str,
        reason: &str,
        actor: &str,
    ) -> Result<TenantEntry, LifeError> {
        let reason = reason_of(reason)?.to_owned();
        self.change(tenant, Change::Hold(reason), actor).await
    }

    /// Ends a tenant's legal hold. One that is under none stays as it is.
    ///
    /// # Errors
    ///
    /// [`LifeError`].
    pub async fn release(&self, tenant: &str, actor: &str) -> Result<TenantEntry, LifeError> {
        self.change(tenant, Change::Release, actor).await
    }

    async fn change(
        &self,
        tenant: &str,
        change: Change,
        actor: &str,
    ) -> Result<TenantEntry, LifeError> {
        let inner = Arc::clone(&self.inner);
        let (tenant, actor) = (tenant.to_owned(), actor.to_owned());
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = change_in(&tx, &tenant, change, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }
}

async fn change_in(
    tx: &DatabaseTransaction,
    tenant: &str,
    change: Change,
    actor: &str,
) -> Result<TenantEntry, LifeError> {
    act_as_owner(tx).await?;
    let kind = change.kind();
    let row = held(tx, tenant, change.from(), kind).await?;
    let id = row.id;
    let now = now();
    if let Some(detail) = write(tx, row, change, now).await? {
        record(tx, id, kind, actor, detail, now).await?;
    }
    seen(tx, id).await
}

/// Writes a change, and says what stands in the history. Nothing where nothing changes.
async fn write(
    tx: &DatabaseTransaction,
    row: tenant::Model,
    change: Change,
    now: time::OffsetDateTime,
) -> Result<Option<Value>, LifeError> {
    let before = row.clone();
    let mut entry = row.into_active_model();
    let detail = match &change {
        Change::Slug(slug) if slug.as_str() == before.slug => return Ok(None),
        Change::Slug(slug) => {
            entry.slug = Set(slug.as_str().to_owned());
            json!({ "from": before.slug, "to": slug.as_str() })
        }
        Change::Tags(tags) => {
            let after = tags.applied_to(&before.tags)?;
            if after == before.tags {
                return Ok(None);
            }
            entry.tags = Set(after.clone());
            json!({ "from": before.tags, "to": after })
        }
        Change::Hold(reason) => {
            entry.legal_hold = Set(Some(reason.clone()));
            json!({ "reason": reason })
        }
        Change::Release if before.legal_hold.is_none() => return Ok(None),
        Change::Release => {
            entry.legal_hold = Set(None);
            json!({ "reason": before.legal_hold })
        }
    };
    entry.updated_at = Set(now);
    let written = entry.update(tx).await;
    written.map_err(|error| taken(error, &change))?;
    Ok(Some(detail))
}

fn taken(error: DbErr, change: &Change) -> LifeError {
    match (change, db_error::constraint(&error)) {
        (Change::Slug(slug), Some("tenant_slug_key")) => LifeError::SlugTaken(slug.clone()),
        _ => error.into(),
    }
}
