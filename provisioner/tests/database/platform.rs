//! The platform comes to head once, however often and from wherever it is asked to.

use migration::PlatformMigrator;
use provisioner::RoleName;
use provisioner::platform::{self, PlatformError};

use crate::scratch;
use crate::toy::{Toy, tenant};

#[tokio::test]
async fn the_second_time_changes_nothing() {
    scratch::empty(|scratch| async move {
        let first = scratch.migrate_platform().await;
        let rights = "SELECT relname || coalesce(relacl::text, '') FROM pg_class
                      WHERE relnamespace = 'platform'::regnamespace ORDER BY 1";
        let before: Vec<String> = scratch.column(rights).await;

        let second = scratch.migrate_platform().await;

        assert!(!first.applied.is_empty() && !first.fence.closed.is_empty());
        assert!(second.applied.is_empty() && second.fence.closed.is_empty());
        assert!(second.fence.gaps.is_empty());
        assert_eq!(second.lanes, first.lanes);
        assert_eq!(scratch.column::<String>(rights).await, before);
    })
    .await;
}

#[tokio::test]
async fn two_at_once_queue_up() {
    scratch::empty(|scratch| async move {
        let (one, two) = tokio::join!(scratch.migrate_platform(), scratch.migrate_platform());

        assert_eq!(one.lanes, two.lanes);
        assert!(one.applied.is_empty() != two.applied.is_empty());
        assert_eq!(scratch.count("SELECT FROM platform.node").await, 1);
    })
    .await;
}

#[tokio::test]
async fn databases_of_one_cluster_can_share_the_servers_role() {
    let shared = format!("shared_{}", uuid::Uuid::now_v7().simple());
    let role = RoleName::parse(&shared).unwrap();
    scratch::empty(|one| async move {
        scratch::empty(|two| async move {
            let options = |scratch: &scratch::Scratch| platform::PlatformOptions {
                server_role: role.clone(),
                ..scratch.platform_options()
            };
            for _ in 0..3 {
                let (here, there) = tokio::join!(
                    platform::migrate(&one.db, PlatformMigrator, options(&one)),
                    platform::migrate(&two.db, PlatformMigrator, options(&two)),
                );
                here.unwrap();
                there.unwrap();
                // A password of somebody else's, so that both have something to mend next time.
                one.run(&format!("ALTER ROLE {role} PASSWORD 'wrong'"))
                    .await;
            }
            for scratch in [&one, &two] {
                scratch.run(&format!("DROP OWNED BY {role}")).await;
            }
            one.run(&format!("DROP ROLE {role}")).await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn logins_that_the_cluster_lost_are_made_again() {
    scratch::ready(|scratch| async move {
        let lane = scratch
            .column::<String>("SELECT login_role FROM platform.lane")
            .await
            .remove(0);
        scratch
            .run(&format!("DROP OWNED BY {lane}; DROP ROLE {lane}"))
            .await;

        scratch.migrate_platform().await;

        scratch.log_in(&lane).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn change_marks_of_another_cluster_are_set_anew() {
    scratch::ready(|scratch| async move {
        for slug in ["acme", "bolt"] {
            scratch
                .provisioner(Toy::first())
                .create(tenant(slug))
                .await
                .unwrap();
        }
        // As a dump brings them along: its restoring fires no trigger.
        scratch
            .run(
                "SET session_replication_role = replica;
                 UPDATE platform.tenant SET changed_xid = '99999999999' WHERE slug = 'acme';
                 UPDATE platform.directory_mark SET changed_xid = '99999999999';
                 RESET session_replication_role",
            )
            .await;

        let mended = scratch.migrate_platform().await.marks_mended;
        let again = scratch.migrate_platform().await.marks_mended;

        assert_eq!((mended, again), (2, 0));
        let ahead = "SELECT changed_xid FROM platform.tenant
                     UNION ALL SELECT changed_xid FROM platform.directory_mark";
        let ahead = format!("SELECT FROM ({ahead}) m WHERE changed_xid > pg_current_xact_id()");
        assert_eq!(scratch.count(&ahead).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_mighty_role_is_not_made_a_login() {
    scratch::empty(|scratch| async move {
        scratch
            .run(&format!("CREATE ROLE {} SUPERUSER", scratch.server_role))
            .await;

        let options = scratch.platform_options();
        let error = platform::migrate(&scratch.db, PlatformMigrator, options)
            .await
            .unwrap_err();

        assert!(matches!(error, PlatformError::Lane(_)), "{error:?}");
        assert_eq!(
            scratch
                .count("SELECT WHERE to_regnamespace('platform') IS NULL")
                .await,
            1
        );
    })
    .await;
}

#[tokio::test]
async fn a_weak_secret_is_refused() {
    scratch::empty(|scratch| async move {
        let options = platform::PlatformOptions {
            secret: "short".into(),
            ..scratch.platform_options()
        };

        let error = platform::migrate(&scratch.db, PlatformMigrator, options)
            .await
            .unwrap_err();

        assert!(matches!(error, PlatformError::Secret(_)), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn every_step_can_be_taken_back() {
    use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
    use sea_orm_migration::MigratorTrait as _;

    scratch::ready(|scratch| async move {
        let tx = scratch.db.begin().await.unwrap();
        tx.execute_unprepared("SET LOCAL search_path = platform, pg_temp")
            .await
            .unwrap();
        PlatformMigrator::down(&tx, None).await.unwrap();
        PlatformMigrator::up(&tx, None).await.unwrap();
        tx.rollback().await.unwrap();

        scratch
            .provisioner(Toy::first())
            .create(tenant("acme"))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_owner_without_superuser_needs_the_remedy_once_and_then_nobody() {
    scratch::empty(|scratch| async move {
        let owner = format!("owner_{}", uuid::Uuid::now_v7().simple());
        let database = &scratch.name;
        let password = provisioner::login_password(&scratch::secret(), &owner);
        let password = secrecy::ExposeSecret::expose_secret(&password);
        scratch
            .run(&format!(
                "CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD '{password}';
                 ALTER DATABASE {database} OWNER TO {owner}"
            ))
            .await;
        let as_owner = scratch.log_in_pooled(&owner);
        let migrate =
            || platform::migrate(&as_owner, PlatformMigrator, scratch.platform_options());

        let PlatformError::Fence(report) = migrate().await.unwrap_err() else {
            panic!("the fence should have had gaps");
        };
        scratch.run(&report.remedy()).await;
        migrate().await.unwrap();
        let product = provisioner::Provisioner::new(as_owner, scratch::secret(), Toy::first());
        product.create(tenant("ours")).await.unwrap();
        // A superuser who helps out makes the same thing: all belongs to the owner.
        scratch.provisioner(Toy::first()).create(tenant("theirs")).await.unwrap();

        let owners: Vec<String> = scratch
            .column(
                "SELECT DISTINCT c.relowner::regrole::text FROM pg_class c
                 JOIN platform.tenant t ON c.relnamespace = t.schema_name::regnamespace",
            )
            .await;
        assert_eq!(owners, std::slice::from_ref(&owner));
        scratch.assert_no_orphans().await;
        drop(product);
        scratch
            .run(&format!("ALTER DATABASE {database} OWNER TO CURRENT_USER"))
            .await;
        scratch.run(&format!("REASSIGN OWNED BY {owner} TO CURRENT_USER; DROP OWNED BY {owner}; DROP ROLE {owner}")).await;
    })
    .await;
}
