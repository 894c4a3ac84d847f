//! A tenant beside another one, as that one was at one moment.

use provisioner::copy::{CopyError, NewClone, People};
use provisioner::{CreateError, Placement, Slug};
use sea_orm::ConnectionTrait as _;

use crate::export::{fill, on_n2};
use crate::scratch::{self, Scratch};
use crate::toy::{Toy, tenant};

fn clone(from: &str, to: &str, people: People) -> NewClone {
    NewClone {
        from: from.to_owned(),
        slug: Slug::parse(to).unwrap(),
        name: None,
        people,
        at: Placement::default(),
        actor: "test".to_owned(),
    }
}

#[tokio::test]
async fn a_clone_has_all_rows_and_lives_on_the_same_node() {
    scratch::ready(|scratch| async move {
        let other = scratch.second_node().await;
        let provisioner = scratch.provisioner_with_nodes(Toy::shelved());
        let here = provisioner.create(tenant("here")).await.unwrap().tenant;
        let there = provisioner
            .create_at(tenant("there"), on_n2())
            .await
            .unwrap()
            .tenant;

        for (db, from) in [(&scratch.db, here), (&other.db, there)] {
            fill(db, &from.schema_name).await;
            let to = format!("{}-two", from.slug);
            let copy = provisioner
                .clone_tenant(clone(&from.slug, &to, People::Kept))
                .await
                .unwrap();

            assert_eq!((copy.rows, &copy.tenant.node), (5006, &from.node));
            let (one, two) = (&from.schema_name, &copy.tenant.schema_name);
            for table in ["widget", "shelf", "\"Odd \"\"table/\""] {
                let differing = format!(
                    "SELECT count(*) FROM (
                         (TABLE {one}.{table} EXCEPT TABLE {two}.{table})
                         UNION ALL (TABLE {two}.{table} EXCEPT TABLE {one}.{table})) differing"
                );
                assert_eq!(Scratch::column_of::<i64>(db, &differing).await, [0]);
            }
            let next = format!("SELECT nextval('{two}.ticket')");
            assert_eq!(Scratch::column_of::<i64>(db, &next).await, [7]);
        }
        scratch.assert_memberships().await;
    })
    .await;
}

#[tokio::test]
async fn an_anonymised_clone_is_at_head_and_knows_no_names() {
    scratch::ready(|scratch| async move {
        let old = scratch.provisioner(Toy::shelved());
        let acme = old.create(tenant("acme")).await.unwrap().tenant;
        fill(&scratch.db, &acme.schema_name).await;
        let new = scratch.provisioner(Toy::higher());

        let copy = new
            .clone_tenant(clone("acme", "copy", People::Anonymised))
            .await
            .unwrap()
            .tenant;

        assert_eq!(copy.schema_version, "w0003_higher");
        let named = format!(
            "SELECT FROM {}.widget WHERE name <> 'widget ' || id",
            copy.schema_name
        );
        assert_eq!(scratch.count(&named).await, 0);
        let kept = format!(
            "SELECT FROM {}.widget WHERE name LIKE 'widget%'",
            acme.schema_name
        );
        assert_eq!(scratch.count(&kept).await, 0);
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_clone_is_of_one_moment_while_others_write() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::shelved());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        let schema = acme.schema_name.clone();
        // A widget and its shelf, always both in one transaction.
        let writer = tokio::spawn({
            let db = scratch.db.clone();
            async move {
                for n in 0..100_000_u32 {
                    let sql = format!(
                        "BEGIN; INSERT INTO {schema}.widget (name) VALUES ('pair');
                         INSERT INTO {schema}.shelf (id, note)
                         VALUES (gen_random_uuid(), '\"pair {n}\"'); COMMIT"
                    );
                    if db.execute_unprepared(&sql).await.is_err() {
                        break;
                    }
                }
            }
        });
        while scratch
            .count(&format!("SELECT FROM {}.shelf LIMIT 20", acme.schema_name))
            .await
            < 20
        {
            tokio::task::yield_now().await;
        }

        for n in 0..3 {
            let copy = provisioner
                .clone_tenant(clone("acme", &format!("copy-{n}"), People::Kept))
                .await
                .unwrap()
                .tenant;
            let schema = copy.schema_name;
            let widgets = scratch
                .count(&format!("SELECT FROM {schema}.widget WHERE name = 'pair'"))
                .await;
            let shelves = scratch
                .count(&format!(
                    "SELECT FROM {schema}.shelf WHERE note #>> '{{}}' LIKE 'pair%'"
                ))
                .await;
            assert!(widgets >= 19, "{widgets}");
            assert_eq!(widgets, shelves);
        }
        writer.abort();
        let _ = writer.await;
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_clone_that_can_not_be_leaves_nothing() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::shelved());
        let acme = provisioner.create(tenant("acme")).await.unwrap().tenant;
        scratch
            .run(&format!(
                "ALTER TABLE {}.shelf ADD by_hand text",
                acme.schema_name
            ))
            .await;

        let changed = provisioner
            .clone_tenant(clone("acme", "copy", People::Kept))
            .await
            .unwrap_err();
        let nobody = provisioner
            .clone_tenant(clone("nobody", "copy", People::Kept))
            .await
            .unwrap_err();
        let taken = provisioner
            .clone_tenant(clone("acme", "acme", People::Kept))
            .await
            .unwrap_err();

        assert!(
            matches!(changed, CopyError::Structure { .. }),
            "{changed:?}"
        );
        assert!(matches!(nobody, CopyError::NotFound(_)), "{nobody:?}");
        assert!(
            matches!(taken, CopyError::Create(CreateError::SlugTaken(_))),
            "{taken:?}"
        );
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 1);
        scratch.assert_no_orphans().await;
    })
    .await;
}
