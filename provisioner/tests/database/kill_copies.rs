//! `kill -9` at any moment of an archive, an import or a clone: doing it again finishes it.

use std::path::Path;

use tempfile::TempDir;

use crate::kill::{Killer, tubex, wait_for_the_dead};
use crate::scratch::{self, Scratch};

const TRIES: u64 = 14;
const AT_LEAST: u64 = 8;

/// A tenant of the real product, with rows in it.
fn create(scratch: &Scratch, slug: &str) {
    let args = ["tenant", "create", slug, "--name", slug];
    let more = ["--owner-email", "owner@example.com", "--seed", "demo"];
    let made = tubex(scratch, &[&args[..], &more].concat())
        .env("TUBEX_OWNER_PASSWORD", "long enough for a test")
        .status()
        .unwrap();
    assert!(made.success(), "{made}");
}

fn must(scratch: &Scratch, args: &[&str]) {
    let output = scratch.tubex().args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
}

/// Done now, or done already.
fn again(scratch: &Scratch, args: &[&str]) {
    let status = tubex(scratch, args).status().unwrap();
    assert!(matches!(status.code(), Some(0 | 1)), "{args:?}: {status}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_killed_archive_goes_on_where_it_was() {
    scratch::ready(|scratch| async move {
        let home = TempDir::new().unwrap();
        let archive = |slug: &str| {
            let args = ["tenant", "archive", slug, "--yes", "--keep-days", "0"];
            tubex(&scratch, &[&args[..], &["--to", text(home.path())]].concat())
        };
        let mut killer = Killer::new();
        for n in 0..TRIES {
            let slug = format!("shop-{n}");
            create(&scratch, &slug);
            must(&scratch, &["tenant", "close", &slug, "--reason", "left"]);
            killer.kill(&scratch, archive(&slug), n).await;
        }
        wait_for_the_dead(&scratch).await;

        // Whoever has lost a table has an export that is recorded.
        let robbed = "SELECT FROM platform.tenant t
                      WHERE NOT EXISTS (SELECT FROM platform.tenant_export e WHERE e.tenant_id = t.id)
                      AND (to_regclass(t.schema_name || '.member') IS NULL
                          OR to_regclass(t.schema_name || '.item') IS NULL)";
        assert_eq!(scratch.count(robbed).await, 0);
        for n in 0..TRIES {
            let status = archive(&format!("shop-{n}")).status().unwrap();
            assert!(matches!(status.code(), Some(0 | 1)), "{status}");
        }

        let killed = killer.killed;
        assert!(killed >= AT_LEAST, "only {killed} were killed in the middle");
        let archived = "SELECT FROM platform.tenant WHERE status = 'archived'";
        assert_eq!(scratch.count(archived).await, TRIES as i64);
        scratch.assert_no_orphans().await;
        let folders: Vec<String> = scratch
            .column("SELECT location FROM platform.tenant_export ORDER BY 1")
            .await;
        assert_eq!(folders.len() as u64, TRIES);
        // Nothing else of them lies about.
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count() as u64, TRIES);
        let last = folders.last().unwrap();
        must(&scratch, &["tenant", "import", last, "--slug", "again"]);

        // A purge is cut too, and finished.
        let mut killer = Killer::new();
        for n in 0..TRIES {
            let slug = format!("shop-{n}");
            let purge = ["tenant", "purge", &slug, "--yes"];
            killer.kill(&scratch, tubex(&scratch, &purge), n).await;
            wait_for_the_dead(&scratch).await;
            again(&scratch, &purge);
        }
        let gone = "SELECT FROM platform.tenant WHERE status = 'gone'";
        assert_eq!(scratch.count(gone).await, TRIES as i64);
        assert!(folders.iter().all(|folder| !Path::new(folder).exists()));
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_killed_import_leaves_nothing_or_everything() {
    scratch::ready(|scratch| async move {
        scratch.second_node().await;
        create(&scratch, "acme");
        let home = TempDir::new().unwrap();
        let one = home.path().join("one");
        must(&scratch, &["tenant", "export", "acme", text(&one)]);
        for node in [&[][..], &["--node", "n2"]] {
            let mut killer = Killer::new();
            let copy = |n: u64| format!("copy-{}-{n}", node.len());
            for n in 0..TRIES {
                let slug = copy(n);
                let args = ["tenant", "import", text(&one), "--slug", &slug];
                let command = tubex(&scratch, &[&args[..], node].concat());
                killer.kill(&scratch, command, n).await;
            }
            wait_for_the_dead(&scratch).await;
            if node.is_empty() {
                scratch.assert_no_orphans().await;
            }
            for n in 0..TRIES {
                let slug = copy(n);
                let args = ["tenant", "import", text(&one), "--slug", &slug];
                again(&scratch, &[&args[..], node].concat());
            }
            let killed = killer.killed;
            assert!(
                killed >= AT_LEAST,
                "only {killed} were killed in the middle"
            );
        }
        let made = "SELECT FROM platform.tenant WHERE status = 'active'";
        assert_eq!(scratch.count(made).await, 1 + 2 * TRIES as i64);
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn a_killed_export_leaves_no_folder_that_looks_whole() {
    scratch::ready(|scratch| async move {
        create(&scratch, "acme");
        let home = TempDir::new().unwrap();
        let mut killer = Killer::new();
        let folder = |n: u64| home.path().join(format!("one-{n}"));
        for n in 0..TRIES {
            let args = ["tenant", "export", "acme", text(&folder(n))].map(str::to_owned);
            let command = tubex(&scratch, &args.each_ref().map(String::as_str));
            killer.kill(&scratch, command, n).await;
        }
        wait_for_the_dead(&scratch).await;

        for n in 0..TRIES {
            let (folder, slug) = (folder(n), format!("copy-{n}"));
            if folder.exists() {
                must(
                    &scratch,
                    &["tenant", "import", text(&folder), "--slug", &slug],
                );
            } else {
                must(&scratch, &["tenant", "export", "acme", text(&folder)]);
            }
        }
        let killed = killer.killed;
        assert!(
            killed >= AT_LEAST,
            "only {killed} were killed in the middle"
        );
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_killed_clone_is_finished_by_doing_it_again() {
    scratch::ready(|scratch| async move {
        create(&scratch, "acme");
        let mut killer = Killer::new();
        for n in 0..TRIES {
            let slug = format!("copy-{n}");
            let args = ["tenant", "clone", "acme", &slug, "--anonymise"];
            killer.kill(&scratch, tubex(&scratch, &args), n).await;
        }
        wait_for_the_dead(&scratch).await;
        for n in 0..TRIES {
            again(
                &scratch,
                &[
                    "tenant",
                    "clone",
                    "acme",
                    &format!("copy-{n}"),
                    "--anonymise",
                ],
            );
        }

        let killed = killer.killed;
        assert!(
            killed >= AT_LEAST,
            "only {killed} were killed in the middle"
        );
        let made = "SELECT FROM platform.tenant WHERE status = 'active'";
        assert_eq!(scratch.count(made).await, 1 + TRIES as i64);
        scratch.assert_no_orphans().await;
        scratch.assert_memberships().await;
        let schemas: Vec<String> = scratch
            .column("SELECT schema_name FROM platform.tenant")
            .await;
        for schema in schemas {
            let ledger = format!("SELECT version FROM {schema}.seaql_migrations");
            let versions: Vec<String> = scratch.column(&ledger).await;
            let acme = "SELECT schema_version FROM platform.tenant WHERE slug = 'acme'";
            assert!(versions.contains(&scratch.column::<String>(acme).await[0]));
            let twice = format!("{ledger} GROUP BY 1 HAVING count(*) > 1");
            assert_eq!(scratch.count(&twice).await, 0);
        }
    })
    .await;
}
