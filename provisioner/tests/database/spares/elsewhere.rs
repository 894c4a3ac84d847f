//! Spares on another node than the platform's, where nothing happens in one transaction.

use provisioner::{CreateError, Placement, RunOptions};

use super::{assert_consistent, entries, fill, label, prepare, schemas};
use crate::scratch::{self, Other, Scratch};
use crate::toy::{AtBirth, Toy, tenant};

#[tokio::test]
async fn a_spare_elsewhere_becomes_a_tenant_there() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let n2 = label("n2");
        let made = prepare(&provisioner, Some(&n2)).await;
        let failing = scratch.provisioner_with_nodes(Toy::first().at_birth(AtBirth::SeedFails));
        let on_n2 = || Placement {
            node: Some(label("n2")),
            ..Placement::default()
        };
        let before = entries(&scratch).await;

        let error = failing
            .create_at(tenant("acme"), on_n2())
            .await
            .unwrap_err();
        let after = entries(&scratch).await;
        let acme = provisioner
            .create_at(tenant("acme"), on_n2())
            .await
            .unwrap();

        assert!(matches!(error, CreateError::Seed(_)), "{error:?}");
        assert_eq!(after, before);
        assert!(acme.from_spare);
        assert_eq!(acme.tenant.schema_name, made);
        assert_eq!(widgets_of(&other, &made).await, ["armel kurz"]);
        // What nobody was in is marked, and this is not any more.
        let marks = "SELECT obj_description(oid) FROM pg_namespace WHERE nspname ~ '^t_'";
        let marks: Vec<Option<String>> = Scratch::column_of(&other.db, marks).await;
        assert_eq!(marks, [None]);
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn a_creation_from_a_spare_elsewhere_that_was_cut_is_taken_over() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let n2 = label("n2");
        let made = prepare(&provisioner, Some(&n2)).await;
        // A run had been at it before, and had written so.
        provisioner_of_second(&scratch).await;
        let panicking = scratch.provisioner_with_nodes(Toy::second().at_birth(AtBirth::SeedPanics));
        let on_n2 = || Placement {
            node: Some(label("n2")),
            ..Placement::default()
        };
        let cut = tokio::spawn(async move { panicking.create_at(tenant("acme"), on_n2()).await });
        assert!(cut.await.unwrap_err().is_panic());
        let between = entries(&scratch).await;

        let failing = scratch.provisioner_with_nodes(Toy::second().at_birth(AtBirth::SeedFails));
        failing
            .create_at(tenant("acme"), on_n2())
            .await
            .unwrap_err();
        let gone = schemas(&other).await;
        let acme = scratch
            .provisioner_with_nodes(Toy::second())
            .create_at(tenant("acme"), on_n2())
            .await
            .unwrap();

        assert_eq!(between, [("acme".to_owned(), "provisioning".to_owned())]);
        assert!(gone.is_empty(), "{gone:?}");
        assert!(!acme.from_spare);
        assert_ne!(acme.tenant.schema_name, made);
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_begun_elsewhere_is_finished_or_removed_by_the_next_keeper() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let n2 = label("n2");
        prepare(&provisioner, Some(&n2)).await;
        provisioner.set_spare_goal(Some(&n2), 1).await.unwrap();

        // As if it had been cut after the node's commit, before the platform's.
        scratch
            .run("UPDATE platform.tenant SET status = 'provisioning'")
            .await;
        fill(&provisioner, Some(&n2), &mut vec![]).await.unwrap();
        let finished = provisioner.spares().await.unwrap();
        scratch
            .run("UPDATE platform.tenant SET status = 'provisioning'")
            .await;
        provisioner.set_spare_goal(Some(&n2), 0).await.unwrap();
        fill(&provisioner, Some(&n2), &mut vec![]).await.unwrap();

        assert_eq!((finished[1].ready, finished[1].unfinished), (1, 0));
        assert_eq!(finished[0].keep, None);
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 0);
        assert!(schemas(&other).await.is_empty());
        assert_consistent(&scratch).await;
    })
    .await;
}

/// Brings everybody to the second toy's head, which leaves a line in each history.
async fn provisioner_of_second(scratch: &Scratch) {
    let run = scratch
        .provisioner_with_nodes(Toy::second())
        .migrate(RunOptions::default(), "test")
        .await
        .unwrap();
    assert!(run.is_some_and(|run| run.counts.done == run.counts.all()));
}

async fn widgets_of(other: &Other, schema: &str) -> Vec<String> {
    Scratch::column_of(&other.db, &format!("SELECT folded FROM {schema}.widget")).await
}
