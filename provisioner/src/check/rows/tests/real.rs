//! The product's own schemas, and how long it takes.

// The library knows no product; its tests may.
#[cfg(test)]
use std::time::{Duration, Instant};

use migration::{NodeMigrator, TenantMigrator};
use sea_orm_migration::{MigrationTrait, MigratorTrait as _, SchemaManager};

use super::super::probes;
use super::Bench;
use crate::transaction::enter;

async fn take(bench: &Bench, migrations: Vec<Box<dyn MigrationTrait>>) {
    let manager = SchemaManager::new(&bench.tx);
    for migration in migrations {
        migration.up(&manager).await.unwrap();
    }
}

#[tokio::test]
async fn every_table_of_the_product_has_rows_and_probes() {
    let bench = Bench::new("").await;
    bench
        .run("CREATE SCHEMA shared; SET LOCAL search_path = shared, pg_temp")
        .await;
    take(&bench, NodeMigrator::migrations()).await;
    enter(&bench.tx, &bench.schema).await.unwrap();
    take(&bench, TenantMigrator::migrations()).await;

    let filled = bench.fill_all(50).await;
    let made = probes(&bench.tx, &bench.schema, 7).await.unwrap();

    let tables = bench
        .texts(&format!(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = '{}' ORDER BY 1",
            bench.schema
        ))
        .await;
    // Three tables hold one row at most.
    assert_eq!(filled.rows, 50 * (tables.len() as u64 - 3) + 3);
    let probed = |table: &String| made.iter().filter(|probe| probe.table == *table).count();
    let few = tables.iter().map(|table| (table.as_str(), probed(table)));
    // What is nothing but its key has nothing that could be changed, and where one row is all there
    // can be, or one for each member, no other can be tried.
    let few: Vec<_> = few.filter(|(_, probes)| *probes != 2).collect();
    assert_eq!(
        few,
        [
            ("access_state", 0),
            ("audit_head", 0),
            ("event_head", 0),
            ("notification_preference", 0),
            ("team_member", 1),
            ("totp_credential", 0)
        ]
    );
    assert!(bench.count("item WHERE price_amount IS NOT NULL").await > 5);
    assert!(bench.count("item WHERE other_price_unit IS NOT NULL").await > 2);
}

#[tokio::test]
async fn thirty_tables_are_filled_quickly() {
    let tables = (0..30).map(|at| {
        format!(
            "CREATE TABLE t{at} (id uuid PRIMARY KEY, code text NOT NULL UNIQUE,
                of uuid REFERENCES t{} (id), status text NOT NULL CHECK (status IN ('a', 'b')),
                valid_from date NOT NULL, valid_until date, note text, amount numeric(12, 2),
                CHECK (valid_until > valid_from));",
            at / 2
        )
    });
    let bench = Bench::new(&tables.collect::<String>()).await;
    let began = Instant::now();

    let filled = bench.fill_all(50).await;

    let took = began.elapsed();
    assert_eq!(filled.rows, 30 * 50);
    // Half a second on a machine that does nothing else.
    assert!(took < Duration::from_secs(4), "{took:?}");
}
