//! The contract with those outside: the documents in the repository are those of the code, a linter
//! finds nothing in them, and nothing that was released is taken back.

mod breaking;
mod documents;
mod lint;
mod released;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The documents, by the names of their files.
pub const DOCUMENTS: [&str; 2] = ["tenant", "platform"];

/// A file of `server/openapi`.
pub fn committed(name: &str) -> PathBuf {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    house.unwrap().join("server/openapi").join(name)
}

/// A document of `server/openapi`.
pub fn read(name: &str) -> Value {
    let path = committed(&format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap()
}
