//! A rehearsal that is killed leaves clones that the next one knows for what they are.

use std::collections::BTreeSet;

use provisioner::rehearse::RehearseOptions;
use sqlx::Executor as _;

use crate::dealers::OlderDealers;
use crate::kill::{Killer, tubex, wait_for_the_dead};
use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};

const KILLS: u64 = 8;

/// Schemas here that carry a rehearsal's mark.
async fn marked(scratch: &Scratch) -> Vec<String> {
    scratch
        .column(
            "SELECT n.nspname::text FROM pg_description d JOIN pg_namespace n ON n.oid = d.objoid
             WHERE d.classoid = 'pg_namespace'::regclass
                 AND d.description LIKE 'tubex rehearsal %' ORDER BY 1",
        )
        .await
}

#[tokio::test]
async fn a_killed_rehearsal_leaves_what_the_next_one_removes() {
    scratch::ready(|scratch| async move {
        let old = scratch.provisioner_of(OlderDealers::knowing(2));
        for n in 0..4 {
            let mut new = tenant(&format!("dealer-{n}"));
            new.seeds = vec!["demo".to_owned()];
            old.create(new).await.unwrap();
        }
        let mut killer = Killer::new();
        let mut left = BTreeSet::new();
        let mut rounds = 0;
        while killer.killed < KILLS || left.is_empty() {
            rounds += 1;
            assert!(rounds < 20 * KILLS, "nobody can be killed in the middle");
            killer
                .kill(&scratch, tubex(&scratch, &["rehearse"]), rounds)
                .await;
            wait_for_the_dead(&scratch).await;
            left.extend(marked(&scratch).await);
        }

        let last = scratch.tubex().arg("rehearse").output().unwrap();

        assert_eq!(last.status.code(), Some(0), "{last:?}");
        let said = String::from_utf8(last.stdout).unwrap();
        assert!(said.contains("to be expected of all 4"), "{said}");
        assert_eq!(marked(&scratch).await, Vec::<String>::new());
        scratch.assert_no_orphans().await;
        for role in left {
            let is_there = format!("SELECT WHERE to_regrole('{role}') IS NOT NULL");
            assert_eq!(scratch.count(&is_there).await, 0, "{role}");
        }
        let moved = "SELECT FROM platform.tenant WHERE schema_version <> 'm0002_catalogue'";
        assert_eq!(scratch.count(moved).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_clone_of_a_living_rehearsal_is_left_alone_and_so_is_a_tenant_with_its_mark() {
    scratch::ready(|scratch| async move {
        let schema = scratch
            .provisioner(Toy::first())
            .create(tenant("acme"))
            .await
            .unwrap()
            .tenant
            .schema_name;
        let clone = "t_00000000000000aa";
        let mark = "tubex rehearsal 00000000-0000-0000-0000-0000000000aa";
        scratch
            .run(&format!(
                "CREATE SCHEMA {clone}; COMMENT ON SCHEMA {clone} IS '{mark}';
                 COMMENT ON SCHEMA {schema} IS '{mark}'"
            ))
            .await;
        let pool = scratch.single_connection();
        let mut alive = pool
            .get_postgres_connection_pool()
            .acquire()
            .await
            .unwrap()
            .detach();
        let lock = format!("SELECT pg_advisory_lock(hashtextextended('{mark}', 0))");
        alive
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(lock)))
            .await
            .unwrap();
        let provisioner = scratch.provisioner(Toy::first());

        provisioner
            .rehearse(RehearseOptions::default(), "test")
            .await
            .unwrap();
        assert_eq!(marked(&scratch).await.len(), 2);

        sqlx::Connection::close(alive).await.unwrap();
        provisioner
            .rehearse(RehearseOptions::default(), "test")
            .await
            .unwrap();
        assert_eq!(marked(&scratch).await, [schema]);
    })
    .await;
}
