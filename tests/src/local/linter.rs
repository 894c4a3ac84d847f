//! What reads our OpenAPI documents with a critic's eye: Redocly's linter.

use anyhow::Result;

use super::node::{Packages, Wanted};

const LINTER: Wanted = Wanted {
    name: "openapi-linter",
    manifest: include_str!("../../linter/package.json"),
    lock: include_str!("../../linter/package-lock.json"),
    files: &[],
};

/// Finds the linter, or fetches it.
///
/// # Errors
///
/// When it is neither here nor can be fetched.
pub fn packages() -> Result<Packages> {
    Packages::of(&LINTER)
}
