//! What takes something away from code that may still be running.

use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::RunError;
use crate::query::all;
use crate::{Kind, Product};

/// A contract on the way.
pub(super) struct Contract {
    pub(super) migration: String,
    pub(super) since: String,
}

/// All contracts of a product; every migration has to say what it is.
pub(super) fn contracts<P: Product>(
    product: &P,
    known: &[String],
) -> Result<Vec<Contract>, RunError> {
    let mut contracts = vec![];
    for name in known {
        let declared = product.declared(name);
        match declared
            .ok_or_else(|| RunError::Undeclared(name.clone()))?
            .kind
        {
            Kind::Expand => {}
            Kind::Contract { since } => contracts.push(Contract {
                migration: name.clone(),
                since,
            }),
        }
    }
    Ok(contracts)
}

/// Servers that were heard of in the last hour and need what the contract takes away.
pub(super) async fn refuse_if_needed(
    tx: &DatabaseTransaction,
    contract: &Contract,
    known: &[String],
    force: bool,
) -> Result<(), RunError> {
    let position = |version: &str| known.iter().position(|known| known == version);
    let since = position(&contract.since)
        .ok_or_else(|| RunError::UnknownVersion(contract.since.clone()))?;
    let rows = all(
        tx,
        "SELECT id, build, knows FROM platform.server_process
         WHERE seen_at > now() - interval '1 hour' ORDER BY id",
        [],
    )
    .await?;
    let mut servers = vec![];
    for row in rows {
        let knows: String = row.try_get("", "knows")?;
        // One that knows what we don't is newer than we are.
        if position(&knows).is_some_and(|knows| knows < since) {
            let (id, build): (Uuid, String) = (row.try_get("", "id")?, row.try_get("", "build")?);
            servers.push(format!("{id} (build {build}, knows {knows})"));
        }
    }
    if servers.is_empty() {
        return Ok(());
    }
    if force {
        tracing::warn!(
            migration.name = contract.migration,
            servers = servers.join(", "),
            "a contract is forced past live servers that need what it takes away"
        );
        return Ok(());
    }
    Err(RunError::Needed {
        migration: contract.migration.clone(),
        since: contract.since.clone(),
        servers,
    })
}
