//! Tenants move between lanes while they are served.

use provisioner::lanes::{LaneError, MoveTo, NewLane};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use crate::scratch;
use crate::toy::{Toy, tenant};

#[tokio::test]
async fn a_move_goes_on_for_transactions_under_way_and_refuses_the_next() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        let target = provisioner.add_lane(NewLane::default()).await.unwrap();
        let mut old = scratch.log_in(&acme.lane).await.unwrap();
        run(
            &mut old,
            &format!("BEGIN; SET LOCAL ROLE {}", acme.schema_name),
        )
        .await
        .unwrap();

        let moved = provisioner
            .move_to_lane("acme", MoveTo::Emptiest, "test")
            .await
            .unwrap();

        assert_eq!((&moved.from, &moved.to), (&acme.lane, &target.login));
        let under_way = format!("SELECT * FROM {}.widget; COMMIT", acme.schema_name);
        run(&mut old, &under_way).await.unwrap();
        assert_eq!(
            become_tenant(&mut old, &acme.schema_name).await,
            Err("42501".to_owned())
        );
        let mut new = scratch.log_in(&target.login).await.unwrap();
        assert_eq!(become_tenant(&mut new, &acme.schema_name).await, Ok(()));
        assert_eq!(provisioner.show("acme").await.unwrap().lane, target.login);
        let told: Vec<String> = scratch
            .column(
                "SELECT actor || ' ' || (detail ->> 'from') || ' ' || (detail ->> 'to')
                 FROM platform.tenant_event WHERE kind = 'lane_moved'",
            )
            .await;
        assert_eq!(told, [format!("test {} {}", acme.lane, target.login)]);
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn a_lane_of_its_own_is_made_for_a_tenant_and_goes_when_it_leaves() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let shared = provisioner
            .create(tenant("acme"))
            .await
            .unwrap()
            .tenant
            .lane;
        provisioner.create(tenant("bolt")).await.unwrap();

        let there = provisioner
            .move_to_lane("acme", MoveTo::Dedicated, "test")
            .await
            .unwrap();
        let lanes = provisioner.lanes().await.unwrap();
        let full = provisioner
            .move_to_lane("bolt", MoveTo::Lane(there.to.clone()), "test")
            .await
            .unwrap_err();
        let back = provisioner
            .move_to_lane("acme", MoveTo::Emptiest, "test")
            .await
            .unwrap();

        let own = lanes.iter().find(|lane| lane.login == there.to).unwrap();
        assert!(own.is_dedicated);
        assert_eq!((own.capacity, own.width, own.tenants), (1, 4, 1));
        assert!(matches!(full, LaneError::Full(_)), "{full:?}");
        assert_eq!(
            (&back.to, back.dropped.as_ref()),
            (&shared, Some(&there.to))
        );
        assert_eq!(provisioner.lanes().await.unwrap().len(), 1);
        let role = format!("SELECT FROM pg_roles WHERE rolname = '{}'", there.to);
        assert_eq!(scratch.count(&role).await, 0);
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn a_move_to_where_one_is_mends_and_is_no_move() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        let other = provisioner.add_lane(NewLane::default()).await.unwrap();
        scratch
            .run(&format!(
                "REVOKE {0} FROM {1}; GRANT {0} TO {2}",
                acme.schema_name, acme.lane, other.login
            ))
            .await;

        let to = MoveTo::Lane(acme.lane.clone());
        let stayed = provisioner.move_to_lane("acme", to, "test").await.unwrap();

        assert_eq!(stayed.from, stayed.to);
        scratch.assert_memberships().await;
        let told = "SELECT FROM platform.tenant_event WHERE kind = 'lane_moved'";
        assert_eq!(scratch.count(told).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_move_that_can_not_be_is_refused_and_changes_nothing() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        let go = async |tenant: &str, to| {
            provisioner
                .move_to_lane(tenant, to, "test")
                .await
                .unwrap_err()
        };

        let alone = go("acme", MoveTo::Emptiest).await;
        let nobody = go("nobody", MoveTo::Emptiest).await;
        let nowhere = go("acme", MoveTo::Lane("lane_0000000000000000".to_owned())).await;
        let retiring = provisioner.add_lane(NewLane::default()).await.unwrap();
        scratch
            .run(&format!(
                "UPDATE platform.lane SET state = 'retiring' WHERE id = '{}'",
                retiring.id
            ))
            .await;
        let too_late = go("acme", MoveTo::Lane(retiring.id.to_string())).await;

        assert!(matches!(alone, LaneError::NoOtherLane(_)), "{alone:?}");
        assert!(matches!(nobody, LaneError::NoTenant(_)), "{nobody:?}");
        assert!(matches!(nowhere, LaneError::NotFound(_)), "{nowhere:?}");
        assert!(matches!(too_late, LaneError::Retiring(_)), "{too_late:?}");
        assert_eq!(provisioner.show("acme").await.unwrap(), acme);
        scratch.assert_memberships().await;
    })
    .await;
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(sql)).await.map(|_| ())
}

/// Answers with the SQLSTATE of a refusal.
async fn become_tenant(connection: &mut PgConnection, schema: &str) -> Result<(), String> {
    let outcome = run(connection, &format!("BEGIN; SET LOCAL ROLE {schema}")).await;
    run(connection, "ROLLBACK").await.unwrap();
    outcome.map_err(|error| {
        let refusal = error
            .into_database_error()
            .expect("the database refuses, not the wire");
        refusal.code().unwrap_or_default().into_owned()
    })
}
