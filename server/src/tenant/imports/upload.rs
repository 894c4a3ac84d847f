//! Receives a form with a price file, straight into storage.

use actix_multipart::{Field, Multipart};
use futures_util::TryStreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use uuid::Uuid;

use super::error::ImportError;
use super::model::{Arrived, Missing, Mode, Options};
use super::pricefile::{Duplicates, Mapping};
use crate::storage::{Storage, StorageKey};

/// Largest text field of the form, bytes.
const TEXT_LIMIT: usize = 64 * 1024;
/// Longest name of a file that is kept, characters.
const NAME_CHARS: usize = 200;
const FIELDS: &str = "file, mapping, profile, apply, mode, max_rejected, duplicates, missing, \
    price_change_percent";

/// What a client may say about an import, in the query or in the form; the form wins, and both win over
/// the profile.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wishes {
    /// Apply it at once after it was read; else it waits to be applied or cancelled.
    pub apply: Option<bool>,
    /// The supplier's way to write files: an import profile.
    pub profile: Option<Uuid>,
    /// What rejected rows mean for the others: good rows are taken (`good_rows`, the default), nothing
    /// is taken if one is rejected (`all_or_nothing`) or if more than `max_rejected` are (`stop_after`).
    #[param(inline)]
    pub mode: Option<Mode>,
    /// Rejected rows that are put up with; for `stop_after`.
    pub max_rejected: Option<u64>,
    /// What becomes of rows with the same code: the first is kept and later ones rejected
    /// (`reject`, the default), or the last one wins (`last_wins`). Both are reported.
    #[param(inline)]
    pub duplicates: Option<Duplicates>,
    /// What becomes of items that came with the same profile's files and are not in this one: they stay
    /// (`keep`, the default), or are retired (`retire`).
    #[param(inline)]
    pub missing: Option<Missing>,
    /// Point out prices that change by at least so much, percent.
    #[param(minimum = 1, maximum = 10000)]
    pub price_change_percent: Option<u32>,
}

/// A form that has been received; its file is in storage.
#[derive(Debug)]
pub(super) struct Upload {
    pub arrived: Arrived,
    pub mapping: Option<Mapping>,
    pub wishes: Wishes,
    /// SHA-256 of all that was sent but the form's boundaries, which differ each time.
    pub digest: [u8; 32],
}

impl Wishes {
    /// What is asked for, with what a profile says where the client says nothing.
    pub(super) fn over(&self, profile: Option<&Options>) -> Result<Options, ImportError> {
        let said = profile.cloned().unwrap_or_default();
        let options = Options {
            mode: self.mode.unwrap_or(said.mode),
            max_rejected: self.max_rejected.or(said.max_rejected),
            duplicates: self.duplicates.unwrap_or(said.duplicates),
            missing: self.missing.unwrap_or(said.missing),
            price_change_percent: self.price_change_percent.or(said.price_change_percent),
            apply: self.apply.unwrap_or(said.apply),
        };
        options.checked(self.profile.is_some())
    }
}

impl Options {
    /// Refuses what makes no sense together.
    pub(super) fn checked(self, has_profile: bool) -> Result<Self, ImportError> {
        let refused = |text: &str| Err(ImportError::Upload(text.to_owned()));
        match (self.mode, self.max_rejected) {
            (Mode::StopAfter, None) => {
                return refused("stop_after needs max_rejected");
            }
            (Mode::GoodRows | Mode::AllOrNothing, Some(_)) => {
                return refused("max_rejected is for the mode stop_after");
            }
            _ => {}
        }
        if self.missing == Missing::Retire && !has_profile {
            return refused("only items of a profile can be retired: give one");
        }
        if !self
            .price_change_percent
            .is_none_or(|it| (1..=10_000).contains(&it))
        {
            return refused("price_change_percent is 1 to 10000");
        }
        Ok(self)
    }
}

/// Receives a form; what it says wins over `wishes`. The file is kept under `key`; whoever gets an
/// error may find it there all the same.
pub(super) async fn receive(
    mut form: Multipart,
    mut wishes: Wishes,
    (storage, key, id): (&Storage, &StorageKey, Uuid),
    limit: u64,
) -> Result<Upload, ImportError> {
    let (mut file, mut mapping) = (None, None);
    let mut digest = Sha256::new();
    while let Some(field) = form.try_next().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        digest.update(Sha256::digest(&name));
        if name == "file" {
            if file.is_some() {
                let reason = "the form has more than one file";
                return Err(ImportError::Upload(reason.to_owned()));
            }
            let arrived = keep(field, (storage, key, id), limit).await?;
            digest.update(arrived.sha256);
            file = Some(arrived);
            continue;
        }
        let text = text(field, &name, &mut digest).await?;
        match name.as_str() {
            "mapping" => mapping = Some(mapping_of(&text)?),
            "profile" => wishes.profile = Some(word(&name, &text)?),
            "apply" => wishes.apply = Some(flag(&text)?),
            "mode" => wishes.mode = Some(word(&name, &text)?),
            "max_rejected" => wishes.max_rejected = Some(number(&name, &text)?),
            "duplicates" => wishes.duplicates = Some(word(&name, &text)?),
            "missing" => wishes.missing = Some(word(&name, &text)?),
            "price_change_percent" => wishes.price_change_percent = Some(number(&name, &text)?),
            other => {
                return Err(ImportError::Upload(format!(
                    "the form has a field {other:?}; known are {FIELDS}"
                )));
            }
        }
    }
    let arrived =
        file.ok_or_else(|| ImportError::Upload("the form has no field `file`".to_owned()))?;
    Ok(Upload {
        arrived,
        mapping: mapping.flatten(),
        wishes,
        digest: digest.finalize().into(),
    })
}

async fn keep(
    field: Field,
    (storage, key, id): (&Storage, &StorageKey, Uuid),
    limit: u64,
) -> Result<Arrived, ImportError> {
    let named = field.content_disposition().and_then(|it| it.get_filename());
    let file_name = named.unwrap_or("file").chars();
    let file_name = file_name.filter(|sign| !sign.is_control()).take(NAME_CHARS);
    let file_name = file_name.collect();
    let stored = storage.put(key, field.map_err(broken), limit).await?;
    Ok(Arrived {
        id,
        file_name,
        bytes: i64::try_from(stored.bytes).unwrap_or(i64::MAX),
        sha256: stored.sha256,
    })
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

/// A mapping as it is kept.
pub(super) fn kept(mapping: &Mapping) -> Json {
    serde_json::to_value(mapping).unwrap_or_default()
}

fn flag(text: &str) -> Result<bool, ImportError> {
    match text {
        // As Python writes them, too: generated clients do.
        "true" | "True" | "1" => Ok(true),
        "false" | "False" | "0" | "" => Ok(false),
        other => Err(ImportError::Upload(format!(
            "apply is true or false, not {other:?}"
        ))),
    }
}

fn word<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ImportError> {
    let deserializer: StrDeserializer<'_, WordError> = text.into_deserializer();
    T::deserialize(deserializer).map_err(|error| ImportError::Upload(format!("{name}: {error}")))
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, ImportError> {
    let refused = |_| ImportError::Upload(format!("{name} is a whole number, not {text:?}"));
    text.parse().map_err(refused)
}

fn broken(error: impl std::fmt::Display) -> ImportError {
    ImportError::Upload(format!("the upload can't be read: {error}"))
}
