//! Databases are prepared for tenants, once and whenever something drifted.

use migration::NodeMigrator;
use provisioner::nodes::{NewNode, NodeError, ReachError};
use provisioner::platform::FenceRule;
use provisioner::{Label, NodeConnector, Placement, fence};
use sea_orm::ConnectionTrait as _;

use crate::scratch;
use crate::toy::{Toy, tenant};

#[tokio::test]
async fn a_node_is_prepared_listed_and_gets_a_lane() {
    scratch::ready(|scratch| async move {
        let other = scratch.other_database().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let add = async |name: &str| {
            let new = scratch.node(name, &other);
            provisioner
                .add_node(new, NodeMigrator, FenceRule::Complete)
                .await
        };

        let added = add("n2").await.unwrap();
        let taken = add("n2").await.unwrap_err();
        let twice = add("n3").await.unwrap_err();

        assert_eq!(
            added.applied,
            ["m0004_shared", "m0012_record", "m0014_jobs"]
        );
        assert!(added.fence.gaps.is_empty());
        assert!(fence::inspect(&other.db).await.unwrap().gaps.is_empty());
        assert!(matches!(taken, NodeError::NameTaken(_)), "{taken:?}");
        assert!(matches!(twice, NodeError::AddressTaken(_)), "{twice:?}");
        let nodes = provisioner.nodes().await.unwrap();
        let shape: Vec<_> = nodes
            .iter()
            .map(|node| (node.name.as_str(), node.database.as_deref(), node.lanes))
            .collect();
        assert_eq!(
            shape,
            [("main", None, 1), ("n2", Some(other.name.as_str()), 1)]
        );
    })
    .await;
}

#[tokio::test]
async fn a_database_with_a_platform_or_out_of_reach_is_no_node() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let at = |host: &str, port, database: &str| NewNode {
            name: Label::parse("n2").unwrap(),
            host: host.to_owned(),
            port,
            database: Some(database.to_owned()),
        };
        let add = async |new| {
            provisioner
                .add_node(new, NodeMigrator, FenceRule::Complete)
                .await
                .unwrap_err()
        };

        let platform = add(at(scratch.host(), None, &scratch.name)).await;
        let closed = add(at("127.0.0.1", Some(1), "nowhere")).await;
        let lost = scratch
            .provisioner(Toy::first())
            .add_node(
                at("127.0.0.1", Some(1), "x"),
                NodeMigrator,
                FenceRule::Complete,
            )
            .await
            .unwrap_err();

        assert!(matches!(platform, NodeError::HasPlatform), "{platform:?}");
        assert!(
            matches!(&closed, NodeError::Reach(ReachError::Unreachable { .. })),
            "{closed:?}"
        );
        assert!(
            matches!(&lost, NodeError::Reach(ReachError::NoConnector(_))),
            "{lost:?}"
        );
        assert_eq!(provisioner.nodes().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn all_nodes_come_to_head_and_one_out_of_reach_is_reported() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let acme = provisioner
            .create_at(
                tenant("acme"),
                Placement {
                    node: Some(Label::parse("n2").unwrap()),
                    ..Placement::default()
                },
            )
            .await
            .unwrap()
            .tenant;
        scratch
            .run(
                "INSERT INTO platform.node (id, name, host, port, created_at)
                 VALUES (gen_random_uuid(), 'lost', '127.0.0.1', 1, now() + interval '1 second')",
            )
            .await;
        let damage = format!(
            "REVOKE {0} FROM {1}; REVOKE CONNECT ON DATABASE {2} FROM {1};
             GRANT EXECUTE ON FUNCTION pg_notify(text, text) TO PUBLIC",
            acme.schema_name, acme.lane, other.name
        );
        other.db.execute_unprepared(&damage).await.unwrap();
        let migrate = async || {
            provisioner
                .migrate_nodes(NodeMigrator, FenceRule::Complete)
                .await
                .unwrap()
        };

        let first = migrate().await;
        let second = migrate().await;

        let names: Vec<_> = first.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["n2", "lost"]);
        let mended = first[0].outcome.as_ref().unwrap();
        assert_eq!(
            (mended.fence.closed.len(), mended.memberships.granted.len()),
            (1, 1)
        );
        assert_eq!(mended.lanes, [acme.lane]);
        let lost = first[1].outcome.as_ref().unwrap_err();
        assert!(matches!(lost, NodeError::Reach(_)), "{lost:?}");
        let still = second[0].outcome.as_ref().unwrap();
        assert!(still.fence.closed.is_empty() && still.memberships.granted.is_empty());
        assert!(still.applied.is_empty());
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn an_address_that_can_not_be_read_is_called_so() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch
            .provisioner(Toy::first())
            .with_nodes(NodeConnector::new("hunter2".into()));
        let other = scratch.other_database().await;

        let error = provisioner
            .add_node(
                scratch.node("n2", &other),
                NodeMigrator,
                FenceRule::Complete,
            )
            .await
            .unwrap_err();

        assert!(
            matches!(error, NodeError::Reach(ReachError::Address)),
            "{error:?}"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    })
    .await;
}
