//! Keepers bring a node to its goal, without hurry and without each other in the way.

use std::future::ready;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use provisioner::{CreateError, SpareError, SpareMove};

use super::{assert_consistent, fill, label, schemas};
use crate::scratch;
use crate::toy::Toy;

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

#[tokio::test]
async fn the_command_line_stays_until_it_is_told_to_end() {
    scratch::ready(|scratch| async move {
        let goal = ["spares", "--keep", "2", "--no-fill"];
        assert!(scratch.tubex().args(goal).status().unwrap().success());
        let mut child = scratch
            .tubex()
            .args(["spares", "run", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();

        let made = [lines.next(), lines.next()].map(|line| line.unwrap().unwrap());
        let told = Command::new("kill").arg(child.id().to_string()).status();
        assert!(told.unwrap().success());
        let ended = child.wait().unwrap();

        for line in &made {
            assert!(line.contains(r#""kind":"made""#), "{line}");
        }
        assert!(ended.success(), "{ended}");
        assert!(lines.next().is_none());
        let created = scratch
            .tubex()
            .args(["tenant", "create", "acme", "--name", "Acme", "--json"])
            .args(["--owner-email", "owner@example.com"])
            .output()
            .unwrap();
        let said = String::from_utf8(created.stdout).unwrap();
        assert!(said.contains(r#""from_spare":true"#), "{said}");
        assert_consistent(&scratch).await;
    })
    .await;
}
