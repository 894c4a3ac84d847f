//! `kill -9` at any moment of a creation leaves nothing or a complete tenant.

use std::process::{Command, Stdio};
use std::time::Duration;

use secrecy::ExposeSecret as _;

use crate::scratch::{self, Scratch};

const TRIES: u64 = 20;

#[tokio::test]
async fn a_killed_creation_leaves_nothing_or_everything() {
    scratch::ready(|scratch| async move {
        for n in 0..TRIES {
            let mut child = creation(&scratch, &format!("shop-{n}")).spawn().unwrap();
            // Spread over a creation's whole life, start-up and commit included, in an order that
            // has no pattern.
            tokio::time::sleep(Duration::from_millis(15 + (n * 7919) % TRIES * 12)).await;
            // It may have ended before; then there is nothing to kill.
            let _ = child.kill();
            child.wait().unwrap();
        }

        wait_for_the_dead(&scratch).await;
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
    let mut command = Command::new(env!("CARGO_BIN_EXE_tubex"));
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
        .env("TUBEX_DATABASE__URL", scratch.url())
        .env("TUBEX_DATABASE__SECRET", scratch::secret().expose_secret())
        .env("TUBEX_OWNER_PASSWORD", "long enough for a test")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
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
