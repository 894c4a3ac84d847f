//! A new step is carried to everybody who is behind, and one who can't follow stops nobody.

use std::time::Duration;

use provisioner::{MigrateError, MigrateOptions};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use crate::scratch;
use crate::toy::{Toy, tenant};

#[tokio::test]
async fn one_failure_of_five_stays_at_home() {
    scratch::ready(|scratch| async move {
        let old = scratch.provisioner(Toy::first());
        let mut schemas = vec![];
        for n in 1..=5 {
            schemas.push(
                old.create(tenant(&format!("shop-{n}")))
                    .await
                    .unwrap()
                    .tenant
                    .schema_name,
            );
        }
        // The new step makes names unique.
        let double = format!(
            "INSERT INTO {}.widget (name) VALUES ('twin'), ('twin')",
            schemas[2]
        );
        scratch.run(&double).await;
        let new = scratch.provisioner(Toy::second());

        let first = new.migrate(&MigrateOptions::new("test")).await.unwrap();
        scratch
            .run(&format!(
                "DELETE FROM {}.widget WHERE name = 'twin'",
                schemas[2]
            ))
            .await;
        let second = new.migrate(&MigrateOptions::new("test")).await.unwrap();
        let third = new.migrate(&MigrateOptions::new("test")).await.unwrap();

        assert_eq!(
            (first.migrated.len(), first.failed.len(), first.at_head),
            (4, 1, 0)
        );
        assert_eq!(first.failed[0].slug, "shop-3");
        assert_eq!(first.failed[0].error.sqlstate().as_deref(), Some("23505"));
        assert_eq!(
            (second.migrated.len(), second.failed.len(), second.at_head),
            (1, 0, 4)
        );
        assert_eq!(
            (third.migrated.len(), third.failed.len(), third.at_head),
            (0, 0, 5)
        );
        let moves = scratch
            .count("SELECT FROM platform.tenant_event WHERE kind = 'migrated' AND actor = 'test'")
            .await;
        assert_eq!(moves, 5);
    })
    .await;
}

#[tokio::test]
async fn a_tenant_ahead_of_this_build_is_left_alone() {
    scratch::ready(|scratch| async move {
        scratch
            .provisioner(Toy::second())
            .create(tenant("modern"))
            .await
            .unwrap();
        let old = scratch.provisioner(Toy::first());

        let summary = old.migrate(&MigrateOptions::new("test")).await.unwrap();

        assert!(summary.failed.is_empty() && summary.migrated.is_empty());
        assert_eq!(summary.ahead[0].slug, "modern");
        assert_eq!(
            old.show("modern").await.unwrap().schema_version,
            "w0002_unique"
        );
    })
    .await;
}

#[tokio::test]
async fn a_tenant_whose_table_is_locked_is_given_up_soon() {
    scratch::ready(|scratch| async move {
        let old = scratch.provisioner(Toy::first());
        let schema = old.create(tenant("acme")).await.unwrap().tenant.schema_name;
        let tx = scratch.db.begin().await.unwrap();
        tx.execute_unprepared(&format!("LOCK TABLE {schema}.widget"))
            .await
            .unwrap();
        let options = MigrateOptions {
            lock_timeout: Duration::from_millis(20),
            ..MigrateOptions::new("test")
        };

        let new = scratch.provisioner(Toy::second());
        let summary = new.migrate(&options).await.unwrap();
        tx.rollback().await.unwrap();

        assert!(
            matches!(summary.failed[0].error, MigrateError::Busy(_)),
            "{summary:?}"
        );
        assert_eq!(
            new.show("acme").await.unwrap().schema_version,
            "w0001_widget"
        );
    })
    .await;
}

#[tokio::test]
async fn two_runs_at_once_move_everybody_once() {
    scratch::ready(|scratch| async move {
        let old = scratch.provisioner(Toy::first());
        for n in 1..=4 {
            old.create(tenant(&format!("shop-{n}"))).await.unwrap();
        }
        let new = scratch.provisioner(Toy::second());
        let options = MigrateOptions::new("test");

        let (one, two) = tokio::join!(new.migrate(&options), new.migrate(&options));

        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(
            one.failed.is_empty() && two.failed.is_empty(),
            "{one:?} {two:?}"
        );
        assert_eq!(one.migrated.len() + two.migrated.len(), 4);
        let moves = scratch
            .count("SELECT FROM platform.tenant_event WHERE kind = 'migrated'")
            .await;
        assert_eq!(moves, 4);
    })
    .await;
}
