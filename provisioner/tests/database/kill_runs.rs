//! `kill -9` at any moment of a run or of its taking back leaves nothing that going on does not
//! finish; and a worker that was stopped past its lease changes nothing when it wakes up.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::dealers::OlderDealers;
use crate::kill::{Killer, tubex, wait_for_the_dead};
use crate::scratch::{self, Scratch};
use crate::toy::tenant;

/// Before the contract, so that there is a way back.
const TO: &str = "m0005_session_recent_idx";
const FROM: &str = "m0002_catalogue";
const DEALERS: i64 = 16;
const KILLS: u64 = 24;

async fn dealers(scratch: &Scratch, count: i64) {
    let old = scratch.provisioner_of(OlderDealers::knowing(2));
    for n in 0..count {
        let mut new = tenant(&format!("dealer-{n:02}"));
        if n % 8 == 0 {
            // Barcodes to fill.
            new.seeds = vec!["demo".to_owned()];
        }
        old.create(new).await.unwrap();
    }
}

/// Takes the whole fleet to a version or back, one batch row at a time so that there are many
/// moments to be killed at.
fn forth(scratch: &Scratch) -> Command {
    tubex(
        scratch,
        &[
            "migrate",
            "--to",
            TO,
            "--batch",
            "40",
            "--max-failures",
            "0",
        ],
    )
}

/// Every schema's own history, each step once, and the same as the directory says.
async fn assert_ledgers(scratch: &Scratch, versions: &[&str]) {
    let entries: Vec<String> = scratch
        .column("SELECT schema_name || ' ' || schema_version FROM platform.tenant ORDER BY 1")
        .await;
    for entry in entries {
        let (schema, version) = entry.split_once(' ').unwrap();
        let ledger: Vec<String> = scratch
            .column(&format!(
                "SELECT version FROM {schema}.seaql_migrations ORDER BY 1"
            ))
            .await;
        assert_eq!(ledger.last().map(String::as_str), Some(version), "{schema}");
        let mut once = ledger.clone();
        once.dedup();
        assert_eq!(once, ledger, "{schema}");
        assert!(versions.contains(&version), "{schema} at {version}");
    }
}

/// Everybody looks like a fresh schema of their version, and no index was left invalid.
async fn assert_structure(scratch: &Scratch) {
    let examined = scratch
        .provisioner_of(OlderDealers::knowing(usize::MAX))
        .examine(provisioner::Depth::Structure)
        .await
        .unwrap();
    assert!(examined.drifted.is_empty(), "{:?}", examined.drifted);
    let invalid = scratch
        .count("SELECT FROM pg_index WHERE NOT indisvalid")
        .await;
    assert_eq!(invalid, 0);
}

#[tokio::test]
async fn a_killed_run_is_gone_on_with_and_so_is_a_killed_rollback() {
    scratch::ready(|scratch| async move {
        dealers(&scratch, DEALERS).await;
        let mut killer = Killer::new();
        let mut rounds = 0;
        while killer.killed < KILLS {
            rounds += 1;
            assert!(rounds < 40 * KILLS, "nobody can be killed in the middle");
            let unfinished = scratch
                .column::<bool>(
                    "SELECT reverts IS NOT NULL FROM platform.migration_run
                     WHERE state NOT IN ('done', 'cancelled')",
                )
                .await;
            let there = scratch
                .count(&format!(
                    "SELECT FROM platform.tenant WHERE schema_version = '{TO}'"
                ))
                .await;
            let command = match unfinished.first() {
                Some(true) => tubex(&scratch, &["runs", "work"]),
                Some(false) => forth(&scratch),
                None if there == DEALERS => tubex(&scratch, &["runs", "rollback"]),
                None => forth(&scratch),
            };
            killer.kill(&scratch, command, rounds).await;
            wait_for_the_dead(&scratch).await;
            // As if the lease's time had passed.
            scratch
                .run(
                    "UPDATE platform.migration_run_tenant SET lease_until = now()
                      WHERE state = 'running'",
                )
                .await;
        }

        let unfinished = "SELECT FROM platform.migration_run
                          WHERE state NOT IN ('done', 'cancelled')";
        if scratch.count(unfinished).await > 0 {
            let ended = tubex(&scratch, &["runs", "work"]).status().unwrap();
            assert!(ended.success(), "{ended}");
        }
        let forth = forth(&scratch).status().unwrap();
        assert!(forth.success(), "{forth}");
        assert_ledgers(&scratch, &[TO]).await;
        let empty = scratch
            .column::<String>("SELECT schema_name FROM platform.tenant WHERE slug = 'dealer-00'")
            .await
            .remove(0);
        let filled = format!("SELECT FROM {empty}.item_barcode WHERE kind IS NULL");
        assert_eq!(scratch.count(&filled).await, 0);
        let back = tubex(&scratch, &["runs", "rollback"]).status().unwrap();
        assert!(matches!(back.code(), Some(0 | 1)), "{back}");
        assert_ledgers(&scratch, &[FROM, TO]).await;
        let head = tubex(&scratch, &["migrate"]).status().unwrap();
        assert!(head.success(), "{head}");
        assert_ledgers(&scratch, &["m0015_item_updated_at_idx"]).await;
        assert_structure(&scratch).await;
        scratch.assert_no_orphans().await;
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_was_stopped_past_its_lease_changes_nothing_when_it_wakes_up() {
    scratch::ready(|scratch| async move {
        dealers(&scratch, 12).await;
        let mut sleeper = forth(&scratch).spawn().unwrap();
        let working = "SELECT FROM platform.migration_run_tenant WHERE state = 'running'";
        while scratch.count(working).await == 0 {
            assert!(
                sleeper.try_wait().unwrap().is_none(),
                "it was too fast to be stopped"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        signal(sleeper.id(), "STOP");
        // What it had sent is finished by the database, or is open and held by it for a while.
        scratch
            .run(
                "UPDATE platform.migration_run_tenant SET lease_until = now()
                  WHERE state = 'running'",
            )
            .await;
        let begun = Instant::now();
        let held = "SELECT FROM pg_stat_activity a WHERE datname = current_database()
                    AND application_name = 'tubex' AND state = 'idle in transaction'
                    AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid
                        AND l.locktype = 'relation')";
        // The database ends a transaction whose client has fallen silent.
        while scratch.count(held).await > 0 {
            assert!(
                begun.elapsed() < Duration::from_secs(40),
                "it holds what others need"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }

        let other = forth(&scratch).status().unwrap();
        signal(sleeper.id(), "CONT");
        let woken = sleeper.wait().unwrap();

        assert!(other.success(), "{other} after {:?}", begun.elapsed());
        assert!(matches!(woken.code(), Some(0..=2)), "{woken}");
        assert_ledgers(&scratch, &[TO]).await;
        let twice = "SELECT FROM platform.tenant_event WHERE kind = 'migrated'
                     GROUP BY tenant_id, detail ->> 'to' HAVING count(*) > 1";
        assert_eq!(scratch.count(twice).await, 0, "nobody was moved twice");
        let done = "SELECT FROM platform.migration_run_tenant WHERE state = 'done'";
        assert_eq!(scratch.count(done).await, 12);
        assert_structure(&scratch).await;
    })
    .await;
}

#[tokio::test]
async fn a_run_outlives_connections_that_are_cut_again_and_again() {
    scratch::ready(|scratch| async move {
        dealers(&scratch, 12).await;
        let mut worker = forth(&scratch).spawn().unwrap();
        let mut cuts = 0;
        while worker.try_wait().unwrap().is_none() {
            if cuts < 12 {
                cuts += scratch
                    .count(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                         WHERE datname = current_database() AND application_name = 'tubex'",
                    )
                    .await;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }

        let ended = forth(&scratch).status().unwrap();

        assert!(cuts > 0, "nothing was cut");
        assert!(ended.success(), "{ended}");
        assert_ledgers(&scratch, &[TO]).await;
        assert_structure(&scratch).await;
    })
    .await;
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status()
        .unwrap();
    assert!(sent.success(), "{sent}");
}
