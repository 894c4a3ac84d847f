//! `kill -9` at any moment of a spare's life: made, removed, or becoming somebody.

use super::{assert_consistent, schemas};
use crate::kill::{Killer, creation, tubex, wait_for_the_dead};
use crate::scratch::{self, Scratch};

const ENOUGH: u64 = 10;
/// More tries than it takes; some come too late.
const TRIES: u64 = 60;

#[tokio::test]
async fn a_killed_keeper_leaves_whole_spares_and_the_next_goes_on() {
    scratch::ready(|scratch| async move {
        let mut killer = Killer::new();

        for n in 0..TRIES {
            if killer.killed >= ENOUGH {
                break;
            }
            wake(&scratch).await;
            // Each third time there are too many.
            let keep = if n % 3 == 2 { "1" } else { "9" };
            say_goal(&scratch, keep, &[]);
            killer
                .kill(&scratch, tubex(&scratch, &["spares", "run"]), n)
                .await;
            wait_for_the_dead(&scratch).await;
            assert_consistent(&scratch).await;
        }

        assert!(
            killer.killed >= ENOUGH,
            "only {} were killed",
            killer.killed
        );
        for keep in [4, 2] {
            bring_to(&scratch, keep, &[]).await;
            let spares = "SELECT FROM platform.tenant WHERE status = 'spare'";
            assert_eq!(scratch.count(spares).await, keep);
            assert_consistent(&scratch).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_keeper_killed_elsewhere_leaves_what_the_next_finishes() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let on_n2 = ["--node", "n2"];
        let mut killer = Killer::new();

        for n in 0..TRIES {
            if killer.killed >= ENOUGH {
                break;
            }
            wake(&scratch).await;
            let keep = if n % 3 == 2 { "1" } else { "9" };
            say_goal(&scratch, keep, &on_n2);
            killer
                .kill(&scratch, tubex(&scratch, &["spares", "run"]), n)
                .await;
            wait_for_the_dead(&scratch).await;
            scratch.assert_memberships().await;
        }

        assert!(
            killer.killed >= ENOUGH,
            "only {} were killed",
            killer.killed
        );
        for keep in [4, 2, 0] {
            bring_to(&scratch, keep, &on_n2).await;
            assert_eq!(scratch.count("SELECT FROM platform.tenant").await, keep);
            assert_eq!(schemas(&other).await, listed(&scratch).await);
            assert_eq!(roles(&scratch).await, keep);
            scratch.assert_memberships().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_killed_creation_from_a_spare_leaves_a_spare_or_a_tenant() {
    scratch::ready(|scratch| async move {
        let mut killer = Killer::new();

        for n in 0..TRIES {
            if killer.killed >= ENOUGH {
                break;
            }
            if scratch.count(&spares()).await == 0 {
                bring_to(&scratch, 3, &[]).await;
            }
            killer
                .kill(&scratch, creation(&scratch, &format!("shop-{n}")), n)
                .await;
            wait_for_the_dead(&scratch).await;
        }

        assert!(
            killer.killed >= ENOUGH,
            "only {} were killed",
            killer.killed
        );
        assert_consistent(&scratch).await;
        let names = "SELECT FROM platform.tenant
                     WHERE (status = 'spare') <> (slug = 'spare-' || substr(schema_name, 3))
                         OR status NOT IN ('spare', 'active')";
        assert_eq!(scratch.count(names).await, 0);
        assert_filled(&scratch, &scratch.db).await;
    })
    .await;
}

#[tokio::test]
async fn a_creation_killed_elsewhere_is_taken_over_though_it_had_a_spare() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let elsewhere = |n: u64| {
            let mut command = creation(&scratch, &format!("shop-{n}"));
            command.args(["--node", "n2"]);
            command
        };
        let mut killer = Killer::new();
        let mut tried = 0;

        for n in 0..TRIES {
            if killer.killed >= ENOUGH {
                break;
            }
            if scratch.count(&spares()).await == 0 {
                bring_to(&scratch, 3, &["--node", "n2"]).await;
            }
            killer.kill(&scratch, elsewhere(n), n).await;
            wait_for_the_dead(&scratch).await;
            tried = n;
        }
        scratch.assert_memberships().await;
        for n in 0..=tried {
            let status = elsewhere(n).status().unwrap();
            assert!(matches!(status.code(), Some(0 | 1)), "{status}");
        }

        assert!(
            killer.killed >= ENOUGH,
            "only {} were killed",
            killer.killed
        );
        let active = "SELECT FROM platform.tenant WHERE status = 'active'";
        assert_eq!(scratch.count(active).await, tried as i64 + 1);
        assert_eq!(schemas(&other).await, listed(&scratch).await);
        assert_filled(&scratch, &other.db).await;
        scratch.assert_memberships().await;
    })
    .await;
}

/// Nobody rests any more.
async fn wake(scratch: &Scratch) {
    scratch
        .run("UPDATE platform.spare_goal SET not_before = NULL")
        .await;
}

fn say_goal(scratch: &Scratch, keep: &str, place: &[&str]) {
    let words = [&["spares", "--keep", keep, "--no-fill"], place].concat();
    assert!(tubex(scratch, &words).status().unwrap().success());
}

async fn bring_to(scratch: &Scratch, keep: i64, place: &[&str]) {
    wake(scratch).await;
    let keep = keep.to_string();
    let words = [&["spares", "--keep", &keep], place].concat();
    assert!(tubex(scratch, &words).status().unwrap().success());
}

fn spares() -> String {
    "SELECT FROM platform.tenant WHERE status = 'spare'".to_owned()
}

/// Says that a tenant has its one owner, and a spare not a single row.
async fn assert_filled(scratch: &Scratch, node: &sea_orm::DatabaseConnection) {
    for (status, owners) in [("spare", 0_i64), ("active", 1)] {
        let of_status =
            format!("SELECT schema_name FROM platform.tenant WHERE status = '{status}'");
        for schema in scratch.column::<String>(&of_status).await {
            let rows = format!(
                "SELECT count(*) FROM {schema}.member UNION ALL
                 SELECT count(*) FROM {schema}.setting"
            );
            let rows: Vec<i64> = Scratch::column_of(node, &rows).await;
            assert_eq!(rows, [owners, owners], "{status}");
        }
    }
}

async fn listed(scratch: &Scratch) -> Vec<String> {
    scratch
        .column("SELECT schema_name FROM platform.tenant ORDER BY 1")
        .await
}

/// How many roles of tenants the lanes of this platform may become.
async fn roles(scratch: &Scratch) -> i64 {
    scratch
        .count(
            "SELECT DISTINCT m.roleid FROM pg_auth_members m
             JOIN platform.lane l ON m.member = to_regrole(l.login_role)",
        )
        .await
}
