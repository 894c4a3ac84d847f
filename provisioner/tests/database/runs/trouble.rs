//! Whatever is wrong with one tenant stays with it.

use std::time::Duration;

use provisioner::WorkOptions;
use provisioner::fleet::{ListPlaces, MaxFailures, PlaceState, RunState};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use super::{assert_at, run, shops, standing, start};
use crate::scratch;
use crate::toy::Toy;
use provisioner::RunOptions;

#[tokio::test]
async fn the_one_that_fails_stops_nobody_and_is_explained() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 1, 60).await;
        // The next step makes names unique.
        let bad = &schemas[24];
        scratch
            .run(&format!(
                "INSERT INTO {bad}.widget (name) VALUES ('twin'), ('twin')"
            ))
            .await;
        let new = scratch.provisioner(Toy::grown(2));

        let first = run(&new, RunOptions::default()).await;
        let which = ListPlaces {
            state: Some(PlaceState::Failed),
            ..ListPlaces::default()
        };
        let failed = new.places(first.id, &which).await.unwrap().places.remove(0);
        scratch
            .run(&format!("DELETE FROM {bad}.widget WHERE name = 'twin'"))
            .await;
        let retried = new.retry_run(first.id, "test").await.unwrap();
        let second = new.work(first.id, WorkOptions::quietly()).await.unwrap();

        assert_eq!(
            (first.state, first.counts.done),
            (RunState::Done, 59),
            "{first:?}"
        );
        assert_eq!(failed.slug, "shop-25");
        let error = failed.error.unwrap();
        assert_eq!(error["sqlstate"], "23505");
        let statement = error["statement"].as_str().unwrap();
        assert!(statement.contains("widget_name_key"), "{statement}");
        assert!(error["hint"].as_str().unwrap().contains("retry"), "{error}");
        assert_eq!(retried.again, 1);
        assert_eq!((second.state, second.counts.done), (RunState::Done, 60));
        assert_at(&scratch, &schemas, 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_run_halts_when_too_many_fail_and_goes_on_when_told() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 1, 10).await;
        for schema in &schemas[..4] {
            let twins = format!("INSERT INTO {schema}.widget (name) VALUES ('twin'), ('twin')");
            scratch.run(&twins).await;
        }
        let new = scratch.provisioner(Toy::grown(2));
        let options = RunOptions {
            max_failures: MaxFailures::Count(1),
            ..RunOptions::default()
        };

        let halted = run(&new, options).await;
        let stopped = new.work(halted.id, WorkOptions::quietly()).await.unwrap();
        for schema in &schemas[..4] {
            let mend = format!("DELETE FROM {schema}.widget WHERE name = 'twin'");
            scratch.run(&mend).await;
        }
        new.retry_run(halted.id, "test").await.unwrap();
        let done = new.work(halted.id, WorkOptions::quietly()).await.unwrap();

        assert_eq!(halted.state, RunState::Halted, "{halted:?}");
        assert!(halted.reason.unwrap().contains("may"));
        assert_eq!(
            stopped.counts, halted.counts,
            "nobody works on a run that has halted"
        );
        assert_eq!(
            (done.state, done.counts.done),
            (RunState::Done, 10),
            "{done:?}"
        );
        assert_at(&scratch, &schemas, 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_locked_tenant_waits_alone() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 20).await;
        let holder = scratch.db.begin().await.unwrap();
        holder
            .execute_unprepared(&format!(
                "LOCK TABLE {}.widget IN ACCESS SHARE MODE",
                schemas[7]
            ))
            .await
            .unwrap();
        let new = scratch.provisioner(Toy::grown(3));
        let begun = start(&new, RunOptions::default()).await;

        let worker = {
            let new = new.clone();
            tokio::spawn(async move { new.work(begun.id, WorkOptions::quietly()).await.unwrap() })
        };
        let waits = "SELECT FROM platform.migration_run_tenant WHERE lock_waits > 0";
        // The others may be done before it has waited in vain for the first time.
        while standing(&new, &begun, PlaceState::Done).await.len() < 19
            || scratch.count(waits).await == 0
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let waiting = new.run_by_id(begun.id).await.unwrap();
        holder.rollback().await.unwrap();
        let done = worker.await.unwrap();

        assert_eq!(waiting.counts.open(), 1, "{waiting:?}");
        assert_eq!(
            (done.state, done.counts.done),
            (RunState::Done, 20),
            "{done:?}"
        );
        assert_eq!(scratch.count(waits).await, 1);
        assert_at(&scratch, &schemas, 3).await;
    })
    .await;
}

#[tokio::test]
async fn a_tenant_that_was_changed_by_hand_is_quarantined() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 8).await;
        let odd = &schemas[3];
        scratch
            .run(&format!("ALTER TABLE {odd}.widget ADD COLUMN mine text; ALTER TABLE {odd}.widget ALTER COLUMN name DROP NOT NULL"))
            .await;
        let new = scratch.provisioner(Toy::grown(3));
        let options = RunOptions {
            max_failures: MaxFailures::Count(1),
            ..RunOptions::default()
        };

        let done = run(&new, options).await;
        let which = ListPlaces {
            state: Some(PlaceState::Quarantined),
            ..ListPlaces::default()
        };
        let place = new.places(done.id, &which).await.unwrap().places.remove(0);
        let drifted = scratch
            .count("SELECT FROM platform.tenant_vitals WHERE drift IS NOT NULL")
            .await;
        scratch
            .run(&format!("ALTER TABLE {odd}.widget DROP COLUMN mine; ALTER TABLE {odd}.widget ALTER COLUMN name SET NOT NULL"))
            .await;
        new.retry_run(done.id, "test").await.unwrap();
        let mended = new.work(done.id, WorkOptions::quietly()).await.unwrap();

        assert_eq!(done.counts.quarantined, 1, "{done:?}");
        assert_eq!(place.slug, "shop-04");
        let difference = &place.error.unwrap()["difference"];
        assert_eq!(difference["extra"]["objects"][0], "column widget.mine");
        assert_eq!(difference["changed"]["objects"][0], "column widget.name");
        assert_eq!(drifted, 1);
        assert_eq!(mended.counts.done, 8, "{mended:?}");
        let still = scratch
            .count("SELECT FROM platform.tenant_vitals WHERE drift IS NOT NULL")
            .await;
        assert_eq!(still, 0);
        assert_at(&scratch, &schemas, 3).await;
    })
    .await;
}

#[tokio::test]
async fn an_index_that_was_left_invalid_is_built_again() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 4, 3).await;
        let schema = &schemas[1];
        scratch
            .run(&format!(
                "CREATE INDEX widget_colour_idx ON {schema}.widget (colour)"
            ))
            .await;
        scratch
            .run(&format!(
                "UPDATE pg_index SET indisvalid = false
                 WHERE indexrelid = '{schema}.widget_colour_idx'::regclass"
            ))
            .await;
        let new = scratch.provisioner(Toy::grown(5));

        let done = run(&new, RunOptions::default()).await;

        assert_eq!(
            (done.state, done.counts.done),
            (RunState::Done, 3),
            "{done:?}"
        );
        let invalid = scratch
            .count("SELECT FROM pg_index WHERE NOT indisvalid")
            .await;
        assert_eq!(invalid, 0);
        assert_at(&scratch, &schemas, 5).await;
    })
    .await;
}

#[tokio::test]
async fn several_workers_move_everybody_once() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 1, 30).await;
        let (one, two) = (
            scratch.provisioner(Toy::grown(6)),
            scratch.provisioner(Toy::grown(6)),
        );

        let (first, second) = tokio::join!(
            one.migrate(RunOptions::default(), "one"),
            two.migrate(RunOptions::default(), "two")
        );

        let runs = one.runs(10).await.unwrap();
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert!(first.unwrap().is_some() || second.unwrap().is_some());
        assert_eq!(one.run("latest").await.unwrap().counts.done, 30);
        let moves = "SELECT FROM platform.tenant_event WHERE kind = 'migrated'";
        assert_eq!(
            scratch.count(moves).await,
            30 * 4,
            "one for each piece of the way"
        );
        assert_at(&scratch, &schemas, 6).await;
    })
    .await;
}

#[tokio::test]
async fn whoever_slept_past_its_lease_does_nothing() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 2).await;
        let new = scratch.provisioner(Toy::grown(3));
        let begun = start(&new, RunOptions::default()).await;
        // As a worker leaves it that took both and was stopped.
        scratch
            .run(
                "UPDATE platform.migration_run_tenant SET state = 'running',
                      lease = gen_random_uuid(), lease_until = now() - interval '1 second'",
            )
            .await;

        let done = new.work(begun.id, WorkOptions::quietly()).await.unwrap();

        assert_eq!(done.counts.done, 2, "{done:?}");
        assert_at(&scratch, &schemas, 3).await;
    })
    .await;
}
