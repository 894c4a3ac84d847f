//! Spares: taken by one creator each, given back untouched, kept at their number.

use std::future::{pending, ready};

use entity::platform::tenant::Status;
use provisioner::lanes::NewLane;
use provisioner::plans::{Change, SetPlan};
use provisioner::{
    CreateError, Label, LaneOptions, MigrateOptions, Placement, Provisioner, SpareError, SpareMove,
};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use crate::scratch::{self, Other, Scratch};
use crate::toy::{AtBirth, Toy, tenant};

#[tokio::test]
async fn a_tenant_made_from_a_spare_is_like_any_other() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::second());
        let made = prepare(&provisioner, None).await;
        let before: Vec<(String, String)> = entries(&scratch).await;

        let created = provisioner.create(tenant("acme")).await.unwrap();
        let next = provisioner.create(tenant("next")).await.unwrap();

        assert_eq!(before, [(slug_of(&made), "spare".to_owned())]);
        assert!(created.from_spare && !next.from_spare);
        let acme = created.tenant;
        assert_eq!(acme.schema_name, made);
        assert_eq!(
            (acme.name.as_str(), acme.status, acme.plan.as_deref()),
            ("acme", Status::Active, None)
        );
        assert_eq!(provisioner.show("acme").await.unwrap(), acme);
        assert_eq!(widgets(&scratch, &acme.schema_name).await, ["armel kurz"]);
        let fresh = "SELECT FROM platform.tenant WHERE slug = 'acme'
                     AND created_at > now() - interval '5 s' AND created_at = (
                         SELECT max(created_at) FROM platform.tenant WHERE slug = 'acme')";
        assert_eq!(scratch.count(fresh).await, 1);
        let told: Vec<bool> = scratch
            .column(
                "SELECT (detail->>'spare')::boolean FROM platform.tenant_event
                 WHERE kind = 'created' ORDER BY at",
            )
            .await;
        assert_eq!(told, [true, false]);
        scratch.assert_no_orphans().await;
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn creators_at_once_never_share_a_spare() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        for _ in 0..4 {
            prepare(&provisioner, None).await;
        }

        let creators: Vec<_> = (0..6)
            .map(|n| {
                let provisioner = provisioner.clone();
                tokio::spawn(async move { provisioner.create(tenant(&format!("shop-{n}"))).await })
            })
            .collect();
        let mut from_spares = 0;
        for creator in creators {
            from_spares += usize::from(creator.await.unwrap().unwrap().from_spare);
        }

        assert_eq!(from_spares, 4);
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 6);
        for schema in scratch
            .column::<String>("SELECT schema_name FROM platform.tenant")
            .await
        {
            assert_eq!(widgets(&scratch, &schema).await.len(), 1);
        }
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_spare_whose_tenant_fails_is_a_spare_again() {
    scratch::ready(|scratch| async move {
        let made = prepare(&scratch.provisioner(Toy::first()), None).await;
        let before = entries(&scratch).await;
        let failing = scratch.provisioner(Toy::first().at_birth(AtBirth::SeedFails));
        let panicking = scratch.provisioner(Toy::first().at_birth(AtBirth::SeedPanics));

        let failed = failing.create(tenant("acme")).await.unwrap_err();
        let panicked = tokio::spawn(async move { panicking.create(tenant("acme")).await }).await;
        let taken = failing.create(tenant("acme")).await.unwrap_err();

        assert!(matches!(failed, CreateError::Seed(_)), "{failed:?}");
        assert!(panicked.unwrap_err().is_panic());
        assert!(matches!(taken, CreateError::Seed(_)), "{taken:?}");
        assert_eq!(entries(&scratch).await, before);
        assert!(widgets(&scratch, &made).await.is_empty());
        let fine = scratch.provisioner(Toy::first());
        assert!(fine.create(tenant("acme")).await.unwrap().from_spare);
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_spare_that_does_not_fit_is_left() {
    scratch::ready(|scratch| async move {
        scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        prepare(&provisioner, None).await;
        let lane = provisioner
            .add_lane(NewLane::default())
            .await
            .unwrap()
            .login;
        let big = SetPlan {
            name: label("big"),
            concurrency: Change::Keep,
            statement_timeout_ms: Change::Keep,
            idle_in_transaction_timeout_ms: Change::Keep,
            dedicated_lane: Some(true),
        };
        provisioner.set_plan(big).await.unwrap();
        let ahead = scratch.provisioner(Toy::second());
        let places = [
            Placement {
                lane: Some(lane),
                ..Placement::default()
            },
            Placement {
                node: Some(label("n2")),
                ..Placement::default()
            },
            Placement {
                plan: Some(label("big")),
                ..Placement::default()
            },
        ];

        for (n, at) in places.into_iter().enumerate() {
            let created = provisioner.create_at(tenant(&format!("shop-{n}")), at);
            assert!(!created.await.unwrap().from_spare, "{n}");
        }
        let newer = ahead.create(tenant("newer")).await.unwrap();
        scratch
            .run("UPDATE platform.lane SET state = 'retiring'")
            .await;
        let retiring = provisioner.create(tenant("late")).await.unwrap();
        scratch.run("UPDATE platform.lane SET state = 'open'").await;

        assert!(!newer.from_spare && !retiring.from_spare);
        let report = &ahead.spares().await.unwrap()[0];
        assert_eq!((report.ready, report.behind), (0, 1));
        assert_eq!(provisioner.spares().await.unwrap()[0].ready, 1);
        ahead.migrate(&MigrateOptions::new("test")).await.unwrap();
        assert!(ahead.create(tenant("acme")).await.unwrap().from_spare);
    })
    .await;
}

#[tokio::test]
async fn a_spare_that_somebody_is_at_is_not_waited_for() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        prepare(&provisioner, None).await;
        let holder = scratch.db.begin().await.unwrap();
        holder
            .execute_unprepared("SELECT FROM platform.tenant FOR NO KEY UPDATE")
            .await
            .unwrap();

        let created = provisioner.create(tenant("acme")).await.unwrap();
        holder.rollback().await.unwrap();

        assert!(!created.from_spare);
    })
    .await;
}

#[tokio::test]
async fn a_goal_is_reached_from_below_and_from_above() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let mut moves = vec![];

        for keep in [3, 3, 1, 0] {
            provisioner.set_spare_goal(None, keep).await.unwrap();
            fill(&provisioner, None, &mut moves).await.unwrap();
            let report = provisioner.spares().await.unwrap().remove(0);
            assert_eq!((report.keep, report.ready), (Some(keep), keep.into()));
            let on_lanes: u64 = report.lanes.iter().map(|lane| lane.spares).sum();
            assert_eq!(on_lanes, report.ready);
            assert_consistent(&scratch).await;
        }

        let made = moves
            .iter()
            .filter(|it| matches!(it, SpareMove::Made { .. }));
        assert_eq!((made.count(), moves.len()), (3, 6));
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 0);
        let many = provisioner.set_spare_goal(None, 1001).await.unwrap_err();
        assert!(matches!(many, SpareError::TooMany(1001)), "{many:?}");
    })
    .await;
}

#[tokio::test]
async fn a_keeper_rests_after_each_and_stops_when_it_is_told() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.set_spare_goal(None, 5).await.unwrap();

        provisioner.keep_spares_until(ready(())).await;

        assert_eq!(provisioner.spares().await.unwrap()[0].ready, 1);
        let resting = "SELECT FROM platform.spare_goal WHERE not_before > updated_at";
        assert_eq!(scratch.count(resting).await, 1);
        // Whoever it is.
        scratch
            .run("UPDATE platform.spare_goal SET not_before = now() + interval '1 hour'")
            .await;
        let other = scratch.provisioner(Toy::first());
        other.keep_spares_until(ready(())).await;
        assert_eq!(provisioner.spares().await.unwrap()[0].ready, 1);
    })
    .await;
}

#[tokio::test]
async fn keepers_at_once_make_no_more_than_is_lacking() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.set_spare_goal(None, 4).await.unwrap();

        let keepers: Vec<_> = (0..3)
            .map(|_| {
                let provisioner = provisioner.clone();
                tokio::spawn(async move { fill(&provisioner, None, &mut vec![]).await })
            })
            .collect();
        for keeper in keepers {
            keeper.await.unwrap().unwrap();
        }

        assert_eq!(provisioner.spares().await.unwrap()[0].ready, 4);
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 4);
        assert_consistent(&scratch).await;
    })
    .await;
}

#[tokio::test]
async fn no_spare_is_made_while_the_fleet_is_migrated() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.set_spare_goal(None, 1).await.unwrap();
        scratch
            .run(
                "INSERT INTO platform.migration_run (id, target_version, state, options, wave,
                     waves, actor, created_at, updated_at)
                 VALUES (gen_random_uuid(), 'w0002_unique', 'paused', '{}', 0, 1, 'test',
                     now(), now())",
            )
            .await;

        let filled = fill(&provisioner, None, &mut vec![]).await.unwrap_err();
        provisioner.keep_spares_until(ready(())).await;
        let one = provisioner.prepare_spare(None).await.unwrap_err();
        let still = scratch.count("SELECT FROM platform.tenant").await;
        scratch
            .run("UPDATE platform.migration_run SET state = 'cancelled'")
            .await;
        fill(&provisioner, None, &mut vec![]).await.unwrap();

        assert!(matches!(filled, SpareError::Migrating), "{filled:?}");
        assert!(matches!(one, SpareError::Migrating), "{one:?}");
        assert_eq!(still, 0);
        assert_eq!(provisioner.spares().await.unwrap()[0].ready, 1);
    })
    .await;
}

#[tokio::test]
async fn a_spare_that_can_not_be_made_leaves_nothing() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let broken = scratch.provisioner_with_nodes(Toy::broken());

        for node in [None, Some(label("n2"))] {
            let error = broken.prepare_spare(node.as_ref()).await.unwrap_err();
            assert!(
                matches!(error, SpareError::Create(CreateError::Migration(_))),
                "{error:?}"
            );
        }

        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 0);
        assert!(schemas(&other).await.is_empty());
        assert_consistent(&scratch).await;
    })
    .await;
}

#[tokio::test]
async fn spares_take_room_on_their_lanes() {
    scratch::ready(|scratch| async move {
        let narrow = LaneOptions {
            capacity: 2,
            ..LaneOptions::default()
        };
        scratch.run("UPDATE platform.lane SET capacity = 2").await;
        let provisioner = scratch.provisioner_with_lanes(Toy::first(), narrow);
        for _ in 0..3 {
            prepare(&provisioner, None).await;
        }

        let lanes = provisioner.lanes().await.unwrap();
        let held: Vec<_> = lanes.iter().map(|lane| lane.tenants).collect();
        assert_eq!(held, [2, 1]);
        let at = Placement {
            lane: Some(lanes[1].login.clone()),
            ..Placement::default()
        };
        let created = provisioner.create_at(tenant("acme"), at).await.unwrap();
        assert!(created.from_spare);
        assert_eq!(created.tenant.lane, lanes[1].login);
        scratch.assert_memberships().await;
    })
    .await;
}

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

#[tokio::test]
async fn nobody_sees_or_moves_a_spare_by_its_slug() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let slug = slug_of(&prepare(&provisioner, None).await);
        let id: Vec<String> = scratch.column("SELECT id::text FROM platform.tenant").await;

        assert!(provisioner.show(&slug).await.is_err());
        assert!(provisioner.suspend(&slug, "why", "test").await.is_err());
        assert!(provisioner.suspend(&id[0], "why", "test").await.is_err());
        assert!(provisioner.resume(&id[0], "test").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn the_command_line_says_how_many_and_brings_them_there() {
    scratch::ready(|scratch| async move {
        let spares = |args: &[&str]| {
            let output = scratch.tubex().arg("spares").args(args).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            (output.status.code(), text)
        };

        let only_said = spares(&["--keep", "2", "--no-fill", "--json"]);
        let filled = spares(&["--keep", "2"]);
        let shown = spares(&["--json"]);
        let nowhere = spares(&["--keep", "2", "--node", "n9"]);
        let too_many = spares(&["--keep", "1001"]);

        assert!(only_said.1.contains(r#""keep":2"#), "{}", only_said.1);
        assert!(only_said.1.contains(r#""ready":0"#), "{}", only_said.1);
        assert_eq!(filled.1.matches("made t_").count(), 2, "{}", filled.1);
        assert!(shown.1.contains(r#""ready":2"#), "{}", shown.1);
        assert_eq!((nowhere.0, too_many.0), (Some(1), Some(2)));
    })
    .await;
}

/// Makes one, and says its schema.
async fn prepare(provisioner: &Provisioner<Toy>, node: Option<&Label>) -> String {
    match provisioner.prepare_spare(node).await.unwrap() {
        SpareMove::Made { schema, .. } => schema,
        SpareMove::Removed { .. } => panic!("a spare was removed"),
    }
}

async fn fill(
    provisioner: &Provisioner<Toy>,
    node: Option<&Label>,
    moves: &mut Vec<SpareMove>,
) -> Result<(), SpareError> {
    let tell = |moved| moves.push(moved);
    provisioner.fill_spares(node, pending(), tell).await
}

/// Brings everybody to the second toy's head, which leaves a line in each history.
async fn provisioner_of_second(scratch: &Scratch) {
    let summary = scratch
        .provisioner_with_nodes(Toy::second())
        .migrate(&MigrateOptions::new("test"))
        .await
        .unwrap();
    assert!(summary.failed.is_empty(), "{summary:?}");
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn slug_of(schema: &str) -> String {
    schema.replace("t_", "spare-")
}

/// Slug and status of everybody.
async fn entries(scratch: &Scratch) -> Vec<(String, String)> {
    let entries: Vec<String> = scratch
        .column("SELECT slug || ' ' || status FROM platform.tenant ORDER BY slug")
        .await;
    entries
        .iter()
        .filter_map(|entry| entry.split_once(' '))
        .map(|(slug, status)| (slug.to_owned(), status.to_owned()))
        .collect()
}

async fn widgets(scratch: &Scratch, schema: &str) -> Vec<String> {
    scratch
        .column(&format!("SELECT folded FROM {schema}.widget"))
        .await
}

async fn widgets_of(other: &Other, schema: &str) -> Vec<String> {
    Scratch::column_of(&other.db, &format!("SELECT folded FROM {schema}.widget")).await
}

async fn schemas(other: &Other) -> Vec<String> {
    let sql = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_' ORDER BY 1";
    Scratch::column_of(&other.db, sql).await
}

/// Says that each entry of the platform's own node has its schema and its lane, and the other way
/// round.
pub(crate) async fn assert_consistent(scratch: &Scratch) {
    let listed: Vec<String> = scratch
        .column(
            "SELECT t.schema_name FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
             JOIN platform.node n ON n.id = l.node_id WHERE n.database IS NULL ORDER BY 1",
        )
        .await;
    let schemas: Vec<String> = scratch
        .column(r"SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_' ORDER BY 1")
        .await;
    assert_eq!(schemas, listed);
    let roles = "SELECT m.roleid::regrole::text FROM pg_auth_members m
                 JOIN platform.lane l ON m.member = l.login_role::regrole
                 JOIN platform.node n ON n.id = l.node_id WHERE n.database IS NULL ORDER BY 1";
    assert_eq!(scratch.column::<String>(roles).await, listed);
    scratch.assert_memberships().await;
}
