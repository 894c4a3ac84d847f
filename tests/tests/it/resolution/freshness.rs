//! The directory in memory follows the one in the database.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use server::db::{TenantDb, TenantTx};
use tests::{Reply, TestApp, eventually};

/// Column, value, and what a dealer in that state is answered.
const STATES: [(&str, &str, u16, &str); 7] = [
    ("status", "provisioning", 503, "tenant_provisioning"),
    ("status", "suspended", 403, "tenant_suspended"),
    ("status", "past_grace", 402, "tenant_past_grace"),
    ("status", "archived", 410, "tenant_closed"),
    ("status", "gone", 410, "tenant_closed"),
    ("status", "active", 200, ""),
    ("schema_version", "m0001_team", 503, "tenant_upgrading"),
];

#[actix_web::test]
async fn every_state_of_a_dealer_has_its_answer_and_is_soon_known() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);

    for (column, value, status, code) in STATES {
        app.sql(&format!(
            "UPDATE platform.tenant SET {column} = '{value}' WHERE slug = 'acme'"
        ))
        .await;
        eventually(value, async || acme.get("/items").await.status == status).await;

        let signed_out = acme.signed_out();
        let replies = [acme.get("/items").await, acme.get("/me").await];
        for reply in &replies {
            assert_eq!((reply.status.as_u16(), reply.problem()), (status, code));
            assert_eq!(is_worth_another_try(reply), status == 503, "{value}");
        }
        let sign_in = signed_out.sign_in(&acme.email, &acme.password).await;
        assert_eq!((sign_in.status.as_u16(), sign_in.problem()), (status, code));
        assert_eq!(signed_out.get("/").await.status, status, "{value}");
        assert_eq!(bolt.get("/items").await.status, 200, "{value}");
    }
}

#[actix_web::test]
async fn a_dealer_that_is_ahead_of_this_build_is_served() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    app.sql("UPDATE platform.tenant SET schema_version = 'm9999_later', name = 'Ahead'")
        .await;

    eventually("the change is known", async || {
        acme.get("/me").await.expect(200).json["dealer"]["name"] == "Ahead"
    })
    .await;
}

/// Neither is told of it; both ask every half second. Everything is read anew much later.
#[actix_web::test]
async fn a_change_whose_notification_was_lost_is_known_on_every_server() {
    let first = TestApp::start().await;
    let second = TestApp::start_on(first.database.clone(), &[]).await;
    let acme = first.dealer().await;
    let there = second.dealer().await;
    assert_eq!(acme.slug, there.slug);
    for table in ["tenant", "tenant_domain"] {
        first
            .sql(&format!(
                "ALTER TABLE platform.{table} DISABLE TRIGGER {table}_notify"
            ))
            .await;
    }

    for (status, answer) in [("suspended", 403), ("active", 200)] {
        first
            .sql(&format!(
                "UPDATE platform.tenant SET status = '{status}' WHERE slug = 'acme'"
            ))
            .await;
        eventually(status, async || {
            acme.get("/items").await.status == answer && there.get("/items").await.status == answer
        })
        .await;
    }
    first
        .sql(
            "INSERT INTO platform.tenant_domain (id, tenant_id, domain, verified_at)
             SELECT gen_random_uuid(), id, 'unheard.example', now() FROM platform.tenant
             WHERE slug = 'acme'",
        )
        .await;
    let at_domain = there.at("unheard.example");
    eventually("the domain is known", async || {
        at_domain.get("/items").await.status == 200
    })
    .await;
}

/// A change that commits late carries an id that is older than others already seen.
#[actix_web::test]
async fn a_change_that_was_made_early_and_committed_late_is_not_missed() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    app.sql("ALTER TABLE platform.tenant DISABLE TRIGGER tenant_notify")
        .await;
    let mut slow = app.database.connect().await;
    let suspend = "BEGIN; UPDATE platform.tenant SET status = 'suspended' WHERE slug = 'acme'";
    sqlx::raw_sql(suspend).execute(&mut slow).await.unwrap();

    app.sql("UPDATE platform.tenant SET status = 'suspended' WHERE slug = 'bolt'")
        .await;
    eventually("the later change is known", async || {
        bolt.get("/items").await.status == 403
    })
    .await;
    assert_eq!(acme.get("/items").await.status, 200);
    sqlx::raw_sql("COMMIT").execute(&mut slow).await.unwrap();

    eventually("the earlier change is known", async || {
        acme.get("/items").await.status == 403
    })
    .await;
}

/// Two versions of the schema at once are normal while a migration goes round.
#[actix_web::test]
async fn code_may_ask_whether_a_migration_has_reached_a_dealer() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    app.sql("UPDATE platform.tenant SET schema_version = 'm9999_later' WHERE slug = 'acme'")
        .await;
    eventually("the new version is known", async || {
        app.door(&acme).await.tenant().has("m9999_later")
    })
    .await;

    let behind = app.door(&bolt).await;

    assert!(behind.tenant().has("m0001_team"));
    assert!(behind.tenant().has("m0002_catalogue"));
    assert!(!behind.tenant().has("m9999_later"));
    for dealer in [&acme, &bolt] {
        assert_eq!(dealer.get("/items").await.status, 200, "{}", dealer.slug);
    }
}

#[actix_web::test]
async fn a_change_that_nobody_told_of_is_found_by_reading_anew() {
    let keys = [
        ("TUBEX_DATABASE__RECONCILE_SECONDS", "1"),
        ("TUBEX_DATABASE__POLL_MS", "60000"),
    ];
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;
    app.sql("ALTER TABLE platform.tenant DISABLE TRIGGER tenant_notify")
        .await;

    app.sql("UPDATE platform.tenant SET status = 'suspended' WHERE slug = 'acme'")
        .await;

    eventually("the suspension is known", async || {
        acme.get("/items").await.status == 403
    })
    .await;
}

#[actix_web::test]
async fn a_new_dealer_is_served_at_once_even_where_nobody_lived_a_moment_ago() {
    let app = TestApp::start().await;
    let early = app.stranger("fresh.localhost");
    assert_eq!(early.get("/").await.problem(), "tenant_unknown");

    let arguments = [
        "tenant",
        "create",
        "fresh",
        "--name",
        "Fresh",
        "--owner-email",
        "owner@fresh.example",
    ];
    let made = tests::tubex(
        &app.database.owner_url(),
        &arguments,
        &[("TUBEX_OWNER_PASSWORD", "a fine password for tests")],
    );
    assert!(made.status.success(), "{made:?}");

    eventually("the new dealer is served", async || {
        early.get("/").await.status == 200
    })
    .await;
    let owner = app.new_dealer().await;
    assert_eq!(
        owner.get("/me").await.json["dealer"]["slug"],
        owner.slug.as_str()
    );
}

#[actix_web::test]
async fn a_renamed_dealer_moves_and_takes_its_sessions_along() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    app.sql("UPDATE platform.tenant SET slug = 'apex' WHERE slug = 'acme'")
        .await;

    let moved = acme.at("apex.localhost");
    eventually("the new name is known", async || {
        moved.get("/items").await.status == 200
    })
    .await;
    assert_eq!(acme.get("/items").await.problem(), "tenant_unknown");
}

#[actix_web::test]
async fn two_dealers_that_swap_names_swap_hosts() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);

    app.sql(
        "BEGIN; UPDATE platform.tenant SET slug = 'between' WHERE slug = 'acme';
         UPDATE platform.tenant SET slug = 'acme' WHERE slug = 'bolt';
         UPDATE platform.tenant SET slug = 'bolt' WHERE slug = 'between'; COMMIT",
    )
    .await;

    eventually("the swap is known", async || {
        acme.at("bolt.localhost").get("/me").await.status == 200
            && bolt.at("acme.localhost").get("/me").await.status == 200
    })
    .await;
    assert_eq!(acme.get("/me").await.problem(), "tenant_mismatch");
}

#[actix_web::test]
async fn a_lost_listener_is_replaced_and_hears_again() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    app.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .await;
    app.sql("UPDATE platform.tenant SET status = 'suspended' WHERE slug = 'acme'")
        .await;

    eventually("the suspension is known", async || {
        acme.get("/items").await.status == 403
    })
    .await;
    app.sql("UPDATE platform.tenant SET status = 'active' WHERE slug = 'acme'")
        .await;
    eventually("the end of the suspension is known", async || {
        acme.get("/items").await.status == 200
    })
    .await;
}

/// An import holds its door for as long as the file takes to read.
#[actix_web::test]
async fn a_request_in_progress_outlives_a_change_of_its_lane() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let early = app.door(&acme).await;
    let tx = early.begin().await.unwrap();
    let former = backend(&early).await;

    app.sql("UPDATE platform.lane SET width = 3").await;
    eventually("the lane has new connections", async || {
        let late = app.door(&acme).await;
        backend(&late).await.is_ok_and(|pid| Ok(pid) != former)
    })
    .await;

    assert!(backend(&early).await.is_ok(), "its door still opens");
    assert!(tx.commit().await.is_ok(), "its transaction still commits");
}

/// The process behind the connection that a dealer would get now.
async fn backend(door: &TenantDb) -> Result<i32, DbErr> {
    let pid = Statement::from_string(DbBackend::Postgres, "SELECT pg_backend_pid()");
    let ask = async |tx: &TenantTx| tx.query_one_raw(pid.clone()).await;
    let row = door.read(ask).await?;
    row.expect("one row").try_get_by_index(0)
}

fn is_worth_another_try(reply: &Reply) -> bool {
    reply
        .header("retry-after")
        .parse()
        .is_ok_and(|seconds: u64| seconds > 0)
}
