//! Receives a form with a price file, straight to disk.

use std::fs::File;
use std::io::Write;

use actix_multipart::{Field, Multipart};
use futures_util::TryStreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;

use super::error::ImportError;
use super::pricefile::{Duplicates, Mapping};

/// Largest text field of the form, bytes.
const TEXT_LIMIT: usize = 64 * 1024;

/// What a client may say about an import, in the query or in the form; the form wins.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wishes {
    /// Only say what would be done.
    pub dry_run: Option<bool>,
    /// What becomes of rows with the same code: the first is kept and later ones rejected
    /// (`reject`, the default), or the last one wins (`last_wins`). Both are reported.
    #[param(inline)]
    pub duplicates: Option<Duplicates>,
}

/// A form that has been received. The file has no name on disk: it goes when it is closed.
#[derive(Debug)]
pub(super) struct Upload {
    pub file: File,
    pub mapping: Option<Mapping>,
    pub wishes: Wishes,
    /// SHA-256 of all that was sent but the form's boundaries, which differ each time.
    pub digest: [u8; 32],
}

/// Receives a form; what it says wins over `wishes`.
pub(super) async fn receive(
    mut form: Multipart,
    mut wishes: Wishes,
    limit: u64,
) -> Result<Upload, ImportError> {
    let (mut file, mut mapping) = (None, None);
    let mut digest = Sha256::new();
    while let Some(field) = form.try_next().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        digest.update(Sha256::digest(&name));
        match name.as_str() {
            "file" if file.is_some() => {
                return Err(ImportError::Upload(
                    "the form has more than one file".to_owned(),
                ));
            }
            "file" => file = Some(to_disk(field, limit, &mut digest).await?),
            "mapping" => mapping = Some(mapping_of(&text(field, &name, &mut digest).await?)?),
            "dry_run" => wishes.dry_run = Some(flag(&text(field, &name, &mut digest).await?)?),
            "duplicates" => {
                wishes.duplicates = Some(word(&name, &text(field, &name, &mut digest).await?)?)
            }
            other => {
                return Err(ImportError::Upload(format!(
                    "the form has a field {other:?}; known are file, mapping, dry_run, duplicates"
                )));
            }
        }
    }
    let file =
        file.ok_or_else(|| ImportError::Upload("the form has no field `file`".to_owned()))?;
    Ok(Upload {
        file,
        mapping: mapping.flatten(),
        wishes,
        digest: digest.finalize().into(),
    })
}

/// Writes chunk by chunk on a thread that may block, so that memory stays small.
async fn to_disk(mut field: Field, limit: u64, digest: &mut Sha256) -> Result<File, ImportError> {
    let mut file = tempfile::tempfile().map_err(ImportError::Storage)?;
    let mut size = 0_u64;
    let mut own = Sha256::new();
    while let Some(chunk) = field.try_next().await.map_err(broken)? {
        size += chunk.len() as u64;
        if size > limit {
            return Err(ImportError::TooLarge(limit));
        }
        let written = tokio::task::spawn_blocking(move || {
            own.update(&chunk);
            file.write_all(&chunk).map(|()| (file, own))
        });
        (file, own) = written
            .await
            .map_err(|error| ImportError::Storage(std::io::Error::other(error)))?
            .map_err(ImportError::Storage)?;
    }
    digest.update(own.finalize());
    Ok(file)
}

async fn text(mut field: Field, name: &str, digest: &mut Sha256) -> Result<String, ImportError> {
    let bytes = field
        .bytes(TEXT_LIMIT)
        .await
        .map_err(|_| ImportError::Upload(format!("the field {name} is too long")))?
        .map_err(broken)?;
    digest.update(Sha256::digest(&bytes));
    String::from_utf8(bytes.to_vec())
        .map(|text| text.trim().to_owned())
        .map_err(|_| ImportError::Upload(format!("the field {name} is not UTF-8")))
}

/// A blank mapping is none.
fn mapping_of(text: &str) -> Result<Option<Mapping>, ImportError> {
    if text.is_empty() || text == "null" {
        return Ok(None);
    }
    if !text.starts_with('{') {
        // Serde would take a list for the fields in their order.
        let reason = "the mapping can't be read: it must be a JSON object";
        return Err(ImportError::Upload(reason.to_owned()));
    }
    serde_json::from_str(text)
        .map(Some)
        .map_err(|error| ImportError::Upload(format!("the mapping can't be read: {error}")))
}

fn flag(text: &str) -> Result<bool, ImportError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        other => Err(ImportError::Upload(format!(
            "dry_run is true or false, not {other:?}"
        ))),
    }
}

fn word<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ImportError> {
    let deserializer: StrDeserializer<'_, WordError> = text.into_deserializer();
    T::deserialize(deserializer).map_err(|error| ImportError::Upload(format!("{name}: {error}")))
}

fn broken(error: impl std::fmt::Display) -> ImportError {
    ImportError::Upload(format!("the upload can't be read: {error}"))
}
