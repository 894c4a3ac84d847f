//! A tenant's schema made from rows that exist: at their version first, then filled, then brought
//! to this build's head.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::DatabaseTransaction;
use sea_orm_migration::MigratorTraitSelf;
use uuid::Uuid;

use super::catalogue::{self, Content, Standing, Table, quoted, quoted_list};
use super::export::Looked;
use super::manifest::TableFile;
use super::verify::{Reader, Verified};
use super::wire::{Wire, trouble};
use super::{CopyError, People};
use crate::create::{hide_history, make_schema};
use crate::query::run;
use crate::transaction::{enter, finish};
use crate::{CreateError, Product, SchemaName};

/// Where rows come from.
#[derive(Debug)]
pub(super) enum Rows {
    /// A folder that was read and found whole.
    Folder(Box<Verified>),
    /// Another tenant of the same node.
    Neighbour(Neighbour),
}

/// Another tenant of the same node.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) id: Uuid,
    pub(super) schema: SchemaName,
    pub(super) people: People,
}

/// What the rows fit into.
struct Shape {
    version: String,
    migrations: Vec<String>,
    tables: Vec<Table>,
    standings: BTreeMap<String, Standing>,
}

impl Shape {
    async fn of(
        rows: &Rows,
        wire: &Wire,
        migrator: &impl MigratorTraitSelf,
    ) -> Result<Self, CopyError> {
        match rows {
            Rows::Folder(folder) => Ok(Self::of_folder(folder)),
            Rows::Neighbour(neighbour) => {
                let looked = Looked::at(wire, &neighbour.schema, migrator).await?;
                Ok(Self {
                    version: looked.version,
                    migrations: looked.migrations,
                    tables: looked.content.tables,
                    standings: looked.standings,
                })
            }
        }
    }

    fn of_folder(folder: &Verified) -> Self {
        let manifest = &folder.manifest;
        let table = |file: &TableFile| Table {
            name: file.name.clone(),
            columns: file.columns.clone(),
            structure: file.structure.clone(),
        };
        let standing = |(name, at): (&String, &super::manifest::SequenceAt)| {
            let (last, is_called) = (at.last, at.is_called);
            (name.clone(), Standing { last, is_called })
        };
        Self {
            version: manifest.schema_version.clone(),
            migrations: manifest.migrations.clone(),
            tables: manifest.tables.iter().map(table).collect(),
            standings: manifest.sequences.iter().map(standing).collect(),
        }
    }

    /// Whether freshly made tables are the ones that the rows come from; the first that is not.
    fn differing(&self, content: &Content) -> Option<String> {
        let made: BTreeMap<_, _> = content.tables.iter().map(|one| (&one.name, one)).collect();
        let known: BTreeSet<_> = self.tables.iter().map(|table| &table.name).collect();
        let other = |table: &&Table| {
            made.get(&table.name).is_none_or(|made| {
                let sorted = |table: &Table| table.columns.iter().cloned().collect::<BTreeSet<_>>();
                made.structure != table.structure
                    || made.columns.len() != table.columns.len()
                    || sorted(made) != sorted(table)
            })
        };
        let missing = || made.keys().find(|name| !known.contains(*name)).copied();
        let sequences: BTreeSet<_> = content.sequences.iter().collect();
        self.tables
            .iter()
            .find(other)
            .map(|table| &table.name)
            .or_else(missing)
            .or_else(|| {
                let mut names = self.standings.keys();
                names.find(|name| !sequences.contains(name))
            })
            .cloned()
    }
}

/// Whether this build can make the tables of an export.
pub(super) fn check_folder(
    folder: &Verified,
    migrator: &impl MigratorTraitSelf,
) -> Result<(), CopyError> {
    steps_to(migrator, &Shape::of_folder(folder)).map(|_| ())
}

/// How many of a product's migrations lead to a version.
fn steps_to(migrator: &impl MigratorTraitSelf, shape: &Shape) -> Result<u32, CopyError> {
    let known: Vec<_> = migrator
        .migrations()
        .iter()
        .map(|step| step.name().to_owned())
        .collect();
    let newer = shape.migrations.iter().chain([&shape.version]);
    if let Some(unknown) = newer.into_iter().find(|name| !known.contains(name)) {
        return Err(CopyError::NewerBuild(unknown.clone()));
    }
    let steps = known[..].iter().take(shape.migrations.len());
    if !steps.eq(&shape.migrations) || shape.migrations.last() != Some(&shape.version) {
        return Err(CopyError::History(shape.version.clone()));
    }
    u32::try_from(shape.migrations.len()).map_err(|_| CopyError::History(shape.version.clone()))
}

/// Makes role and schema, fills it and brings it to head. Says how many rows there were.
pub(super) async fn raise<P: Product>(
    wire: &Wire,
    product: &P,
    schema: &SchemaName,
    rows: &Rows,
) -> Result<u64, CopyError> {
    let migrator = product.migrator();
    let loaded = fill(wire, migrator, schema, rows).await?;
    let tx = wire.savepoint().await?;
    let outcome = async {
        enter(&tx, schema).await?;
        let up = migrator.up(&tx, None).await;
        up.map_err(CreateError::Migration)?;
        hide_history(&tx, migrator, schema).await?;
        if let Rows::Neighbour(neighbour) = rows
            && neighbour.people == People::Anonymised
        {
            // The product knows who is who in tables of its own build, so it comes last.
            product.anonymise(&tx).await.map_err(CopyError::Anonymise)?;
        }
        Ok::<_, CopyError>(())
    };
    let outcome = outcome.await;
    finish(tx, outcome).await?;
    Ok(loaded)
}

/// Makes role and schema at the version that the rows come from, and fills it. Says how many rows
/// there were.
pub(super) async fn fill(
    wire: &Wire,
    migrator: &impl MigratorTraitSelf,
    schema: &SchemaName,
    rows: &Rows,
) -> Result<u64, CopyError> {
    let shape = Shape::of(rows, wire, migrator).await?;
    let steps = steps_to(migrator, &shape)?;
    let tx = wire.savepoint().await?;
    let outcome = make(&tx, migrator, schema, steps).await;
    let content = finish(tx, outcome).await?;
    if let Some(table) = shape.differing(&content) {
        let version = shape.version;
        return Err(CopyError::Structure { table, version });
    }
    let mut loaded = 0;
    match rows {
        Rows::Folder(folder) => {
            for table in &folder.manifest.tables {
                loaded += load(wire, schema, folder, table).await?;
            }
        }
        Rows::Neighbour(neighbour) => {
            let tx = wire.savepoint().await?;
            let outcome = take_over(&tx, schema, &neighbour.schema, &shape.tables).await;
            loaded = finish(tx, outcome).await?;
        }
    }
    let tx = wire.savepoint().await?;
    let outcome = async {
        enter(&tx, schema).await?;
        content.attach(&tx, schema).await?;
        catalogue::set_standings(&tx, schema, &shape.standings).await?;
        Ok::<_, CopyError>(())
    };
    let outcome = outcome.await;
    finish(tx, outcome).await?;
    Ok(loaded)
}

/// Empty tables of a version, with nothing between them that would ask for an order.
async fn make(
    tx: &DatabaseTransaction,
    migrator: &impl MigratorTraitSelf,
    schema: &SchemaName,
    steps: u32,
) -> Result<Content, CopyError> {
    make_schema(tx, schema).await?;
    let up = migrator.up(tx, Some(steps)).await;
    up.map_err(CreateError::Migration)?;
    let ledger = migrator.migration_table_name().to_string();
    let content = catalogue::read(tx, schema, &ledger).await?;
    content.detach(tx, schema).await?;
    content.empty(tx, schema).await?;
    Ok(content)
}

/// A file into its table, weighed once more on its way.
async fn load(
    wire: &Wire,
    schema: &SchemaName,
    folder: &Verified,
    table: &TableFile,
) -> Result<u64, CopyError> {
    let failed = |cause| CopyError::Load {
        table: table.name.clone(),
        cause: trouble(cause),
    };
    let mut file = Reader::open(folder.path_of(table)).await?;
    let (name, columns) = (quoted(&table.name), quoted_list(&table.columns));
    let sql = format!("COPY {schema}.{name} ({columns}) FROM STDIN");
    let mut connection = wire.raw().await?;
    let mut copy = connection.copy_in_raw(&sql).await.map_err(failed)?;
    let read = async {
        while let Some(bytes) = file.next().await? {
            copy.send(bytes).await.map_err(failed)?;
        }
        file.must_be(table)
    };
    if let Err(error) = read.await {
        // The transaction is undone in any case; this only ends the statement.
        let _ = copy.abort("the file could not be read").await;
        return Err(error);
    }
    let rows = copy.finish().await.map_err(failed)?;
    if rows != table.rows {
        let what = format!("gave {rows} rows, and the manifest says {}", table.rows);
        return Err(CopyError::damaged(&folder.path_of(table), what));
    }
    Ok(rows)
}

/// The rows of one schema into another.
async fn take_over(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    from: &SchemaName,
    tables: &[Table],
) -> Result<u64, CopyError> {
    let mut rows = 0;
    for table in tables {
        let (name, columns) = (quoted(&table.name), quoted_list(&table.columns));
        let (row, value) = match table.columns.is_empty() {
            true => (String::new(), String::new()),
            false => (format!("({columns}) OVERRIDING SYSTEM VALUE"), columns),
        };
        let sql = format!("INSERT INTO {schema}.{name} {row} SELECT {value} FROM {from}.{name}");
        rows += run(tx, &sql, []).await.map_err(|cause| CopyError::Load {
            table: table.name.clone(),
            cause,
        })?;
    }
    Ok(rows)
}
