//! A schema beside a tenant's own, with the same rows at the same version, that no directory knows.

use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use sea_orm_migration::MigratorTraitSelf;
use uuid::Uuid;

use super::raise::{Neighbour, Rows, fill};
use super::wire::{Mode, Wire};
use super::{CopyError, LIMITS, People};
use crate::SchemaName;
use crate::create::hide_history;
use crate::transaction::finish;

/// Makes `schema` as `of` is at one moment, in one transaction, with `mark` as the comment of
/// schema and role. Nobody may log in to it. Says how many rows there are. Call it inside of
/// `to_the_end` only.
pub(crate) async fn mirror(
    database: &DatabaseConnection,
    migrator: &impl MigratorTraitSelf,
    of: (Uuid, SchemaName),
    schema: &SchemaName,
    mark: &str,
) -> Result<u64, CopyError> {
    let (id, from) = of;
    let rows = Rows::Neighbour(Neighbour {
        id,
        schema: from,
        people: People::Kept,
    });
    let wire = Wire::begin(database, Mode::PictureAndWrite, LIMITS).await?;
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
