//! `kill -9` at any moment of a creation leaves nothing or a complete tenant.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::scratch::{self, Scratch};

const TRIES: u64 = 20;

#[tokio::test]
async fn a_killed_creation_leaves_nothing_or_everything() {
    scratch::ready(|scratch| async move {
        for n in 0..TRIES {
            let mut child = creation(&scratch, &format!("shop-{n}")).spawn().unwrap();
            wait_for_its_transaction(&scratch, &mut child).await;
            // Spread over the transaction's life, commit included, in an order without a pattern.
            tokio::time::sleep(Duration::from_millis((n * 7919) % TRIES * 5)).await;
            // It may have ended before; then there is nothing to kill.
            let _ = child.kill();
            child.wait().unwrap();
        }

        wait_for_the_dead(&scratch).await;
        let survived = scratch.count("SELECT FROM platform.tenant").await;
        assert!(survived < TRIES as i64, "nobody was killed in the middle");
        scratch.assert_no_orphans().await;
        assert_all_alike(&scratch).await;
        // Whoever asks again gets the tenant, or hears that it is there.
        for n in 0..TRIES {
            let status = creation(&scratch, &format!("shop-{n}")).status().unwrap();
            assert!(matches!(status.code(), Some(0 | 1)), "{status}");
        }
        assert_eq!(
            scratch.count("SELECT FROM platform.tenant").await,
            TRIES as i64
        );
        scratch.assert_no_orphans().await;
        assert_all_alike(&scratch).await;
    })
    .await;
}

fn creation(scratch: &Scratch, slug: &str) -> Command {
    let mut command = scratch.tubex();
    command
        .args([
            "tenant",
            "create",
            slug,
            "--name",
            slug,
            "--owner-email",
            "owner@example.com",
        ])
        .env("TUBEX_OWNER_PASSWORD", "long enough for a test")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Until it works in the database, or has ended.
async fn wait_for_its_transaction(scratch: &Scratch, child: &mut Child) {
    let at_work = "SELECT FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'tubex'
                       AND xact_start IS NOT NULL";
    while scratch.count(at_work).await == 0 && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A backend notices only at its next read that its client is gone.
async fn wait_for_the_dead(scratch: &Scratch) {
    let alive = "SELECT FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'tubex'";
    while scratch.count(alive).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All tenants have the same tables, and stand at the same version.
async fn assert_all_alike(scratch: &Scratch) {
    let shapes = "SELECT DISTINCT t.schema_version, (
                      SELECT string_agg(c.relname || c.relkind::text, ',' ORDER BY c.relname)
                      FROM pg_class c
                      WHERE c.relnamespace = t.schema_name::regnamespace)
                  FROM platform.tenant t";
    assert!(scratch.count(shapes).await <= 1);
}
