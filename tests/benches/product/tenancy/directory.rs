//! The directory with ten thousand tenants: start, memory, look-ups, and how soon a change is known.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use server::db::{Address, Found};
use sqlx::{AssertSqlSafe, Executor};
use tests::{Scratch, tubex};

use super::ours::Ours;
use crate::sample::Sample;
use crate::server::Server;
use crate::table::{Table, Target};
use crate::{Scale, say};

const LOOKUPS: usize = 200_000;
/// A version that every build serves.
const HEAD: &str = "m9999_far_ahead";

/// Adds the rows of the directory.
///
/// # Errors
///
/// When the server doesn't become ready, or a tenant isn't found.
pub async fn measure(table: &mut Table, scale: Scale) -> Result<()> {
    let database = Scratch::empty().await;
    let migrated = tubex(&database.owner_url(), &["platform", "migrate"], &[]);
    ensure!(
        migrated.status.success(),
        "{}",
        String::from_utf8_lossy(&migrated.stderr)
    );
    let mut empty = Sample::default();
    for _ in 0..scale.rounds {
        empty.add(Server::start(&database).await?.memory_mb()?);
    }
    populate(&database, scale.directory).await?;

    let (mut times, mut memory, mut peak) = <(Sample, Sample, Sample)>::default();
    for _ in 0..scale.rounds {
        let server = Server::start(&database).await?;
        times.add_ms(server.ready_after);
        memory.add(server.memory_mb()?);
        peak.add(server.peak_memory_mb()?);
    }
    table.add(
        "start to ready with 10,000 tenants",
        "ms",
        times.median(),
        None,
        Target::Below(2000.0),
    );
    table.add(
        "peak memory with 10,000 tenants",
        "MB",
        peak.median(),
        None,
        Target::Below(150.0),
    );
    table.add(
        "memory of 10,000 entries",
        "MB",
        memory.median() - empty.median(),
        None,
        Target::Below(20.0),
    );
    look_up(table, &database, scale).await?;
    changes(table, &database, scale).await
}

/// Tenants as the directory and the doctor see them: an entry, a role that its lane may take, a
/// schema. Nobody asks for their tables.
async fn populate(database: &Scratch, count: usize) -> Result<()> {
    let begun = Instant::now();
    let mut connection = database.connect().await;
    let lanes = count.div_ceil(500);
    for _ in 1..lanes {
        // Narrow: the doctor holds what they may open against what this Postgres allows.
        let added = tubex(&database.owner_url(), &["lane", "add", "--width", "2"], &[]);
        ensure!(
            added.status.success(),
            "{}",
            String::from_utf8_lossy(&added.stderr)
        );
    }
    // In batches: each role and each schema takes a lock until the commit.
    for first in (0..count).step_by(500) {
        let batch = format!(
            "DO $body$
            DECLARE
                schema text;
                lane record;
            BEGIN
                FOR n IN {first}..{last} LOOP
                    schema := 't_' || lpad(to_hex(n), 16, '0');
                    SELECT id, login_role INTO lane FROM platform.lane
                    ORDER BY created_at, id LIMIT 1 OFFSET n / 500;
                    IF to_regrole(schema) IS NULL THEN
                        EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', schema);
                    END IF;
                    EXECUTE format('CREATE SCHEMA %I; GRANT USAGE ON SCHEMA %I TO %I', schema,
                        schema, schema);
                    EXECUTE format('GRANT %I TO %I', schema, lane.login_role);
                    INSERT INTO platform.tenant (id, slug, name, schema_name, lane_id, status,
                        schema_version)
                    VALUES (gen_random_uuid(), 'dealer-' || n, 'Dealer ' || n, schema, lane.id,
                        'active', '{HEAD}');
                END LOOP;
            END $body$",
            last = (first + 500).min(count) - 1,
        );
        connection.execute(AssertSqlSafe(batch)).await?;
    }
    say(format!(
        "{count} entries on {lanes} lanes made in {} s",
        begun.elapsed().as_secs()
    ));
    Ok(())
}

async fn look_up(table: &mut Table, database: &Scratch, scale: Scale) -> Result<()> {
    let ours = Ours::open(database, &[]).await?;
    let names: Vec<_> = (0..scale.directory)
        .map(|number| Address::Slug(format!("dealer-{number}")))
        .collect();
    let mut sample = Sample::default();
    for _ in 0..scale.rounds {
        let begun = Instant::now();
        for turn in 0..LOOKUPS {
            // Far apart, so that no cache of the processor helps more than it would.
            let address = &names[turn * 7919 % names.len()];
            let found = ours.directory().find(address).await;
            ensure!(
                matches!(found, Found::Tenant(_)),
                "{address:?} is not found"
            );
        }
        sample.add(begun.elapsed().as_secs_f64() * 1e6 / LOOKUPS as f64);
    }
    table.add(
        "look-up among 10,000 tenants",
        "µs",
        sample.median(),
        None,
        Target::Below(2.0),
    );
    Ok(())
}

/// A tenant is suspended and resumed; how long until two servers both say so.
async fn changes(table: &mut Table, database: &Scratch, scale: Scale) -> Result<()> {
    let servers = [
        Server::start(database).await?,
        Server::start(database).await?,
    ];
    let mut connection = database.connect().await;
    for (name, trigger) in [
        ("a change of status is known on two servers", "ENABLE"),
        ("the same without its notification", "DISABLE"),
    ] {
        let switch = format!("ALTER TABLE platform.tenant {trigger} TRIGGER tenant_notify");
        connection.execute(AssertSqlSafe(switch)).await?;
        let mut sample = Sample::default();
        for round in 0..scale.rounds * 4 {
            let status = if round % 2 == 0 {
                "suspended"
            } else {
                "active"
            };
            let update =
                format!("UPDATE platform.tenant SET status = '{status}' WHERE slug = 'dealer-7'");
            connection.execute(AssertSqlSafe(update)).await?;
            let begun = Instant::now();
            for server in &servers {
                while server.suspends("dealer-7").await? != (status == "suspended") {
                    ensure!(begun.elapsed() < Duration::from_secs(30), "never known");
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            sample.add_ms(begun.elapsed());
        }
        table.add(
            name,
            "ms",
            sample.percentile(100),
            None,
            Target::Below(1000.0),
        );
    }
    Ok(())
}
