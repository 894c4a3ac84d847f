//! What is before the tenants, tried on clones: what is learnt, and that nothing of it stays.

use std::time::Duration;

use provisioner::rehearse::{Outcome, Rehearsal, RehearseOptions, Rehearsed};
use provisioner::{Provisioner, RunOptions, TenantEntry};

use crate::export::on_n2;
use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};

async fn create(provisioner: &Provisioner<Toy>, slug: &str) -> TenantEntry {
    provisioner.create(tenant(slug)).await.unwrap().tenant
}

async fn widgets(scratch: &Scratch, schema: &str, count: u32) {
    scratch
        .run(&format!(
            "INSERT INTO {schema}.widget (name)
                 SELECT 'widget ' || n FROM generate_series(1, {count}) n;
             ANALYZE {schema}.widget"
        ))
        .await;
}

async fn rehearse(provisioner: &Provisioner<Toy>, options: RehearseOptions) -> Rehearsed {
    match provisioner.rehearse(options, "test").await.unwrap() {
        Rehearsal::Held(rehearsed) => *rehearsed,
        Rehearsal::Nothing { target } => panic!("somebody is behind {target}"),
    }
}

/// Says that all schemas here are tenants', and that no role is left of this rehearsal.
async fn assert_nothing_left(scratch: &Scratch, rehearsed: &Rehearsed) {
    scratch.assert_no_orphans().await;
    let roles = format!(
        "SELECT FROM pg_shdescription WHERE description = 'tubex rehearsal {}'",
        rehearsed.id
    );
    assert_eq!(scratch.count(&roles).await, 0);
}

fn of<'r>(rehearsed: &'r Rehearsed, slug: &str) -> &'r provisioner::rehearse::RehearsedTenant {
    let mut tenants = rehearsed.tenants.iter();
    tenants.find(|one| one.slug == slug).unwrap()
}

#[tokio::test]
async fn a_run_is_compared_with_the_rehearsal_before_it() {
    scratch::ready(|scratch| async move {
        let old = scratch.provisioner(Toy::grown(1));
        for slug in ["small", "large"] {
            let schema = create(&old, slug).await.schema_name;
            widgets(&scratch, &schema, if slug == "large" { 20_000 } else { 1 }).await;
        }
        let new = scratch.provisioner(Toy::grown(6));

        let rehearsed = rehearse(&new, RehearseOptions::default()).await;

        let (small, large) = (of(&rehearsed, "small"), of(&rehearsed, "large"));
        for one in [small, large] {
            assert_eq!(one.outcome, Outcome::Done, "{one:?}");
            assert!(one.locked.contains("widget"), "{one:?}");
            assert!(
                one.locked_us > 0 && one.locked_us < one.duration_us,
                "{one:?}"
            );
        }
        assert!(large.duration_us > small.duration_us, "{small:?} {large:?}");
        assert_eq!((small.rows, large.rows), (2, 20_001));
        let expected = rehearsed.prediction.clone().unwrap();
        assert_eq!((expected.tenants, expected.traffic_is_known), (2, false));
        assert!(
            expected.duration_us >= large.duration_us / 2,
            "{expected:?}"
        );
        assert_eq!(expected.lock_waits_milli, 0);
        assert_nothing_left(&scratch, &rehearsed).await;
        let still =
            scratch.count("SELECT FROM platform.tenant WHERE schema_version = 'w0001_widget'");
        assert_eq!(still.await, 2);

        let run = new
            .migrate(RunOptions::default(), "test")
            .await
            .unwrap()
            .unwrap();

        let compared = run.compared().unwrap();
        assert_eq!(compared["id"], rehearsed.id.to_string());
        assert_eq!(compared["predicted"]["duration_us"], expected.duration_us);
        assert_eq!(compared["actual"]["duration_us"], run.elapsed_ms * 1_000);
        assert_eq!(compared["actual"]["lock_waits"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_rehearsal_of_yesterday_or_to_another_version_is_no_runs() {
    scratch::ready(|scratch| async move {
        create(&scratch.provisioner(Toy::grown(1)), "acme").await;
        let new = scratch.provisioner(Toy::grown(3));
        rehearse(&new, RehearseOptions::default()).await;
        scratch
            .run("UPDATE platform.rehearsal SET created_at = now() - interval '25 hours'")
            .await;
        let to = RehearseOptions {
            to: Some("w0002_unique".to_owned()),
            ..RehearseOptions::default()
        };
        rehearse(&new, to).await;

        let run = new.migrate(RunOptions::default(), "test").await.unwrap();

        assert_eq!(run.unwrap().rehearsal, None);
    })
    .await;
}

#[tokio::test]
async fn those_are_chosen_who_differ_most_and_who_has_drifted_is_said() {
    scratch::ready(|scratch| async move {
        for n in 0..6 {
            let schema = create(&scratch.provisioner(Toy::grown(1)), &format!("first-{n}")).await;
            widgets(&scratch, &schema.schema_name, n * 400 + 1).await;
        }
        create(&scratch.provisioner(Toy::grown(3)), "third").await;
        let drifted = create(&scratch.provisioner(Toy::grown(1)), "odd")
            .await
            .schema_name;
        scratch
            .run(&format!(
                "ALTER TABLE {drifted}.widget ADD COLUMN mine text"
            ))
            .await;

        let rehearsed = rehearse(
            &scratch.provisioner(Toy::grown(5)),
            RehearseOptions::default(),
        )
        .await;

        let slugs: Vec<&str> = rehearsed
            .tenants
            .iter()
            .map(|one| one.slug.as_str())
            .collect();
        assert_eq!(slugs.len(), 5);
        assert_eq!(slugs[0], "first-5", "the largest stands for most");
        assert!(
            slugs.contains(&"third") && slugs.contains(&"odd"),
            "{slugs:?}"
        );
        assert_eq!(
            of(&rehearsed, "first-5").why,
            "stands for 6 at w0001_widget"
        );
        assert_eq!(
            of(&rehearsed, "odd").why,
            "looks unlike the others at w0001_widget"
        );
        assert_eq!(of(&rehearsed, "odd").outcome, Outcome::NotRehearsed);
        let note = rehearsed.notes.iter().find(|note| note.starts_with("odd:"));
        assert!(note.unwrap().contains("changed by hand"), "{note:?}");
        assert_eq!(rehearsed.from_versions, ["w0001_widget", "w0003_colour"]);
        assert_eq!(rehearsed.pending, 8);
        assert!(!rehearsed.has_failed());
        assert_nothing_left(&scratch, &rehearsed).await;
    })
    .await;
}

#[tokio::test]
async fn rows_that_break_a_migration_are_found_and_their_tenant_is_not_touched() {
    scratch::ready(|scratch| async move {
        let old = scratch.provisioner(Toy::first());
        create(&old, "fine").await;
        let schema = create(&old, "twice").await.schema_name;
        scratch
            .run(&format!(
                "INSERT INTO {schema}.widget (name) VALUES ('same'), ('same')"
            ))
            .await;

        let rehearsed = rehearse(
            &scratch.provisioner(Toy::second()),
            RehearseOptions::default(),
        )
        .await;

        assert!(rehearsed.has_failed());
        assert_eq!(of(&rehearsed, "fine").outcome, Outcome::Done);
        let error = of(&rehearsed, "twice").error.clone().unwrap();
        assert_eq!(error["sqlstate"], "23505");
        assert_eq!(
            error["statement"],
            "CREATE UNIQUE INDEX widget_name_key ON widget (name)"
        );
        assert!(error["hint"].is_string(), "{error}");
        assert_nothing_left(&scratch, &rehearsed).await;
        let indexes = format!(
            "SELECT FROM pg_indexes WHERE schemaname = '{schema}' AND indexname = 'widget_name_key'"
        );
        assert_eq!(scratch.count(&indexes).await, 0);
        assert_eq!(
            scratch.count(&format!("SELECT FROM {schema}.widget")).await,
            3
        );
        let kept = scratch
            .column::<String>("SELECT tenants -> 1 ->> 'outcome' FROM platform.rehearsal")
            .await;
        assert_eq!(kept.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_budget_of_bytes_or_time_is_kept() {
    scratch::ready(|scratch| async move {
        let old = scratch.provisioner(Toy::grown(1));
        for n in 0..4 {
            let schema = create(&old, &format!("shop-{n}")).await.schema_name;
            widgets(&scratch, &schema, n * 5_000 + 1).await;
        }
        let new = scratch.provisioner(Toy::grown(2));
        let all = rehearse(&new, RehearseOptions::default()).await;
        let bytes =
            |rehearsed: &Rehearsed| rehearsed.tenants.iter().map(|one| one.bytes).sum::<i64>();
        let budget_bytes = bytes(&all) / 2;

        let within = RehearseOptions {
            budget_bytes,
            ..RehearseOptions::default()
        };
        let some = rehearse(&new, within).await;
        assert!(
            bytes(&some) <= budget_bytes && !some.tenants.is_empty(),
            "{some:?}"
        );
        assert!(some.tenants.len() < all.tenants.len());

        let at_once = RehearseOptions {
            budget: Duration::ZERO,
            ..RehearseOptions::default()
        };
        let none = rehearse(&new, at_once).await;
        let is_left =
            |one: &provisioner::rehearse::RehearsedTenant| one.outcome == Outcome::NotRehearsed;
        assert!(none.tenants.iter().all(is_left), "{none:?}");
        assert_eq!(none.prediction, None);
        assert!(
            none.notes
                .iter()
                .any(|note| note.contains("--budget-seconds"))
        );
        assert_nothing_left(&scratch, &none).await;
    })
    .await;
}

#[tokio::test]
async fn a_tenant_elsewhere_is_rehearsed_with_where_it_lives() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let old = scratch.provisioner_with_nodes(Toy::grown(1));
        old.create_at(tenant("there"), on_n2()).await.unwrap();
        let new = scratch.provisioner_with_nodes(Toy::grown(6));

        let rehearsed = rehearse(&new, RehearseOptions::default()).await;

        assert_eq!(
            of(&rehearsed, "there").outcome,
            Outcome::Done,
            "{rehearsed:?}"
        );
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^t_'";
        assert_eq!(Scratch::column_of::<i64>(&other.db, schemas).await, [1]);
        assert_eq!(Scratch::column_of::<i64>(&scratch.db, schemas).await, [0]);
    })
    .await;
}

#[tokio::test]
async fn requests_that_servers_tell_of_are_expected_to_be_met() {
    scratch::ready(|scratch| async move {
        let busy = create(&scratch.provisioner(Toy::grown(1)), "busy").await;
        scratch
            .run(&format!(
                "INSERT INTO platform.server_process (id, build, knows, needs)
                     VALUES ('{0}', 'b', 'w0001_widget', 'w0001_widget');
                 INSERT INTO platform.tenant_traffic
                     (server_id, tenant_id, requests, failures, slow_ms)
                     VALUES ('{0}', '{0}', 10, 0, 800)",
                busy.id
            ))
            .await;

        let new = scratch.provisioner(Toy::grown(3));
        let expected = rehearse(&new, RehearseOptions::default())
            .await
            .prediction
            .unwrap();

        assert!(expected.traffic_is_known);
        assert_eq!(
            (expected.meetings_milli, expected.lock_waits_milli),
            (800, 600)
        );
    })
    .await;
}

#[tokio::test]
async fn nothing_to_rehearse_is_said_politely() {
    scratch::ready(|scratch| async move {
        let done = scratch.tubex().arg("rehearse").output().unwrap();

        assert_eq!(done.status.code(), Some(0), "{done:?}");
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(said.starts_with("nothing to rehearse"), "{said}");
        assert_eq!(scratch.count("SELECT FROM platform.rehearsal").await, 0);
    })
    .await;
}
