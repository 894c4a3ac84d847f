//! No lane ever holds more tenants than fit, and one that is not wanted any more goes.

use provisioner::lanes::{LaneError, MoveTo, NewLane, SetLane};
use provisioner::{LaneOptions, Placement};

use crate::scratch;
use crate::toy::{Toy, tenant};

#[tokio::test]
async fn a_retired_lane_is_emptied_into_others_and_then_gone() {
    scratch::ready(|scratch| async move {
        let lanes = LaneOptions {
            width: 2,
            capacity: 2,
        };
        let provisioner = scratch.provisioner_with_lanes(Toy::first(), lanes);
        for n in 0..5 {
            provisioner
                .create(tenant(&format!("shop-{n}")))
                .await
                .unwrap();
        }
        scratch
            .run("UPDATE platform.tenant SET status = 'archived' WHERE slug = 'shop-4'")
            .await;
        let first = provisioner.show("shop-0").await.unwrap().lane;

        let retired = provisioner.retire_lane(&first, "test").await.unwrap();
        let again = provisioner.retire_lane(&first, "test").await.unwrap_err();

        assert_eq!(retired.moved.len(), 5);
        assert!(!retired.is_login_kept);
        assert!(matches!(again, LaneError::NotFound(_)), "{again:?}");
        let held: Vec<i64> = provisioner
            .lanes()
            .await
            .unwrap()
            .iter()
            .map(|lane| lane.tenants)
            .collect();
        assert_eq!(held, [2, 2]);
        scratch.assert_memberships().await;
        let role = format!("SELECT FROM pg_roles WHERE rolname = '{first}'");
        assert_eq!(scratch.count(&role).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_login_that_a_clone_needs_outlives_its_lane() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let lane = provisioner
            .add_lane(NewLane::default())
            .await
            .unwrap()
            .login;
        let clone = scratch.other_database().await;
        let grant = format!("GRANT CONNECT ON DATABASE {} TO {lane}", clone.name);
        scratch.run(&grant).await;

        let retired = provisioner.retire_lane(&lane, "test").await.unwrap();

        assert!(retired.is_login_kept);
        scratch.log_in(&lane).await.unwrap_err();
        // Whoever needed it is gone soon, and then nobody else knows its name.
        let revoke = format!(
            "REVOKE ALL ON DATABASE {} FROM {lane}; DROP ROLE {lane}",
            clone.name
        );
        scratch.run(&revoke).await;
    })
    .await;
}

#[tokio::test]
async fn a_lane_can_be_changed_but_not_below_what_it_holds() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        for slug in ["acme", "bolt"] {
            provisioner.create(tenant(slug)).await.unwrap();
        }
        let lane = provisioner.lanes().await.unwrap().remove(0).login;
        let set = |width, capacity| SetLane {
            lane: lane.clone(),
            width,
            capacity,
        };

        let (wide, fine) = provisioner.set_lane(set(Some(7), Some(2))).await.unwrap();
        let narrow = provisioner.set_lane(set(None, Some(1))).await.unwrap_err();
        let (kept, pressure) = provisioner.set_lane(set(Some(900), None)).await.unwrap();

        assert_eq!((wide.width, wide.capacity, wide.tenants), (7, 2, 2));
        assert_eq!(fine, None);
        assert!(
            matches!(narrow, LaneError::BelowHeld { held: 2, .. }),
            "{narrow:?}"
        );
        assert_eq!((kept.width, kept.capacity), (900, 2));
        let pressure = pressure.unwrap();
        assert_eq!(pressure.lanes, 900);
        assert!(pressure.available < 900, "{pressure}");
    })
    .await;
}

#[tokio::test]
async fn lanes_wider_than_the_node_are_added_with_a_warning() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let wide = NewLane {
            width: Some(1000),
            is_dedicated: true,
            ..NewLane::default()
        };

        let fits = provisioner.add_lane(NewLane::default()).await.unwrap();
        let too_wide = provisioner.add_lane(wide).await.unwrap();

        assert_eq!(fits.pressure, None);
        assert_eq!(too_wide.pressure.unwrap().lanes, 4 + 4 + 1000);
        let lanes = provisioner.lanes().await.unwrap();
        let dedicated: Vec<_> = lanes.iter().map(|lane| lane.is_dedicated).collect();
        assert_eq!(dedicated, [false, false, true]);
    })
    .await;
}

#[tokio::test]
async fn a_tenant_can_be_born_on_a_lane_by_name() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let new = NewLane {
            is_dedicated: true,
            ..NewLane::default()
        };
        let lane = provisioner.add_lane(new).await.unwrap().login;
        let at = || Placement {
            lane: Some(lane.clone()),
            ..Placement::default()
        };

        let acme = provisioner.create_at(tenant("acme"), at()).await.unwrap();
        let full = provisioner
            .create_at(tenant("bolt"), at())
            .await
            .unwrap_err();

        assert_eq!(acme.tenant.lane, lane);
        assert!(full.to_string().contains("placed on a lane"), "{full:?}");
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn no_lane_holds_more_than_fit_while_all_come_and_go_at_once() {
    scratch::ready(|scratch| async move {
        scratch.run("UPDATE platform.lane SET capacity = 3").await;
        let lanes = LaneOptions {
            width: 1,
            capacity: 3,
        };
        let provisioner = scratch.provisioner_with_lanes(Toy::first(), lanes);
        for n in 0..6 {
            provisioner
                .create(tenant(&format!("old-{n}")))
                .await
                .unwrap();
        }
        let logins: Vec<String> = scratch.column("SELECT login_role FROM platform.lane").await;

        let mut crowd = vec![];
        for n in 0..8 {
            let provisioner = provisioner.clone();
            crowd.push(tokio::spawn(async move {
                provisioner
                    .create(tenant(&format!("new-{n}")))
                    .await
                    .unwrap();
            }));
        }
        for n in 0..6 {
            let (provisioner, logins) = (provisioner.clone(), logins.clone());
            crowd.push(tokio::spawn(async move {
                for step in 0..6_usize {
                    let to = match (n + step) % 3 {
                        0 => MoveTo::Emptiest,
                        1 => MoveTo::Lane(logins[(n + step) % logins.len()].clone()),
                        _ => MoveTo::Dedicated,
                    };
                    match provisioner
                        .move_to_lane(&format!("old-{n}"), to, "test")
                        .await
                    {
                        Ok(_) | Err(LaneError::Full(_) | LaneError::NoOtherLane(_)) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }));
        }
        while crowd.iter().any(|one| !one.is_finished()) {
            assert_eq!(scratch.most_over_capacity().await, 0);
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        for one in crowd {
            one.await.unwrap();
        }

        scratch.assert_memberships().await;
        scratch.assert_no_orphans().await;
        let over = "SELECT FROM platform.lane l WHERE capacity < (
                        SELECT count(*) FROM platform.tenant t WHERE t.lane_id = l.id)";
        assert_eq!(scratch.count(over).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_migration_of_the_platform_mends_memberships() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        let bolt = provisioner.create(tenant("bolt")).await.unwrap().tenant;
        let other = provisioner
            .add_lane(NewLane::default())
            .await
            .unwrap()
            .login;
        scratch
            .run(&format!(
                "GRANT {} TO {other}; REVOKE {} FROM {}",
                acme.schema_name, bolt.schema_name, bolt.lane
            ))
            .await;

        let mended = scratch.migrate_platform().await.memberships;
        let again = scratch.migrate_platform().await.memberships;

        assert_eq!(
            (
                mended.revoked.len(),
                &mended.revoked[0].role,
                &mended.revoked[0].login
            ),
            (1, &acme.schema_name, &other)
        );
        assert_eq!(
            (
                mended.granted.len(),
                &mended.granted[0].role,
                &mended.granted[0].login
            ),
            (1, &bolt.schema_name, &bolt.lane)
        );
        assert!(again.revoked.is_empty() && again.granted.is_empty());
        scratch.assert_memberships().await;
    })
    .await;
}
