//! Migrations that end badly are findings, never a check that crashes; servers that can't be used
//! are neither.

use std::time::Duration;

use migration::PlatformMigrator;
use provisioner::check::{
    CheckError, CheckOptions, Part, Report, ScratchAt, ScratchName, check, discard,
};
use sea_orm::ConnectionTrait as _;

use super::trial::{Deed, Trial, codes, contract, deed, expand, step, url};
use crate::scratch::{self, Scratch};

const GROUND: &str = "CREATE TABLE ground (id uuid PRIMARY KEY, a integer)";

async fn after_ground(last: super::trial::Step) -> Report {
    let steps = vec![step("base", GROUND, expand()), last];
    let trial = Trial::new(steps);
    trial
        .check_within(&[Part::Lint], Duration::from_secs(2))
        .await
}

async fn assert_found(last: super::trial::Step, code: &str) {
    let report = after_ground(last).await;

    assert_eq!(codes(&report), [code], "{:#?}", report.findings);
    assert_eq!(report.findings[0].migration.as_deref(), Some("last"));
    assert!(report.parts[0].skipped.is_some());
}

#[tokio::test]
async fn code_that_panics_is_a_finding() {
    assert_found(deed("last", Deed::Panic), "migration-panics").await;
}

#[tokio::test]
async fn code_that_never_ends_is_a_finding_whether_it_sleeps_or_not() {
    assert_found(deed("last", Deed::LoopAsleep), "migration-hangs").await;
    assert_found(deed("last", Deed::LoopAwake), "migration-hangs").await;
}

#[tokio::test]
async fn a_statement_that_never_ends_is_a_finding() {
    let last = step("last", "SELECT pg_sleep(60)", expand());
    assert_found(last, "migration-hangs").await;
}

#[tokio::test]
async fn an_error_that_is_swallowed_is_a_finding() {
    assert_found(deed("last", Deed::SwallowError), "transaction-aborted").await;
}

#[tokio::test]
async fn a_commit_within_a_block_is_a_finding() {
    let last = step("last", "DO $$ BEGIN COMMIT; END $$", expand());
    assert_found(last, "transaction-ended").await;
}

#[tokio::test]
async fn a_statement_that_fails_anywhere_is_told_from_one_that_fails_on_rows() {
    let broken = step("last", "ALTER TABLE nowhere ADD COLUMN a integer", expand());
    assert_found(broken, "migration-fails").await;
    let unready = step(
        "last",
        "ALTER TABLE ground ALTER COLUMN a SET NOT NULL",
        contract(),
    );
    assert_found(unready, "fails-on-rows").await;
}

#[tokio::test]
async fn a_session_that_is_left_open_is_found_as_well() {
    let last = deed("last", Deed::OwnConnectionLeftOpen);
    let report = after_ground(last).await;

    assert_eq!(codes(&report), ["own-connection"], "{:#?}", report.findings);
}

#[tokio::test]
async fn what_comes_after_a_failure_is_said_to_be_unseen() {
    let steps = vec![
        step("base", GROUND, expand()),
        step("broken", "SELECT 1 / 0", expand()),
        step("after", "CREATE TABLE keyless ()", expand()),
    ];
    let parts = [Part::Lint, Part::Roads, Part::Entities];

    let report = Trial::new(steps).check(&parts).await;

    assert_eq!(codes(&report), ["migration-fails"]);
    let skipped = report.parts.iter().filter_map(|part| part.skipped.clone());
    assert_eq!(skipped.count(), 3, "{:?}", report.parts);
    assert_eq!(report.migrations.len(), 1);
}

async fn refused(at: ScratchAt) -> CheckError {
    let trial = Trial::new(vec![step("base", GROUND, expand())]);
    let options = CheckOptions::default();
    check(trial, &PlatformMigrator, &at, None, &options)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_server_that_cant_be_reached_is_no_finding() {
    let server = "postgres://nobody@127.0.0.1:1/none".into();
    let error = refused(ScratchAt::made(server)).await;

    assert!(matches!(error, CheckError::Lost { .. }), "{error:?}");
}

#[tokio::test]
async fn an_address_that_cant_be_read_is_not_shown() {
    let server = "postgres://me:secret-word@here:port/there".into();
    let error = refused(ScratchAt::made(server)).await;

    assert!(!format!("{error:?}").contains("secret-word"), "{error:?}");
}

#[tokio::test]
async fn a_role_without_rights_is_no_finding() {
    scratch::empty(|scratch| async move {
        let role = format!("poor_{}", &scratch.name[10..]);
        scratch
            .run(&format!(
                "CREATE ROLE {role} LOGIN PASSWORD 'poor-but-honest'"
            ))
            .await;
        let mut address: url::Url = url().parse().unwrap();
        address.set_username(&role).unwrap();
        address.set_password(Some("poor-but-honest")).unwrap();

        let made = refused(ScratchAt::made(address.to_string().into())).await;
        address.set_path(&scratch.name);
        let given = refused(ScratchAt::Given {
            database: address.to_string().into(),
        })
        .await;

        scratch.run(&format!("DROP ROLE {role}")).await;
        assert!(matches!(made, CheckError::Denied { .. }), "{made:?}");
        assert!(matches!(given, CheckError::Denied { .. }), "{given:?}");
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_given_must_be_empty_and_is_again() {
    scratch::empty(|scratch| async move {
        let mut address: url::Url = url().parse().unwrap();
        address.set_path(&scratch.name);
        let at = || ScratchAt::Given {
            database: address.to_string().into(),
        };
        let trial = || Trial::new(vec![step("base", GROUND, expand())]);
        let options = CheckOptions {
            parts: [Part::Lint].into(),
            ..CheckOptions::default()
        };

        let report = check(trial(), &PlatformMigrator, &at(), None, &options)
            .await
            .unwrap();
        let left = scratch
            .count("SELECT FROM pg_namespace WHERE nspname ~ '^(t_|platform|shared)'")
            .await;
        scratch.run("CREATE TABLE mine ()").await;
        let error = refused(at()).await;

        assert_eq!(report.findings, []);
        assert_eq!(left, 0);
        assert!(matches!(error, CheckError::NotEmpty(_)), "{error:?}");
        assert_eq!(
            scratch.count("SELECT FROM mine").await,
            0,
            "it is still there"
        );
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_gone_half_way_is_no_finding() {
    scratch::empty(|scratch| async move {
        let elsewhere = scratch.other_database().await;
        let mut address: url::Url = url().parse().unwrap();
        address.set_path(&scratch.name);
        let at = ScratchAt::Given {
            database: address.to_string().into(),
        };
        let sleep = step("base", "SELECT pg_sleep(20)", expand());
        let options = CheckOptions::default();
        let trial = Trial::new(vec![sleep]);
        let checked = check(trial, &PlatformMigrator, &at, None, &options);
        // Nobody gets in any more, and those who are in are thrown out.
        let closed = async {
            let asleep = format!(
                "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = '{}' AND query LIKE '%pg_sleep(20)%'",
                scratch.name
            );
            while Scratch::column_of::<i64>(&elsewhere.db, &asleep).await[0] == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let close = format!(
                "ALTER DATABASE {0} ALLOW_CONNECTIONS false;
                 DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = '{0}'; END $$",
                scratch.name
            );
            for statement in close.split_inclusive("false;") {
                elsewhere.db.execute_unprepared(statement).await.unwrap();
            }
        };

        let (error, ()) = tokio::join!(checked, closed);

        let open = format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", scratch.name);
        elsewhere.db.execute_unprepared(&open).await.unwrap();
        let error = error.unwrap_err();
        let is_ours = matches!(error, CheckError::Lost { .. } | CheckError::Db(_));
        assert!(is_ours, "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn what_a_killed_check_has_left_is_swept_by_the_next_and_nothing_else() {
    scratch::empty(|scratch| async move {
        let young = ScratchName::generate();
        let id = young.as_str().trim_start_matches("tubex_check_");
        // Made in the first weeks of 1970.
        let old = ScratchName::parse(&format!("tubex_check_00000000{}", &id[8..])).unwrap();
        let mut roles = vec![];
        for (number, name) in [&young, &old].into_iter().enumerate() {
            let (role, name) = (format!("t_{}{number}", &id[17..]), name.as_str());
            scratch.run(&format!("CREATE DATABASE {name}")).await;
            scratch
                .run(&format!(
                    "CREATE ROLE {role}; COMMENT ON ROLE {role} IS 'tubex check {name}'"
                ))
                .await;
            roles.push(role);
        }
        let there = format!(
            "SELECT datname::text AS name FROM pg_database
             WHERE datname IN ('{}', '{}')
             UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname IN ('{}', '{}')
             ORDER BY name",
            young.as_str(),
            old.as_str(),
            roles[0],
            roles[1]
        );

        let trial = Trial::new(vec![step("base", GROUND, expand())]);
        trial.check(&[Part::Lint]).await;
        let left: Vec<String> = scratch.column(&there).await;
        discard(&url().into(), &young).await.unwrap();

        // Others make theirs just now, and are connected to them a moment later.
        assert_eq!(
            left,
            [roles[0].as_str(), young.as_str()],
            "it may be in use"
        );
        assert_eq!(scratch.count(&there).await, 0);
    })
    .await;
}
