//! Tenants that live in another database than the platform: born, migrated and moved there.

use provisioner::fleet::{ListPlaces, PlaceState};
use provisioner::lanes::{LaneError, MoveTo, NewLane};
use provisioner::nodes::ReachError;
use provisioner::{CreateError, Label, Placement, RunOptions};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use crate::scratch::{self, Other, Scratch};
use crate::toy::{AtBirth, Toy, tenant};

fn on(node: &str) -> Placement {
    Placement {
        node: Some(Label::parse(node).unwrap()),
        ..Placement::default()
    }
}

#[tokio::test]
async fn a_tenant_lives_on_its_node_and_nowhere_else() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::second());

        let here = provisioner.create(tenant("here")).await.unwrap().tenant;
        let there = provisioner
            .create_at(tenant("there"), on("n2"))
            .await
            .unwrap()
            .tenant;
        let taken = provisioner.create(tenant("there")).await.unwrap_err();
        let nowhere = provisioner
            .create_at(tenant("core"), on("n3"))
            .await
            .unwrap_err();
        let blind = scratch
            .provisioner(Toy::second())
            .create_at(tenant("core"), on("n2"))
            .await
            .unwrap_err();

        assert_eq!((here.node.as_str(), there.node.as_str()), ("main", "n2"));
        assert_eq!(provisioner.show("there").await.unwrap(), there);
        assert!(matches!(taken, CreateError::SlugTaken(_)), "{taken:?}");
        assert!(
            matches!(nowhere, CreateError::Lane(LaneError::UnknownNode(_))),
            "{nowhere:?}"
        );
        assert!(
            matches!(blind, CreateError::Reach(ReachError::NoConnector(_))),
            "{blind:?}"
        );
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 2);
        assert_eq!(
            schemas(&other).await,
            std::slice::from_ref(&there.schema_name)
        );
        let folded: Vec<String> = column(
            &other,
            &format!("SELECT folded FROM {}.widget", there.schema_name),
        )
        .await;
        assert_eq!(folded, ["armel kurz"]);
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn a_birth_elsewhere_that_fails_leaves_nothing() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let own_lane = provisioner::plans::SetPlan {
            name: Label::parse("big").unwrap(),
            concurrency: provisioner::plans::Change::Keep,
            statement_timeout_ms: provisioner::plans::Change::Keep,
            idle_in_transaction_timeout_ms: provisioner::plans::Change::Keep,
            requests_per_minute: provisioner::plans::Change::Keep,
            dedicated_lane: Some(true),
        };
        let failing = scratch.provisioner_with_nodes(Toy::first().at_birth(AtBirth::SeedFails));
        let plan = failing.set_plan(own_lane).await.unwrap();
        let at = Placement {
            plan: Some(Label::parse(&plan.name).unwrap()),
            ..on("n2")
        };

        let error = failing.create_at(tenant("acme"), at).await.unwrap_err();
        let broken = scratch
            .provisioner_with_nodes(Toy::broken())
            .create_at(tenant("acme"), on("n2"))
            .await
            .unwrap_err();

        assert!(matches!(error, CreateError::Seed(_)), "{error:?}");
        assert!(matches!(broken, CreateError::Migration(_)), "{broken:?}");
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 0);
        assert_eq!(schemas(&other).await, [""; 0]);
        assert_eq!(failing.lanes().await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_half_made_tenant_is_taken_over_where_it_was_begun() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let panicking = scratch.provisioner_with_nodes(Toy::first().at_birth(AtBirth::SeedPanics));
        let cut = tokio::spawn(async move { panicking.create_at(tenant("acme"), on("n2")).await });
        cut.await.unwrap_err();
        let left: Vec<String> = scratch
            .column("SELECT schema_name FROM platform.tenant")
            .await;
        // As if it had been cut after the node's commit: with somebody else's rows.
        let debris = format!(
            "CREATE ROLE {0}; CREATE SCHEMA {0}; CREATE TABLE {0}.widget ()",
            left[0]
        );
        other.db.execute_unprepared(&debris).await.unwrap();

        let elsewhere = provisioner
            .create_at(tenant("acme"), on("main"))
            .await
            .unwrap_err();
        let holder = scratch.db.begin().await.unwrap();
        holder
            .execute_unprepared("SELECT FROM platform.tenant FOR NO KEY UPDATE")
            .await
            .unwrap();
        let busy = provisioner.create(tenant("acme")).await.unwrap_err();
        holder.rollback().await.unwrap();
        let run = provisioner
            .migrate(RunOptions::default(), "test")
            .await
            .unwrap();
        let taken_over = provisioner.create(tenant("acme")).await.unwrap().tenant;

        assert!(
            matches!(elsewhere, CreateError::HalfMade { .. }),
            "{elsewhere:?}"
        );
        assert!(matches!(busy, CreateError::BeingCreated(_)), "{busy:?}");
        assert_eq!(run, None, "what is being made is nobody's to migrate");
        assert_eq!(
            (taken_over.schema_name.as_str(), taken_over.node.as_str()),
            (left[0].as_str(), "n2")
        );
        assert_eq!(
            column::<String>(&other, &format!("SELECT folded FROM {}.widget", left[0])).await,
            ["armel kurz"]
        );
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn a_fleet_on_two_nodes_is_migrated_in_one_run() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let old = scratch.provisioner_with_nodes(Toy::first());
        old.create(tenant("aa")).await.unwrap();
        for slug in ["bb", "cc"] {
            old.create_at(tenant(slug), on("n2")).await.unwrap();
        }
        let new = scratch.provisioner_with_nodes(Toy::second());
        // As if a run had been cut between the node's commit and the directory's.
        let whole = new
            .migrate(RunOptions::default(), "cut")
            .await
            .unwrap()
            .unwrap();
        let forget =
            "UPDATE platform.tenant SET schema_version = 'w0001_widget' WHERE slug <> 'aa'";
        scratch.run(forget).await;

        let again = new
            .migrate(RunOptions::default(), "test")
            .await
            .unwrap()
            .unwrap();
        scratch.run(forget).await;
        let impatient = RunOptions {
            attempts: 1,
            max_failures: "100%".parse().unwrap(),
            ..RunOptions::default()
        };
        let blind = scratch.provisioner(Toy::second());
        let lost = blind.migrate(impatient, "test").await.unwrap().unwrap();

        assert_eq!((whole.counts.done, whole.counts.all()), (3, 3), "{whole:?}");
        assert_eq!((again.counts.done, again.counts.all()), (2, 2), "{again:?}");
        let indexes: Vec<String> = column(
            &other,
            "SELECT indexname::text FROM pg_indexes WHERE indexname = 'widget_name_key'",
        )
        .await;
        assert_eq!(indexes.len(), 2);
        assert_eq!((lost.counts.failed, lost.counts.all()), (2, 2));
        let places = blind.places(lost.id, &ListPlaces::default()).await.unwrap();
        let why = places.places[0].error.clone().unwrap()["message"].to_string();
        assert!(why.contains("n2"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn a_locked_table_elsewhere_is_given_up_soon() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let old = scratch.provisioner_with_nodes(Toy::first());
        let acme = old
            .create_at(tenant("acme"), on("n2"))
            .await
            .unwrap()
            .tenant;
        let tx = other.db.begin().await.unwrap();
        tx.execute_unprepared(&format!("LOCK TABLE {}.widget", acme.schema_name))
            .await
            .unwrap();
        let impatient = RunOptions {
            attempts: 2,
            ..RunOptions::default()
        };

        let new = scratch.provisioner_with_nodes(Toy::second());
        let run = new.migrate(impatient, "test").await.unwrap().unwrap();
        tx.rollback().await.unwrap();

        let places = new.places(run.id, &ListPlaces::default()).await.unwrap();
        let place = &places.places[0];
        assert_eq!((place.state, place.lock_waits), (PlaceState::Failed, 1));
        assert_eq!(
            new.show("acme").await.unwrap().schema_version,
            "w0001_widget"
        );
    })
    .await;
}

#[tokio::test]
async fn lanes_elsewhere_are_moved_from_retired_and_mended_too() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let acme = provisioner
            .create_at(tenant("acme"), on("n2"))
            .await
            .unwrap()
            .tenant;
        let here = provisioner.create(tenant("here")).await.unwrap().tenant;
        let new = NewLane {
            node: on("n2").node,
            ..NewLane::default()
        };
        let second = provisioner.add_lane(new).await.unwrap().login;

        let moved = provisioner
            .move_to_lane("acme", MoveTo::Emptiest, "test")
            .await
            .unwrap();
        let own = provisioner
            .move_to_lane("acme", MoveTo::Dedicated, "test")
            .await
            .unwrap();
        let to_main = provisioner
            .move_to_lane("acme", MoveTo::Lane(here.lane.clone()), "test")
            .await
            .unwrap_err();
        let back = provisioner
            .move_to_lane("acme", MoveTo::Lane(second.clone()), "test")
            .await
            .unwrap();
        let retired = provisioner.retire_lane(&second, "test").await.unwrap();

        assert_eq!(
            (moved.to.as_str(), moved.from.as_str()),
            (second.as_str(), acme.lane.as_str())
        );
        assert!(
            matches!(to_main, LaneError::Elsewhere { .. }),
            "{to_main:?}"
        );
        assert_eq!(back.dropped, Some(own.to));
        assert_eq!(
            (retired.moved.len(), retired.moved[0].to.as_str()),
            (1, acme.lane.as_str())
        );
        scratch.assert_memberships().await;
        let may_enter = "SELECT datname::text FROM pg_database d, aclexplode(d.datacl) a
                         WHERE a.grantee::regrole::text LIKE 'lane_%' AND a.grantee <> 0
                         AND d.datname = current_database()";
        assert_eq!(column::<String>(&other, may_enter).await.len(), 1);
    })
    .await;
}

async fn schemas(other: &Other) -> Vec<String> {
    column(
        other,
        "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_' ORDER BY 1",
    )
    .await
}

async fn column<T: sea_orm::TryGetable>(other: &Other, sql: &str) -> Vec<T> {
    Scratch::column_of(&other.db, sql).await
}
