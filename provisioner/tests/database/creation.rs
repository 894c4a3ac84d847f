//! A tenant is there completely, or not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use provisioner::{CreateError, LaneOptions, ListTenants, SeedError};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use sqlx::postgres::PgListener;

use crate::scratch::{self, Scratch};
use crate::toy::{AtBirth, Toy, tenant};

#[tokio::test]
async fn a_new_tenant_is_active_at_head_and_listed() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::second());

        let created = provisioner.create(tenant("acme")).await.unwrap().tenant;

        assert_eq!(created.schema_version, "w0002_unique");
        assert_eq!(provisioner.show("acme").await.unwrap(), created);
        assert_eq!(
            provisioner.show(&created.id.to_string()).await.unwrap(),
            created
        );
        let folded: Vec<String> = scratch
            .column(&format!(
                "SELECT folded FROM {}.widget",
                created.schema_name
            ))
            .await;
        assert_eq!(folded, ["armel kurz"]);
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_by_slug() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        for slug in ["cc", "aa", "bb"] {
            provisioner.create(tenant(slug)).await.unwrap();
        }

        let first = provisioner
            .list(&ListTenants {
                limit: 2,
                ..Default::default()
            })
            .await;
        let first = first.unwrap();
        let second = ListTenants {
            after: first.next.clone(),
            ..Default::default()
        };
        let second = provisioner.list(&second).await.unwrap();

        let slugs: Vec<_> = first
            .tenants
            .iter()
            .map(|tenant| tenant.slug.as_str())
            .collect();
        assert_eq!(slugs, ["aa", "bb"]);
        assert_eq!(first.next.as_deref(), Some("bb"));
        assert_eq!(second.tenants.len(), 1);
        assert_eq!(second.next, None);
    })
    .await;
}

#[tokio::test]
async fn a_seed_that_fails_leaves_nothing() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first().at_birth(AtBirth::SeedFails));

        let error = provisioner.create(tenant("acme")).await.unwrap_err();

        assert!(
            matches!(error, CreateError::Seed(SeedError::UnknownSeed { .. })),
            "{error:?}"
        );
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 0);
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_seed_that_panics_leaves_nothing() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first().at_birth(AtBirth::SeedPanics));

        let outcome = tokio::spawn(async move { provisioner.create(tenant("acme")).await }).await;

        assert!(outcome.unwrap_err().is_panic());
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 0);
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    scratch::ready(|scratch| async move {
        let error = scratch
            .provisioner(Toy::broken())
            .create(tenant("acme"))
            .await
            .unwrap_err();

        assert!(matches!(error, CreateError::Migration(_)), "{error:?}");
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_stop_the_work() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());

        for n in 0..20 {
            let creation = provisioner.create(tenant(&format!("shop-{n}")));
            let _ = tokio::time::timeout(Duration::from_millis(n), creation).await;
        }

        // Every work that was begun comes to its end, and then all twenty are there.
        while scratch.count("SELECT FROM platform.tenant").await < 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        scratch.assert_no_orphans().await;
        assert_clean(&scratch.db).await;
    })
    .await;
}

#[tokio::test]
async fn of_two_creations_of_one_slug_one_wins() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());

        let (one, two) = tokio::join!(
            provisioner.create(tenant("acme")),
            provisioner.create(tenant("acme"))
        );

        let lost = match (one, two) {
            (Ok(_), Err(lost)) | (Err(lost), Ok(_)) => lost,
            both => panic!("one should have won: {both:?}"),
        };
        assert!(matches!(lost, CreateError::SlugTaken(_)), "{lost:?}");
        assert_eq!(scratch.count("SELECT FROM platform.tenant").await, 1);
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn a_full_lane_makes_room_with_another() {
    scratch::ready(|scratch| async move {
        scratch.run("UPDATE platform.lane SET capacity = 2").await;
        let lanes = LaneOptions {
            width: 3,
            capacity: 2,
        };
        let provisioner = scratch.provisioner_with_lanes(Toy::first(), lanes);

        let creations = (0..5).map(|n| {
            let provisioner = provisioner.clone();
            tokio::spawn(async move { provisioner.create(tenant(&format!("shop-{n}"))).await })
        });
        for creation in creations.collect::<Vec<_>>() {
            creation.await.unwrap().unwrap();
        }

        let held: Vec<i64> = scratch
            .column("SELECT count(*) FROM platform.tenant GROUP BY lane_id ORDER BY 1 DESC")
            .await;
        assert_eq!(held, [2, 2, 1]);
        let widths: Vec<i32> = scratch
            .column("SELECT width FROM platform.lane ORDER BY 1")
            .await;
        assert_eq!(widths, [3, 3, 4]);
        for login in scratch
            .column::<String>("SELECT login_role FROM platform.lane")
            .await
        {
            scratch.log_in(&login).await.unwrap();
        }
        scratch.assert_no_orphans().await;
    })
    .await;
}

#[tokio::test]
async fn tenants_go_to_the_emptiest_lane_and_never_to_a_dedicated_one() {
    scratch::ready(|scratch| async move {
        let provisioner = scratch.provisioner(Toy::first());
        scratch.run("UPDATE platform.lane SET capacity = 1").await;
        provisioner.create(tenant("one")).await.unwrap();
        let second = provisioner.create(tenant("two")).await.unwrap().tenant.lane;
        scratch.run("UPDATE platform.lane SET capacity = 500").await;
        scratch
            .run(&format!(
                "UPDATE platform.lane SET dedicated = true WHERE login_role = '{second}'"
            ))
            .await;

        let third = provisioner
            .create(tenant("three"))
            .await
            .unwrap()
            .tenant
            .lane;

        assert_ne!(third, second);
    })
    .await;
}

#[tokio::test]
async fn nothing_stays_on_the_session() {
    scratch::ready(|scratch| async move {
        let db = scratch.single_connection();
        let make = |toy| provisioner::Provisioner::new(db.clone(), scratch::secret(), toy);
        let before = session(&db).await;

        make(Toy::first()).create(tenant("acme")).await.unwrap();
        let after_success = session(&db).await;
        make(Toy::broken())
            .create(tenant("other"))
            .await
            .unwrap_err();
        let after_failure = session(&db).await;

        assert_eq!(after_success, before);
        assert_eq!(after_failure, before);
        assert_clean(&db).await;
    })
    .await;
}

#[tokio::test]
async fn servers_hear_of_a_new_tenant() {
    scratch::ready(|scratch| async move {
        let mut listener = listen(&scratch).await;

        let created = scratch
            .provisioner(Toy::first())
            .create(tenant("acme"))
            .await
            .unwrap();

        let heard = tokio::time::timeout(Duration::from_secs(5), listener.recv()).await;
        assert_eq!(
            heard.unwrap().unwrap().payload(),
            created.tenant.id.to_string()
        );
        scratch.run("UPDATE platform.lane SET width = 5").await;
        let heard = tokio::time::timeout(Duration::from_secs(5), listener.recv()).await;
        assert_eq!(heard.unwrap().unwrap().payload(), "*");
    })
    .await;
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_called_so() {
    scratch::empty(|scratch| async move {
        let mut new = tenant("acme");
        new.settings = BTreeMap::from([("any".to_owned(), "thing".to_owned())]);

        let error = scratch
            .provisioner(Toy::first())
            .create(new)
            .await
            .unwrap_err();

        assert!(matches!(error, CreateError::NoPlatform(_)), "{error:?}");
    })
    .await;
}

async fn listen(scratch: &Scratch) -> PgListener {
    let server = scratch.log_in_pooled(scratch.server_role.as_str());
    let mut listener = PgListener::connect_with(server.get_postgres_connection_pool())
        .await
        .unwrap();
    listener.listen("tubex_directory").await.unwrap();
    listener
}

/// Everything that a transaction could have left behind.
async fn session(db: &sea_orm::DatabaseConnection) -> String {
    let sql = "SELECT format('%s|%s|%s|%s|%s', current_user, current_setting('role'),
                   current_setting('search_path'), current_setting('lock_timeout'),
                   current_setting('statement_timeout'))";
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await;
    row.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// No lock is held, and no connection waits inside of a transaction.
async fn assert_clean(db: &sea_orm::DatabaseConnection) {
    let sql = "SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
               + (SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND state LIKE 'idle in transaction%')";
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await;
    assert_eq!(row.unwrap().unwrap().try_get_by_index::<i64>(0).unwrap(), 0);
}
