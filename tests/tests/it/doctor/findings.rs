//! What else it looks at, how it tells it, and what it leaves behind.

use migration::TenantMigrator;
use sea_orm_migration::MigratorTrait;
use tests::Scratch;

use super::{OwnFleet, examine};
use crate::process::program::command;

#[actix_web::test]
async fn a_healthy_fleet_passes() {
    let fleet = OwnFleet::with_second_lane().await;

    let examined = fleet.examine(&[]);

    assert_eq!(examined.code, 0, "{:#}", examined.report);
    for check in examined.report["checks"].as_array().unwrap() {
        assert_eq!(check["outcome"], "ok", "{check:#}");
        assert!(check["remedy"].is_null(), "{check:#}");
        assert!(check["isolation"].is_boolean(), "{check:#}");
    }
}

#[actix_web::test]
async fn spares_are_looked_at_and_found_well() {
    let fleet = OwnFleet::new().await;
    fleet.tubex(&["spares", "--keep", "2"]);
    // Nobody is turned away because of it: it waits for the next run over the fleet.
    fleet
        .sql("UPDATE platform.tenant SET schema_version = 'm0001_team' WHERE status = 'spare'")
        .await;

    let examined = fleet.examine(&[]);

    assert_eq!(examined.code, 0, "{:#}", examined.report);
    for check in examined.report["checks"].as_array().unwrap() {
        assert_eq!(check["outcome"], "ok", "{check:#}");
    }
}

#[actix_web::test]
async fn people_get_a_line_for_each_check() {
    let database = Scratch::with_dealers().await;

    let output = command(&database, &[]).arg("doctor").output().unwrap();

    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("ok       fence"), "{told}");
}

#[actix_web::test]
async fn connections_that_do_not_fit_are_told_with_the_arithmetic() {
    let database = Scratch::with_dealers().await;

    let examined = examine(&database, &[("TUBEX_DATABASE__PROCESSES", "1000")]);

    examined.assert_failed(
        "connections",
        "1000 x (4 of lanes + 3 for jobs + 4 of the platform) + 5",
    );
    let remedy = examined.check("connections")["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("raise max_connections to 11008"),
        "{remedy}"
    );
    assert!(remedy.contains("tubex lane set LANE --width"), "{remedy}");
}

#[actix_web::test]
async fn behind_a_pooler_connections_that_do_not_fit_are_a_warning() {
    let database = Scratch::with_dealers().await;
    let url = database.server_url();
    let keys = [
        ("TUBEX_DATABASE__PROCESSES", "12"),
        ("TUBEX_DATABASE__DIRECT_URL", url.as_str()),
    ];
    sqlx::query("UPDATE platform.lane SET width = 900")
        .execute(&mut database.connect().await)
        .await
        .unwrap();

    examine(&database, &keys).assert_warned("connections", "900 of lanes");
}

#[actix_web::test]
async fn dealers_too_old_or_ahead_or_unfinished_are_counted() {
    let database = Scratch::with_dealers().await;
    sqlx::raw_sql(
        "UPDATE platform.tenant SET schema_version = 'm0001_team' WHERE slug = 'acme';
         UPDATE platform.tenant SET schema_version = 'm9999_later' WHERE slug = 'bolt';
         UPDATE platform.tenant SET status = 'provisioning' WHERE slug = 'core'",
    )
    .execute(&mut database.connect().await)
    .await
    .unwrap();

    let examined = examine(&database, &[]);

    for because in ["1 too old for this build", "1 ahead", "1 still being made"] {
        examined.assert_warned("tenants", because);
    }
}

#[actix_web::test]
async fn a_role_that_a_lane_lacks_is_told_and_the_rest_examined() {
    let fleet = OwnFleet::new().await;
    let (lane, acme) = (
        fleet.lane_of("acme").await,
        fleet.database.schema_of("acme").await,
    );
    fleet.sql(&format!("REVOKE {acme} FROM {lane}")).await;

    let examined = fleet.examine(&[]);

    examined.assert_failed("lane_tenants", &acme);
    assert_eq!(examined.check("lane_walls")["outcome"], "ok");
}

#[actix_web::test]
async fn a_lane_without_its_login_is_told() {
    let fleet = OwnFleet::new().await;
    let lane = fleet.lane_of("acme").await;
    fleet.sql(&format!("ALTER ROLE {lane} NOLOGIN")).await;

    fleet.examine(&[]).assert_failed("lanes", &lane);
}

#[actix_web::test]
async fn a_platform_that_was_never_migrated_is_told() {
    let database = Scratch::with_dealers().await;
    sqlx::raw_sql("ALTER TABLE platform.tenant RENAME COLUMN schema_version TO version")
        .execute(&mut database.connect().await)
        .await
        .unwrap();

    let examined = examine(&database, &[]);

    examined.assert_failed("platform", "schema_version");
    let remedy = examined.check("platform")["remedy"].as_str().unwrap();
    assert!(remedy.contains("tubex platform migrate"), "{remedy}");
}

#[actix_web::test]
async fn without_a_database_it_can_not_run() {
    let database = Scratch::with_dealers().await;
    let nowhere = "postgres://tubex_server@127.0.0.1:1/tubex";

    let keys = [("TUBEX_DATABASE__URL", nowhere)];
    let output = command(&database, &keys).arg("doctor").output().unwrap();

    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("can't be reached"), "{said}");
}

#[actix_web::test]
async fn it_leaves_nothing_behind() {
    let database = Scratch::with_dealers().await;
    let mut connection = database.connect().await;
    let state = "SELECT concat_ws(' ', \
         (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_namespace), \
         (SELECT sum(hashtext(t::text)) FROM platform.tenant t), \
         (SELECT sum(hashtext(l::text)) FROM platform.lane l), \
         (SELECT datacl::text FROM pg_database WHERE datname = current_database()), \
         (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()), \
         (SELECT count(*) FROM platform.security_event))";
    let before: String = sqlx::query_scalar(state)
        .fetch_one(&mut connection)
        .await
        .unwrap();

    assert_eq!(examine(&database, &[]).code, 0);

    tests::eventually("all is as it was", async || {
        let after = sqlx::query_scalar::<_, String>(state).fetch_one(&mut connection);
        after.await.unwrap() == before
    })
    .await;
}

#[test]
fn the_doctor_knows_the_newest_migration() {
    let newest = TenantMigrator::migrations().pop().unwrap();

    assert_eq!(newest.name(), server::doctor::NEWEST);
}
