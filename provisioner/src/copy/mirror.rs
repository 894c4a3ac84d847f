//! A schema beside a tenant's own, with the same rows at the same version, that no directory knows.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use sea_orm_migration::MigratorTraitSelf;
use uuid::Uuid;

use super::raise::{Neighbour, Rows, fill};
use super::wire::{Mode, Wire};
use super::{CopyError, LIMITS, People};
use crate::SchemaName;
use crate::create::hide_history;
use crate::transaction::{Limits, finish};

/// What is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mirror<'a> {
    /// The tenant and its schema.
    pub(crate) of: (Uuid, &'a SchemaName),
    /// What the copy is called.
    pub(crate) schema: &'a SchemaName,
    /// The comment of its schema and role; a text without quotes.
    pub(crate) mark: &'a str,
    /// How long a table may take.
    pub(crate) at_most: Duration,
}

/// Makes a schema as another one is at one moment, in one transaction. Nobody may log in to it.
/// Says how many rows there are. Call it inside of `to_the_end` only.
pub(crate) async fn mirror(
    database: &DatabaseConnection,
    migrator: &impl MigratorTraitSelf,
    wanted: Mirror<'_>,
) -> Result<u64, CopyError> {
    let Mirror {
        of,
        schema,
        mark,
        at_most,
    } = wanted;
    let rows = Rows::Neighbour(Neighbour {
        id: of.0,
        schema: of.1.clone(),
        people: People::Kept,
    });
    let limits = Limits {
        statement_timeout: at_most.min(LIMITS.statement_timeout),
        ..LIMITS
    };
    let wire = Wire::begin(database, Mode::PictureAndWrite, limits).await?;
    let outcome = async {
        let loaded = fill(&wire, migrator, schema, &rows).await?;
        let tx = wire.savepoint().await?;
        let marked = async {
            hide_history(&tx, migrator, schema).await?;
            let sql = format!(
                "COMMENT ON SCHEMA {schema} IS '{mark}'; COMMENT ON ROLE {schema} IS '{mark}'"
            );
            tx.execute_unprepared(&sql).await?;
            Ok(())
        };
        let marked = marked.await;
        finish(tx, marked).await.map(|()| loaded)
    };
    let outcome = outcome.await;
    wire.finish(outcome).await
}
