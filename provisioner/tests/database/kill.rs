//! `kill -9` at any moment of a creation leaves nothing or a complete tenant; of anything else,
//! something that doing it again finishes.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use provisioner::lanes::NewLane;
use provisioner::{Label, Placement};

use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};

const TRIES: u64 = 20;
/// Of what needs fewer to be cut everywhere.
const FEWER: u64 = 12;

#[tokio::test]
async fn a_killed_creation_leaves_nothing_or_everything() {
    scratch::ready(|scratch| async move {
        let mut killer = Killer::new();
        for n in 0..TRIES {
            let command = creation(&scratch, &format!("shop-{n}"));
            killer.kill(&scratch, command, n).await;
        }

        wait_for_the_dead(&scratch).await;
        let survived = scratch.count("SELECT FROM platform.tenant").await;
        assert!(survived < TRIES as i64, "nobody was killed in the middle");
        scratch.assert_no_orphans().await;
        assert_all_alike(&scratch).await;
        // Whoever asks again gets the tenant, or hears that it is there.
        for n in 0..TRIES {
            let status = creation(&scratch, &format!("shop-{n}")).status().unwrap();
            assert!(matches!(status.code(), Some(0 | 1)), "{status}");
        }
        assert_eq!(
            scratch.count("SELECT FROM platform.tenant").await,
            TRIES as i64
        );
        scratch.assert_no_orphans().await;
        assert_all_alike(&scratch).await;
    })
    .await;
}

#[tokio::test]
async fn a_killed_move_leaves_the_tenant_on_one_lane() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.create(tenant("acme")).await.unwrap();
        provisioner.add_lane(NewLane::default()).await.unwrap();
        let mut killer = Killer::new();

        for n in 0..FEWER {
            // Each second time to a lane of its own, which goes when it is left.
            let own: &[&str] = if n % 2 == 0 { &["--dedicated"] } else { &[] };
            let command = tubex(&scratch, &[&["lane", "move", "acme"], own].concat());
            killer.kill(&scratch, command, n).await;
            wait_for_the_dead(&scratch).await;
            scratch.assert_memberships().await;
        }

        let killed = killer.killed;
        assert!(killed >= 4, "only {killed} were killed in the middle");
        let done = tubex(&scratch, &["lane", "move", "acme"]).status().unwrap();
        assert!(done.success(), "{done}");
        // What was left and not dropped yet is marked, and dropped by the way.
        scratch.migrate_platform().await;
        scratch.assert_memberships().await;
        assert_eq!(provisioner.lanes().await.unwrap().len(), 2);
        assert_eq!(strangers(&scratch).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_killed_move_elsewhere_is_finished_by_doing_it_again() {
    scratch::ready(|scratch| async move {
        scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::first());
        let acme = provisioner
            .create_at(tenant("acme"), on_n2())
            .await
            .unwrap();
        let new = NewLane {
            node: on_n2().node,
            ..NewLane::default()
        };
        let other = provisioner.add_lane(new).await.unwrap().login;
        // Its connections to the node look like those of the dead.
        drop(provisioner);
        let mut killer = Killer::new();
        let lanes = [acme.tenant.lane, other];

        for n in 0..FEWER {
            let to = &lanes[(n as usize + 1) % 2];
            let again = || tubex(&scratch, &["lane", "move", "acme", "--to", to]);
            killer.kill(&scratch, again(), n).await;
            wait_for_the_dead(&scratch).await;
            // Wherever it was cut, the lane that the directory says may become the tenant.
            let may = "SELECT FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
                       WHERE pg_has_role(l.login_role, t.schema_name, 'MEMBER')";
            assert_eq!(scratch.count(may).await, 1);
            if n % 4 == 0 {
                assert!(again().status().unwrap().success());
                scratch.assert_memberships().await;
            }
        }

        let killed = killer.killed;
        assert!(killed >= 4, "only {killed} were killed in the middle");
        assert!(
            tubex(
                &scratch,
                &[
                    "platform",
                    "migrate",
                    "--server-role",
                    scratch.server_role.as_str()
                ]
            )
            .status()
            .unwrap()
            .success()
        );
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn a_killed_retirement_is_finished_by_doing_it_again() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        scratch.run("UPDATE platform.lane SET capacity = 4").await;
        let mut killer = Killer::new();
        for n in 0..4 {
            provisioner
                .create(tenant(&format!("shop-{n}")))
                .await
                .unwrap();
        }

        for n in 0..FEWER {
            let next = "SELECT login_role FROM platform.lane
                        ORDER BY state = 'retiring' DESC, created_at LIMIT 1";
            let lane = scratch.column::<String>(next).await.remove(0);
            killer
                .kill(&scratch, tubex(&scratch, &["lane", "retire", &lane]), n)
                .await;
            wait_for_the_dead(&scratch).await;
            scratch.assert_memberships().await;
        }

        let killed = killer.killed;
        assert!(killed >= 4, "only {killed} were killed in the middle");
        let open = "SELECT login_role FROM platform.lane WHERE state = 'retiring'";
        for lane in scratch.column::<String>(open).await {
            let done = tubex(&scratch, &["lane", "retire", &lane])
                .status()
                .unwrap();
            assert!(done.success(), "{done}");
        }
        scratch.assert_memberships().await;
        scratch.assert_no_orphans().await;
        let retiring = scratch.column::<String>(open).await;
        assert!(retiring.is_empty(), "{retiring:?}");
        assert_eq!(strangers(&scratch).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_killed_creation_elsewhere_is_taken_over_by_the_next() {
    const HERE: u64 = 10;
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let elsewhere = |n: u64| {
            let mut command = creation(&scratch, &format!("shop-{n}"));
            command.args(["--node", "n2"]);
            command
        };
        let mut killer = Killer::new();

        for n in 0..HERE {
            killer.kill(&scratch, elsewhere(n), n).await;
        }
        wait_for_the_dead(&scratch).await;
        let complete = "SELECT FROM platform.tenant WHERE status = 'active'";
        let survived = scratch.count(complete).await;
        scratch.assert_memberships().await;
        for n in 0..HERE {
            let status = elsewhere(n).status().unwrap();
            assert!(matches!(status.code(), Some(0 | 1)), "{status}");
        }

        let killed = killer.killed;
        assert!(
            survived < HERE as i64 && killed >= 4,
            "only {killed} were killed in the middle"
        );
        assert_eq!(scratch.count(complete).await, HERE as i64);
        scratch.assert_memberships().await;
        let schemas: Vec<String> = Scratch::column_of(
            &other.db,
            "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_' ORDER BY 1",
        )
        .await;
        let listed: Vec<String> = scratch
            .column("SELECT schema_name FROM platform.tenant ORDER BY 1")
            .await;
        assert_eq!(schemas, listed);
        let owners = format!(
            "SELECT count(*) FROM ({}) owner",
            schemas
                .iter()
                .map(|schema| format!("SELECT FROM {schema}.member"))
                .collect::<Vec<_>>()
                .join(" UNION ALL ")
        );
        assert_eq!(
            Scratch::column_of::<i64>(&other.db, &owners).await,
            [HERE as i64]
        );
    })
    .await;
}

fn on_n2() -> Placement {
    Placement {
        node: Some(Label::parse("n2").unwrap()),
        ..Placement::default()
    }
}

/// Kills commands of one kind at moments spread over their lives, whatever a life takes on this
/// machine.
pub(crate) struct Killer {
    /// How long a command works in the database; learnt from those that got away or held out.
    life: Duration,
    pub(crate) killed: u64,
}

impl Killer {
    pub(crate) fn new() -> Self {
        Self {
            life: Duration::from_millis(40),
            killed: 0,
        }
    }

    pub(crate) async fn kill(&mut self, scratch: &Scratch, mut command: Command, n: u64) {
        let mut child = command.spawn().unwrap();
        wait_for_its_transaction(scratch, &mut child).await;
        // In an order without a pattern, commit included.
        let (begun, moment) = (Instant::now(), n * 7919 % TRIES);
        let patience = self.life * u32::try_from(moment).unwrap() / u32::try_from(TRIES).unwrap();
        while begun.elapsed() < patience {
            if child.try_wait().unwrap().is_some() {
                self.life = begun.elapsed();
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let _ = child.kill();
        if child.wait().unwrap().code().is_none() {
            self.killed += 1;
            if moment * 4 > TRIES * 3 {
                self.life = self.life * 3 / 2;
            }
        }
    }
}

/// Logins of lanes that may connect here and that the directory does not know.
async fn strangers(scratch: &Scratch) -> i64 {
    scratch
        .count(
            "SELECT FROM pg_database d, aclexplode(d.datacl) a
             WHERE d.datname = current_database() AND a.grantee <> 0
                 AND pg_get_userbyid(a.grantee) ~ '^lane_' AND pg_get_userbyid(a.grantee)
                     NOT IN (SELECT login_role FROM platform.lane)",
        )
        .await
}

pub(crate) fn tubex(scratch: &Scratch, args: &[&str]) -> Command {
    let mut command = scratch.tubex();
    command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

pub(crate) fn creation(scratch: &Scratch, slug: &str) -> Command {
    let mut command = scratch.tubex();
    command
        .args([
            "tenant",
            "create",
            slug,
            "--name",
            slug,
            "--owner-email",
            "owner@example.com",
        ])
        .env("TUBEX_OWNER_PASSWORD", "long enough for a test")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Until it works in the database, or has ended.
async fn wait_for_its_transaction(scratch: &Scratch, child: &mut Child) {
    let at_work = "SELECT FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'tubex'
                       AND xact_start IS NOT NULL";
    while scratch.count(at_work).await == 0 && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A backend notices only at its next read that its client is gone.
pub(crate) async fn wait_for_the_dead(scratch: &Scratch) {
    let databases = "SELECT current_database() UNION ALL
                     SELECT database FROM platform.node WHERE database IS NOT NULL";
    let alive = format!(
        "SELECT FROM pg_stat_activity
         WHERE datname IN ({databases}) AND application_name = 'tubex'"
    );
    while scratch.count(&alive).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All tenants have the same tables, and stand at the same version.
async fn assert_all_alike(scratch: &Scratch) {
    let shapes = "SELECT DISTINCT t.schema_version, (
                      SELECT string_agg(c.relname || c.relkind::text, ',' ORDER BY c.relname)
                      FROM pg_class c
                      WHERE c.relnamespace = t.schema_name::regnamespace)
                  FROM platform.tenant t";
    assert!(scratch.count(shapes).await <= 1);
}
