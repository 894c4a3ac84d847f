//! What lies in storage, whoever knows of it: for those who look after what was left behind.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path as Name;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::StorageError;
use super::key::{Shelf, TENANTS};
use super::reading::on_disk;
use super::store::Storage;
use crate::kernel::TenantKey;

/// A file of a tenant, or on a disk also what there is of one whose writer has died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lying {
    /// The id that it is named by.
    pub id: Uuid,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Bucket(Name),
    Disk(PathBuf),
}

impl Storage {
    /// The tenants that have a place in storage, files or not.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub async fn tenants(&self) -> Result<Vec<TenantKey>, StorageError> {
        let names = match &self.root {
            Some(root) => {
                let folder = root.join(TENANTS);
                on_disk(move || names_in(&folder)).await.map_err(failed)?
            }
            None => {
                let all = Name::from(TENANTS);
                let found = self.store.list_with_delimiter(Some(&all)).await?;
                let names = found.common_prefixes.iter().filter_map(Name::filename);
                names.map(str::to_owned).collect()
            }
        };
        let ids = names.iter().filter_map(|name| Uuid::try_parse(name).ok());
        Ok(ids.map(TenantKey::of).collect())
    }

    /// What lies on a tenant's shelf and was not touched since `until`. What isn't named as we name
    /// files isn't ours.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub async fn lying(
        &self,
        tenant: TenantKey,
        shelf: Shelf,
        until: OffsetDateTime,
    ) -> Result<Vec<Lying>, StorageError> {
        let shelf = format!("{TENANTS}/{tenant}/{}", shelf.as_str());
        let Some(root) = &self.root else {
            let all = self.store.list(Some(&Name::from(shelf)));
            let old = all.try_filter_map(async |object| Ok(in_bucket(object, until)));
            return Ok(old.boxed().try_collect().await?);
        };
        let folder = root.join(shelf);
        let found = on_disk(move || in_folder(&folder, until)).await;
        found.map_err(failed)
    }

    /// Removes what was found; that it is gone already is fine.
    ///
    /// # Errors
    ///
    /// [`StorageError`].
    pub async fn remove(&self, found: &Lying) -> Result<(), StorageError> {
        let gone = match found.place.clone() {
            Place::Bucket(name) => self.store.delete(&name).await.map_err(StorageError::from),
            Place::Disk(path) => on_disk(|| std::fs::remove_file(path)).await.map_err(failed),
        };
        match gone {
            Err(StorageError::Missing) => Ok(()),
            other => other,
        }
    }

    /// Removes the folders of a tenant without files; a bucket has none.
    pub async fn remove_folders(&self, tenant: TenantKey) {
        let Some(root) = &self.root else {
            return;
        };
        let folder = root.join(TENANTS).join(tenant.to_string());
        let removed = on_disk(move || {
            for shelf in Shelf::ALL {
                // One with files in it stays, and so does the tenant's.
                let _ = std::fs::remove_dir(folder.join(shelf.as_str()));
            }
            std::fs::remove_dir(folder)
        });
        if let Err(error) = removed.await {
            tracing::debug!(error = %error, "a folder in storage is not empty");
        }
    }
}

fn in_bucket(object: ObjectMeta, until: OffsetDateTime) -> Option<Lying> {
    let id = Uuid::try_parse(object.location.filename()?).ok()?;
    let is_old = object.last_modified.timestamp() < until.unix_timestamp();
    let place = Place::Bucket(object.location);
    is_old.then_some(Lying { id, place })
}

/// A file that is being written has a sign and a number behind its name.
fn in_folder(folder: &Path, until: OffsetDateTime) -> io::Result<Vec<Lying>> {
    let mut found = Vec::new();
    for name in names_in(folder)? {
        let own = name.split_once('#').map_or(name.as_str(), |(own, _)| own);
        let Ok(id) = Uuid::try_parse(own) else {
            continue;
        };
        let path = folder.join(&name);
        let changed = match std::fs::metadata(&path).and_then(|file| file.modified()) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            other => OffsetDateTime::from(other?),
        };
        if changed < until {
            let place = Place::Disk(path);
            found.push(Lying { id, place });
        }
    }
    Ok(found)
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let names = entries.map(|entry| entry.map(|it| it.file_name().into_string().ok()));
    names.filter_map(Result::transpose).collect()
}

fn failed(error: io::Error) -> StorageError {
    match error.kind() {
        ErrorKind::NotFound => StorageError::Missing,
        _ => StorageError::Failed(object_store::Error::Generic {
            store: "disk",
            source: Box::new(error),
        }),
    }
}
