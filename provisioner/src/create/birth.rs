//! What is made inside the database that a tenant lives in: role, schema, tables, first rows.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};
use sea_orm_migration::{MigratorTraitSelf, SchemaManager};

use super::CreateError;
use crate::history::now;
use crate::query::run;
use crate::transaction::enter;
use crate::{Birth, Product, SchemaName};

/// Makes everything that belongs to a tenant, but lets nobody in yet.
pub(super) async fn raise<P: Product>(
    tx: &DatabaseTransaction,
    product: &P,
    birth: &Birth,
    schema: &SchemaName,
) -> Result<(), CreateError> {
    build(tx, product.migrator(), schema).await?;
    product.seed(tx, birth).await.map_err(CreateError::Seed)
}

/// Makes role, schema and tables, and no rows.
pub(crate) async fn build(
    tx: &DatabaseTransaction,
    migrator: &impl MigratorTraitSelf,
    schema: &SchemaName,
) -> Result<(), CreateError> {
    make_schema(tx, schema).await?;
    climb(tx, migrator).await.map_err(CreateError::Migration)?;
    hide_history(tx, migrator, schema).await?;
    Ok(())
}

/// Takes all steps in a schema that is new. The migrator itself would ask again and again what has
/// been done already, and put each step into a savepoint; here nothing has, and all of it is
/// undone together.
async fn climb(tx: &DatabaseTransaction, migrator: &impl MigratorTraitSelf) -> Result<(), DbErr> {
    migrator.install(tx).await?;
    let (steps, manager) = (migrator.migrations(), SchemaManager::new(tx));
    for step in &steps {
        step.up(&manager).await?;
    }
    let names: Vec<String> = steps.iter().map(|step| step.name().to_owned()).collect();
    let sql = format!(
        "INSERT INTO {} (version, applied_at) SELECT name, $2 FROM unnest($1::text[]) name",
        history_table(migrator)
    );
    run(tx, &sql, [names.into(), now().unix_timestamp().into()]).await?;
    Ok(())
}

/// The newest migration of a product.
pub(crate) fn head(migrator: &impl MigratorTraitSelf) -> Option<String> {
    migrator
        .migrations()
        .last()
        .map(|step| step.name().to_owned())
}

/// Makes role and schema in one message, and points the transaction at the schema.
///
/// The schema belongs to us, the role may only read and write its tables: a tenant's code can't
/// change its own structure.
pub(crate) async fn make_schema(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
) -> Result<(), DbErr> {
    tx.execute_unprepared(&format!(
        "CREATE ROLE {schema} NOLOGIN NOINHERIT;
         CREATE SCHEMA {schema};
         GRANT USAGE ON SCHEMA {schema} TO {schema};
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema}
             GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {schema};
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {schema}"
    ))
    .await?;
    enter(tx, schema).await?;
    Ok(())
}

/// The tenant's code has no business with the history of its schema.
pub(crate) async fn hide_history(
    tx: &DatabaseTransaction,
    migrator: &impl MigratorTraitSelf,
    schema: &SchemaName,
) -> Result<(), DbErr> {
    let table = history_table(migrator);
    tx.execute_unprepared(&format!(
        "REVOKE ALL ON TABLE {schema}.{table} FROM {schema}"
    ))
    .await?;
    Ok(())
}

/// What the migrator calls the history of a schema, in quotes.
fn history_table(migrator: &impl MigratorTraitSelf) -> String {
    let name = migrator.migration_table_name().to_string();
    format!("\"{}\"", name.replace('"', "\"\""))
}
