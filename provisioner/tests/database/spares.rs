//! Spares: taken by one creator each, given back untouched, kept at their number.

mod elsewhere;
mod keeping;
mod killed;

use std::future::pending;

use entity::platform::tenant::Status;
use provisioner::lanes::NewLane;
use provisioner::plans::{Change, SetPlan};
use provisioner::{
    CreateError, Label, LaneOptions, Placement, Provisioner, RunOptions, SpareError, SpareMove,
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
            requests_per_minute: provisioner::plans::Change::Keep,
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
        ahead.migrate(RunOptions::default(), "test").await.unwrap();
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

async fn schemas(other: &Other) -> Vec<String> {
    let sql = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_' ORDER BY 1";
    Scratch::column_of(&other.db, sql).await
}

/// Says that each entry of the platform's own node has its schema and its lane, and the other way
/// round.
async fn assert_consistent(scratch: &Scratch) {
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
