//! Each hole in a wall has its name.

use super::OwnFleet;

#[actix_web::test]
async fn a_lane_that_inherits_is_found() {
    let fleet = OwnFleet::new().await;
    let lane = fleet.lane_of("acme").await;
    // From Postgres 16 on it is the grant that says so, and the login for grants to come.
    fleet.sql(&format!("ALTER ROLE {lane} INHERIT")).await;

    let examined = fleet.examine(&[]);

    examined.assert_failed("lane_logins", "inherits");
    examined.assert_failed("lane_logins", &lane);
}

#[actix_web::test]
async fn a_lane_that_is_a_superuser_is_found() {
    let fleet = OwnFleet::new().await;
    let lane = fleet.lane_of("acme").await;
    fleet.sql(&format!("ALTER ROLE {lane} SUPERUSER")).await;

    let examined = fleet.examine(&[]);

    examined.assert_failed("lane_logins", "is a superuser");
    examined.assert_failed("lane_walls", "without taking a role");
}

#[actix_web::test]
async fn a_membership_that_the_directory_does_not_know_is_found() {
    let fleet = OwnFleet::with_second_lane().await;
    let (one, other) = (fleet.lane_of("acme").await, fleet.lane_of("core").await);
    assert_ne!(one, other);
    let acme = fleet.database.schema_of("acme").await;
    let bolt = fleet.database.schema_of("bolt").await;
    fleet.sql(&format!("GRANT {acme}, {bolt} TO {other}")).await;

    let examined = fleet.examine(&[]);

    examined.assert_failed("lane_memberships", &format!("{other} may take role {acme}"));
    examined.assert_failed("lane_walls", "of another lane");
}

#[actix_web::test]
async fn a_membership_in_a_role_of_postgres_is_found() {
    let fleet = OwnFleet::new().await;
    let lane = fleet.lane_of("acme").await;
    fleet
        .sql(&format!("GRANT pg_read_all_data TO {lane}"))
        .await;

    let examined = fleet.examine(&[]);

    examined.assert_failed("lane_memberships", "pg_read_all_data");
}

#[actix_web::test]
async fn a_membership_that_may_be_handed_on_is_found() {
    let fleet = OwnFleet::new().await;
    let (lane, acme) = (
        fleet.lane_of("acme").await,
        fleet.database.schema_of("acme").await,
    );
    fleet
        .sql(&format!("GRANT {acme} TO {lane} WITH ADMIN OPTION"))
        .await;

    let examined = fleet.examine(&[]);

    examined.assert_failed("lane_memberships", "may grant");
}

#[actix_web::test]
async fn a_schema_opened_to_a_neighbour_is_found() {
    let fleet = OwnFleet::new().await;
    let (acme, bolt) = (
        fleet.database.schema_of("acme").await,
        fleet.database.schema_of("bolt").await,
    );
    fleet
        .sql(&format!(
            "GRANT USAGE ON SCHEMA {acme} TO {bolt};
             GRANT SELECT ON ALL TABLES IN SCHEMA {acme} TO {bolt}"
        ))
        .await;

    let examined = fleet.examine(&[]);

    examined.assert_failed("grants", &format!("{bolt} may use schema {acme}"));
}

#[actix_web::test]
async fn a_dealers_role_that_may_be_another_is_found() {
    let fleet = OwnFleet::new().await;
    let (acme, bolt) = (
        fleet.database.schema_of("acme").await,
        fleet.database.schema_of("bolt").await,
    );
    fleet.sql(&format!("GRANT {acme} TO {bolt}")).await;

    let examined = fleet.examine(&[]);

    examined.assert_failed("grants", &format!("role {bolt} may take role {acme}"));
}

#[actix_web::test]
async fn a_right_given_back_to_public_is_found_and_may_be_only_reported() {
    let fleet = OwnFleet::new().await;
    fleet
        .sql(
            "DO $body$ BEGIN
                 EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database());
             END $body$",
        )
        .await;

    let required = fleet.examine(&[]);
    let reported = fleet.examine(&[("TUBEX_DATABASE__FENCE", "reported")]);

    required.assert_failed("fence", "database ");
    reported.assert_warned("fence", "database ");
}

#[actix_web::test]
async fn settings_that_a_login_has_of_its_own_are_no_leak() {
    let fleet = OwnFleet::new().await;
    let lane = fleet.lane_of("acme").await;
    fleet
        .sql(&format!(
            "ALTER ROLE {lane} SET statement_timeout = '17s';
             ALTER ROLE {lane} SET search_path = pg_catalog"
        ))
        .await;

    let examined = fleet.examine(&[]);

    assert_eq!(examined.code, 0, "{:#}", examined.report);
    assert_eq!(examined.check("sessions")["outcome"], "ok");
}
