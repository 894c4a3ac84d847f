//! How a tenant ends: closing, archived, gone; or never was.

use std::fs;
use std::path::Path;

use entity::platform::tenant::Status;
use provisioner::Provisioner;
use provisioner::life::{Archive, LifeError};
use sea_orm::ConnectionTrait as _;
use tempfile::TempDir;

use crate::export::{fill, import, on_n2};
use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};

fn into(home: &Path, keep_days: u32) -> Archive {
    Archive {
        to: home.to_owned(),
        keep_days,
    }
}

#[tokio::test]
async fn a_tenant_ends_in_steps_and_its_slug_stays_taken() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::shelved());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        fill(&scratch.db, &acme.schema_name).await;
        let home = TempDir::new().unwrap();

        let early = archive(&provisioner, home.path()).await.unwrap_err();
        let closing = provisioner.close("acme", "left", "test").await.unwrap();
        let reopened = provisioner.reopen("acme", "test").await.unwrap();
        provisioner.suspend("acme", "unpaid", "test").await.unwrap();
        provisioner.close("acme", "left", "test").await.unwrap();
        let held = provisioner.hold("acme", " lawsuit ", "test").await.unwrap();
        let refused = archive(&provisioner, home.path()).await.unwrap_err();
        let released = provisioner.release("acme", "test").await.unwrap();
        let nowhere = archive(&provisioner, &home.path().join("nowhere"))
            .await
            .unwrap_err();
        let archived = archive(&provisioner, home.path()).await.unwrap();
        let twice = archive(&provisioner, home.path()).await.unwrap_err();
        let back = provisioner.reopen("acme", "test").await.unwrap_err();
        let kept = provisioner.purge("acme", "test").await.unwrap_err();

        assert!(matches!(early, LifeError::Standing { .. }), "{early:?}");
        assert_eq!(
            (closing.status, reopened.status),
            (Status::Closing, Status::Active)
        );
        assert_eq!(held.legal_hold.as_deref(), Some("lawsuit"));
        assert!(matches!(refused, LifeError::Held { .. }), "{refused:?}");
        assert_eq!(released.legal_hold, None);
        assert!(matches!(nowhere, LifeError::File { .. }), "{nowhere:?}");
        assert_eq!(archived.tenant.status, Status::Archived);
        assert!(matches!(twice, LifeError::Standing { .. }), "{twice:?}");
        assert!(matches!(back, LifeError::Standing { .. }), "{back:?}");
        assert!(matches!(kept, LifeError::KeepUntil { .. }), "{kept:?}");
        scratch.assert_no_orphans().await;
        scratch.assert_memberships().await;

        // What is kept is the whole tenant.
        let folder = Path::new(&archived.export.location);
        let again = provisioner.import(import(folder, "again")).await.unwrap();
        assert_eq!(again.rows, 5006);

        scratch
            .run("UPDATE platform.tenant_export SET keep_until = now() - interval '1 day'")
            .await;
        provisioner.hold("acme", "lawsuit", "test").await.unwrap();
        let refused = provisioner.purge("acme", "test").await.unwrap_err();
        provisioner.release("acme", "test").await.unwrap();
        fs::write(folder.join("data/notes.txt"), "").unwrap();
        let stranger = provisioner.purge("acme", "test").await.unwrap_err();
        fs::remove_file(folder.join("data/notes.txt")).unwrap();
        let gone = provisioner.purge("acme", "test").await.unwrap();
        let exports = provisioner.exports("acme").await.unwrap();
        let taken = provisioner.create(tenant("acme")).await.unwrap_err();

        assert!(matches!(refused, LifeError::Held { .. }), "{refused:?}");
        assert!(matches!(stranger, LifeError::Stranger(_)), "{stranger:?}");
        assert_eq!(gone.status, Status::Gone);
        assert!(exports.len() == 1 && exports[0].destroyed_at.is_some());
        assert!(fs::read_dir(home.path()).unwrap().next().is_none());
        assert!(
            matches!(taken, provisioner::CreateError::SlugTaken(_)),
            "{taken:?}"
        );
        scratch.assert_no_orphans().await;
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn an_archive_that_was_cut_goes_on_and_never_drops_without_its_export() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::shelved());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        fill(&scratch.db, &acme.schema_name).await;
        let home = TempDir::new().unwrap();
        provisioner.close("acme", "left", "test").await.unwrap();
        let archived = archive(&provisioner, home.path()).await.unwrap();
        let location = Path::new(&archived.export.location).to_owned();
        // As if it had been cut after the first batch: the record is there, some tables are not.
        scratch
            .run(&format!(
                "UPDATE platform.tenant SET status = 'closing';
                 CREATE ROLE {0}; CREATE SCHEMA {0}; CREATE TABLE {0}.widget ()",
                acme.schema_name
            ))
            .await;
        let away = home.path().join("away");

        fs::rename(&location, &away).unwrap();
        let missing = archive(&provisioner, home.path()).await.unwrap_err();
        fs::rename(&away, &location).unwrap();
        let file = location.join("data/widget.copy");
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[1..]).unwrap();
        let damaged = archive(&provisioner, home.path()).await.unwrap_err();
        let back = provisioner.reopen("acme", "test").await.unwrap_err();
        let copied = provisioner
            .export("acme", &home.path().join("x"), "test")
            .await
            .unwrap_err();
        let still = scratch
            .count(&format!(
                "SELECT FROM pg_tables WHERE schemaname = '{}'",
                acme.schema_name
            ))
            .await;
        fs::write(&file, &bytes).unwrap();
        let done = archive(&provisioner, home.path()).await.unwrap();

        assert!(
            matches!(missing, LifeError::ExportMissing { .. }),
            "{missing:?}"
        );
        assert!(matches!(damaged, LifeError::Export(_)), "{damaged:?}");
        assert!(matches!(back, LifeError::BeingArchived(_)), "{back:?}");
        assert!(
            matches!(copied, provisioner::copy::CopyError::BeingArchived(_)),
            "{copied:?}"
        );
        assert_eq!(still, 1);
        assert_eq!(done.export.id, archived.export.id);
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_tenant_elsewhere_is_archived_and_half_made_ones_are_forgotten() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::shelved());
        let acme = provisioner
            .create_at(tenant("acme"), on_n2())
            .await
            .unwrap()
            .tenant;
        fill(&other.db, &acme.schema_name).await;
        let half = provisioner
            .create_at(tenant("half"), on_n2())
            .await
            .unwrap()
            .tenant;
        let home = TempDir::new().unwrap();

        provisioner.close("acme", "left", "test").await.unwrap();
        archive(&provisioner, home.path()).await.unwrap();
        let whole = provisioner.forget("half", "test").await.unwrap_err();
        scratch
            .run(
                "DELETE FROM platform.tenant_event;
                  UPDATE platform.tenant SET status = 'provisioning' WHERE slug = 'half'",
            )
            .await;
        let forgotten = provisioner.forget("half", "test").await.unwrap();
        let again = provisioner.create(tenant("half")).await.unwrap().tenant;

        assert!(matches!(whole, LifeError::Standing { .. }), "{whole:?}");
        assert_eq!(
            (forgotten.slug.as_str(), forgotten.node.as_str()),
            ("half", "n2")
        );
        assert_ne!(again.id, half.id);
        let left: Vec<String> = Scratch::column_of(
            &other.db,
            "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_'",
        )
        .await;
        assert!(left.is_empty(), "{left:?}");
        let roles = format!(
            "SELECT FROM pg_roles WHERE rolname IN ('{}', '{}')",
            acme.schema_name, half.schema_name
        );
        assert_eq!(scratch.count(&roles).await, 0);
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_being_written_when_an_archive_begins_is_in_it() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::shelved());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        let home = TempDir::new().unwrap();
        let writer = scratch.single_connection();
        let late = "BEGIN; INSERT INTO {}.widget (name) VALUES ('late')";
        let late = late.replace("{}", &acme.schema_name);
        writer.execute_unprepared(&late).await.unwrap();
        provisioner.close("acme", "left", "test").await.unwrap();
        let committing = tokio::spawn({
            let scratch = scratch.clone();
            async move {
                while scratch.count(WAITING).await == 0 {
                    tokio::task::yield_now().await;
                }
                writer.execute_unprepared("COMMIT").await.unwrap();
            }
        });

        let archived = archive(&provisioner, home.path()).await.unwrap();
        committing.await.unwrap();
        let folder = Path::new(&archived.export.location);
        let again = provisioner.import(import(folder, "again")).await.unwrap();

        let schema = again.tenant.schema_name;
        let kept = format!("SELECT FROM {schema}.widget WHERE name = 'late'");
        assert_eq!(scratch.count(&kept).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_table_that_somebody_reads_is_dropped_when_they_are_done() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::shelved());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        provisioner.close("acme", "left", "test").await.unwrap();
        let home = TempDir::new().unwrap();
        let reader = scratch.single_connection();
        reader
            .execute_unprepared(&format!("BEGIN; SELECT FROM {}.widget", acme.schema_name))
            .await
            .unwrap();
        let freeing = tokio::spawn({
            let scratch = scratch.clone();
            async move {
                // The archive has met the lock when somebody waits for it.
                while scratch.count(WAITING).await == 0 {
                    tokio::task::yield_now().await;
                }
                reader.execute_unprepared("COMMIT").await.unwrap();
            }
        });

        archive(&provisioner, home.path()).await.unwrap();

        freeing.await.unwrap();
        scratch.assert_no_orphans().await;
    })
    .await;
}

/// Whoever waits for a lock in this database.
const WAITING: &str = "SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                       WHERE d.datname = current_database() AND NOT l.granted";

async fn archive(
    provisioner: &Provisioner<Toy>,
    home: &Path,
) -> Result<provisioner::life::Archived, LifeError> {
    provisioner.archive("acme", into(home, 90), "test").await
}
