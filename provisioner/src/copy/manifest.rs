//! The table of contents of an export.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{CopyError, hex};

/// The newest form of a folder that we can read, and the one that we write.
const FORMAT: u32 = 1;

/// What a folder is and holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Of the folder.
    pub(super) format: u32,
    /// Whose data it is.
    pub(super) tenant: About,
    /// The moment that the data is of.
    #[serde(with = "time::serde::rfc3339")]
    pub(super) exported_at: OffsetDateTime,
    /// The newest migration.
    pub(super) schema_version: String,
    /// All migrations, in the order in which they were applied.
    pub(super) migrations: Vec<String>,
    /// By name.
    pub(super) tables: Vec<TableFile>,
    /// Where they stand, by name.
    pub(super) sequences: BTreeMap<String, SequenceAt>,
    /// Of all the rest of this.
    pub(super) sha256: String,
}

/// What the directory says of a tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) plan: Option<String>,
    pub(super) tags: Vec<String>,
}

/// A table and its file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableFile {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) structure: String,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Where a sequence stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SequenceAt {
    pub(super) last: i64,
    pub(super) is_called: bool,
}

impl Manifest {
    /// A manifest that says of itself what it weighs.
    pub(super) fn sealed(mut self) -> Self {
        self.format = FORMAT;
        self.sha256 = self.weigh();
        self
    }

    /// For people too.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("text, numbers and lists are always JSON")
    }

    /// Reads a manifest, and believes it only if nobody changed it.
    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Self, CopyError> {
        let foreign = |error: serde_json::Error| {
            CopyError::damaged(path, format!("is no manifest of an export: {error}"))
        };
        let any: serde_json::Value = serde_json::from_slice(text).map_err(foreign)?;
        match any.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format > u64::from(FORMAT) => {
                return Err(CopyError::damaged(
                    path,
                    format!("is of format {format}, and this build reads up to {FORMAT}"),
                ));
            }
            _ => {}
        }
        let manifest: Self = serde_json::from_value(any).map_err(foreign)?;
        if manifest.weigh() != manifest.sha256 {
            return Err(CopyError::damaged(
                path,
                "was changed: its checksum is another",
            ));
        }
        Ok(manifest)
    }

    fn weigh(&self) -> String {
        let bare = Self {
            sha256: String::new(),
            ..self.clone()
        };
        hex(&Sha256::digest(bare.to_json().as_bytes()))
    }
}

impl TableFile {
    /// The name of its file, which is safe on any disk.
    pub(super) fn file_name(&self) -> String {
        file_name(&self.name)
    }
}

/// Letters, digits and `_` as they are, everything else as its bytes.
pub(super) fn file_name(table: &str) -> String {
    let mut name = String::new();
    for byte in table.bytes() {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' {
            name.push(char::from(byte));
        } else {
            name.push('%');
            name.push_str(&hex(&[byte]));
        }
    }
    name + ".copy"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tables_file_stays_in_its_folder() {
        assert_eq!(file_name("price_list"), "price_list.copy");
        assert_eq!(file_name("../x"), "%2e%2e%2fx.copy");
        assert_ne!(file_name("A"), file_name("a"));
    }
}
