//! A run carries a new version to everybody who is behind, proves it, and can be stopped, gone on
//! with and taken back at any moment.

mod control;
mod trouble;

use provisioner::fleet::{ListPlaces, PlaceState, RunState};
use provisioner::{Depth, Provisioner, RunEntry, RunError, RunOptions, Started, WorkOptions};

use crate::scratch::{self, Scratch};
use crate::toy::{GROWN, Toy, tenant};

/// So many tenants at the first versions, each with a few widgets.
async fn shops(scratch: &Scratch, version: usize, count: usize) -> Vec<String> {
    let old = scratch.provisioner(Toy::grown(version));
    let mut schemas = vec![];
    for n in 1..=count {
        let made = old.create(tenant(&format!("shop-{n:02}"))).await.unwrap();
        let schema = made.tenant.schema_name;
        scratch
            .run(&format!(
                "INSERT INTO {schema}.widget (name) SELECT 'w' || n FROM generate_series(1, 25) n"
            ))
            .await;
        schemas.push(schema);
    }
    schemas
}

/// Begins a run; there must be one to begin.
async fn start(provisioner: &Provisioner<Toy>, options: RunOptions) -> RunEntry {
    match provisioner.start_run(options, "test").await.unwrap() {
        Started::New(run) => *run,
        other => panic!("{other:?}"),
    }
}

/// Begins a run and works on it to its end.
async fn run(provisioner: &Provisioner<Toy>, options: RunOptions) -> RunEntry {
    provisioner.migrate(options, "test").await.unwrap().unwrap()
}

/// The slugs of a run's tenants that stand somewhere.
async fn standing(
    provisioner: &Provisioner<Toy>,
    run: &RunEntry,
    state: PlaceState,
) -> Vec<String> {
    let which = ListPlaces {
        state: Some(state),
        limit: 1_000,
        ..ListPlaces::default()
    };
    let page = provisioner.places(run.id, &which).await.unwrap();
    page.places.into_iter().map(|place| place.slug).collect()
}

/// Every schema's own history holds each of the first `version` steps once, and the directory says
/// the same.
async fn assert_at(scratch: &Scratch, schemas: &[String], version: usize) {
    let names: Vec<&str> = GROWN[..version].iter().map(|step| step.name).collect();
    for schema in schemas {
        let ledger: Vec<String> = scratch
            .column(&format!(
                "SELECT version FROM {schema}.seaql_migrations ORDER BY 1"
            ))
            .await;
        assert_eq!(ledger, names, "{schema}");
        let entry: Vec<String> = scratch
            .column(&format!(
                "SELECT schema_version FROM platform.tenant WHERE schema_name = '{schema}'"
            ))
            .await;
        assert_eq!(entry, [names[version - 1]], "{schema}");
    }
}

#[tokio::test]
async fn a_fleet_comes_to_head_by_every_kind_of_step() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 12).await;
        let new = scratch.provisioner(Toy::grown(6));
        let options = RunOptions {
            batch_rows: 10,
            ..RunOptions::default()
        };

        let done = run(&new, options).await;
        let again = new.start_run(RunOptions::default(), "test").await.unwrap();

        assert_eq!(done.state, RunState::Done);
        assert_eq!((done.counts.done, done.counts.all()), (12, 12), "{done:?}");
        assert_eq!(done.rows_filled, 12 * 26, "each row is filled once");
        assert!(
            matches!(again, Started::Nothing { there: 12, .. }),
            "{again:?}"
        );
        assert_at(&scratch, &schemas, 6).await;
        let built = scratch
            .count("SELECT FROM pg_indexes WHERE indexname = 'widget_colour_idx'")
            .await;
        assert_eq!(built, 12);
        let moves = "SELECT FROM platform.tenant_event WHERE kind = 'migrated' AND actor = 'test'";
        assert_eq!(
            scratch.count(moves).await,
            12 * 4,
            "one for each piece of the way"
        );
    })
    .await;
}

#[tokio::test]
async fn those_who_stand_elsewhere_meet_at_the_same_place() {
    scratch::ready(|scratch| async move {
        let first = shops(&scratch, 1, 3).await;
        let old = scratch.provisioner(Toy::grown(4));
        let later = old
            .create(tenant("later"))
            .await
            .unwrap()
            .tenant
            .schema_name;
        let head = scratch.provisioner(Toy::grown(6));
        head.create(tenant("head")).await.unwrap();

        let done = run(&head, RunOptions::default()).await;

        assert_eq!((done.counts.done, done.counts.all()), (4, 4), "{done:?}");
        assert_at(&scratch, &first, 6).await;
        assert_at(&scratch, &[later], 6).await;
    })
    .await;
}

#[tokio::test]
async fn a_run_goes_no_further_than_it_is_told() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 3).await;
        let new = scratch.provisioner(Toy::grown(6));
        let options = RunOptions {
            to: Some("w0003_colour".to_owned()),
            only: "slug=shop-01,slug=shop-02".parse().unwrap(),
            ..RunOptions::default()
        };

        let done = run(&new, options).await;
        let unknown = RunOptions {
            to: Some("w0009_never".to_owned()),
            ..RunOptions::default()
        };
        let unknown = new.start_run(unknown, "test").await.unwrap_err();

        assert_eq!(done.counts.all(), 2);
        assert_at(&scratch, &schemas[..2], 3).await;
        assert_at(&scratch, &schemas[2..], 2).await;
        assert!(unknown.to_string().contains("w0009_never"), "{unknown}");
    })
    .await;
}

#[tokio::test]
async fn a_tenant_ahead_of_this_build_is_left_alone() {
    scratch::ready(|scratch| async move {
        let modern = scratch.provisioner(Toy::grown(3));
        modern.create(tenant("modern")).await.unwrap();
        let old = scratch.provisioner(Toy::grown(2));

        let nothing = old.start_run(RunOptions::default(), "test").await.unwrap();

        assert!(matches!(
            nothing,
            Started::Nothing {
                ahead: 1,
                there: 0,
                ..
            }
        ));
    })
    .await;
}

#[tokio::test]
async fn the_same_words_go_on_with_a_rollback_and_never_take_it_back() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 1, 3).await;
        let new = scratch.provisioner(Toy::grown(2));
        let moved = run(&new, RunOptions::default()).await;
        let back = new.rollback_run(moved.id, false, "test").await.unwrap();

        let again = new.rollback_run(back.id, false, "test").await.unwrap();
        let done = new.work(again.id, WorkOptions::quietly()).await.unwrap();
        let refused = new.rollback_run(back.id, false, "test").await.unwrap_err();

        assert_eq!((again.id, again.reverts), (back.id, Some(moved.id)));
        assert_eq!((done.state, done.counts.done), (RunState::Done, 3));
        assert!(matches!(refused, RunError::IsRollback(id) if id == back.id));
        assert_at(&scratch, &schemas, 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_rollback_takes_back_exactly_whom_the_run_moved() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 5).await;
        let new = scratch.provisioner(Toy::grown(5));
        let moved = run(&new, RunOptions::default()).await;
        let born_there = new.create(tenant("born-there")).await.unwrap().tenant;

        let back = new.rollback_run(moved.id, false, "test").await.unwrap();
        let back = new.work(back.id, WorkOptions::quietly()).await.unwrap();

        assert_eq!(
            (back.state, back.counts.done),
            (RunState::Done, 5),
            "{back:?}"
        );
        assert_eq!(back.reverts, Some(moved.id));
        assert_at(&scratch, &schemas, 2).await;
        assert_at(&scratch, &[born_there.schema_name], 5).await;
        // Columns that went and came back are numbered differently, and that is no difference.
        let again = run(&new, RunOptions::default()).await;
        assert_eq!((again.counts.done, again.counts.all()), (5, 5), "{again:?}");
        assert_at(&scratch, &schemas, 5).await;
    })
    .await;
}

#[tokio::test]
async fn nobody_goes_back_over_a_contract() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 5, 2).await;
        let new = scratch.provisioner(Toy::grown(6));
        let moved = run(&new, RunOptions::default()).await;

        let refused = new.rollback_run(moved.id, false, "test").await.unwrap_err();

        assert!(refused.to_string().contains("w0006_no_unique"), "{refused}");
        assert_at(&scratch, &schemas, 6).await;
    })
    .await;
}

#[tokio::test]
async fn a_contract_waits_for_servers_that_need_what_it_takes() {
    scratch::ready(|scratch| async move {
        shops(&scratch, 5, 2).await;
        let server = "INSERT INTO platform.server_process (id, build, knows, needs)
                      VALUES (gen_random_uuid(), 'old', 'w0004_colour_fill', 'w0001_widget')";
        scratch.run(server).await;
        let new = scratch.provisioner(Toy::grown(6));

        let refused = new
            .start_run(RunOptions::default(), "test")
            .await
            .unwrap_err();
        let forced = RunOptions {
            force: true,
            ..RunOptions::default()
        };
        let before = RunOptions {
            to: Some("w0005_colour_idx".to_owned()),
            ..RunOptions::default()
        };
        let nothing = new.start_run(before, "test").await.unwrap();
        let forced = start(&new, forced).await;
        new.cancel_run(forced.id, "test").await.unwrap();
        scratch
            .run("UPDATE platform.server_process SET seen_at = now() - interval '61 minutes'")
            .await;
        let done = run(&new, RunOptions::default()).await;

        assert!(refused.to_string().contains("1 live servers"), "{refused}");
        assert!(matches!(nothing, Started::Nothing { .. }));
        assert_eq!(done.counts.done, 2);
    })
    .await;
}

#[tokio::test]
async fn the_status_tells_of_the_whole_fleet() {
    scratch::ready(|scratch| async move {
        let schemas = shops(&scratch, 2, 4).await;
        let grown = scratch.provisioner(Toy::grown(3));
        grown.create(tenant("modern")).await.unwrap();
        let twin = format!("ALTER TABLE {}.widget ADD COLUMN colour text", schemas[2]);
        scratch.run(&twin).await;
        let options = RunOptions {
            max_failures: "100%".parse().unwrap(),
            only: "slug=shop-03,slug=shop-04".parse().unwrap(),
            ..RunOptions::default()
        };
        run(&grown, options).await;

        let examined = grown.examine(Depth::Sizes).await.unwrap();
        let status = grown.status().await.unwrap();

        assert_eq!(examined.looked_at, 5);
        assert_eq!(examined.drifted.len(), 1, "{examined:?}");
        assert_eq!(
            examined.drifted[0].difference.to_json()["extra"]["objects"],
            serde_json::json!(["column widget.colour"])
        );
        let versions: Vec<_> = status
            .versions
            .iter()
            .map(|one| (one.version.as_str(), one.tenants))
            .collect();
        assert_eq!(versions, [("w0002_unique", 3), ("w0003_colour", 2)]);
        assert_eq!((status.failed, status.drifted), (1, 1), "{status:?}");
        let oldest = status.oldest_failure.unwrap();
        assert_eq!(oldest.slug, "shop-03");
        assert_eq!(oldest.error.unwrap()["sqlstate"], "42701");
        assert_eq!(status.run, None);
        let sizes = "SELECT FROM platform.tenant_vitals WHERE size_bytes > 8000";
        assert_eq!(scratch.count(sizes).await, 5);
    })
    .await;
}
