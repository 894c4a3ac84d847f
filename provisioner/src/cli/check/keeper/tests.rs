//! What becomes of a check whose process comes to a bad end. A script stands for the process: it
//! says what a real one would, and ends in ways that a migration's code can choose.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use provisioner::check::Part;

use super::*;
use crate::cli::check::order::Place;

/// Reads the order, and says what a process says that has begun with a migration.
const BEGIN: &str = r#"#!/bin/sh
order=$(cat)
token=$(printf %s "$order" | sed 's/.*"token":"\([^"]*\)".*/\1/')
tell() { printf '\n%s %s\n' "$token" "$1"; }
echo 'a migration prints what it likes'
tell '{"began":"m0001_team"}'
tell '{"ended":"m0001_team"}'
tell '{"began":"m0002_catalogue"}'
"#;

/// Runs a check in a process that ends like this.
async fn check(ending: &str) -> Result<Outcome, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("tubex");
    fs::write(&program, format!("{BEGIN}{ending}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let keeper = Keeper {
        program,
        limit: Duration::from_millis(300),
    };
    keeper.check(&order()).await
}

fn order() -> Order {
    Order::example(Place::Given("postgres://nobody@nowhere/nothing".to_owned()))
}

async fn report(ending: &str) -> Report {
    match check(ending).await {
        Ok(Outcome::Report(report)) => report,
        Ok(Outcome::Stuck) => panic!("it is stuck"),
        Err(failure) => panic!("{failure}"),
    }
}

#[tokio::test]
async fn a_migration_that_ends_the_process_is_found_with_the_way_it_died() {
    for (ending, death) in [
        ("exit 0", "exit code 0"),
        ("exit 3", "exit code 3"),
        ("kill -ABRT $$", "signal 6"),
        ("kill -SEGV $$", "signal 11"),
        ("kill -KILL $$", "signal 9"),
    ] {
        let report = report(ending).await;

        let finding = &report.findings[0];
        assert_eq!(report.findings.len(), 1);
        assert_eq!(finding.code, Code::Panics);
        assert_eq!(finding.migration.as_deref(), Some("m0002_catalogue"));
        assert!(finding.message.contains(death), "{}", finding.message);
        let written = "migration/src/tenant/m0002_catalogue.rs".to_owned();
        assert_eq!(finding.written, Some((written, None)));
        let skipped = report.parts.iter().all(|part| part.skipped.is_some());
        assert!(skipped && report.parts[0].part == Part::Lint);
    }
}

#[tokio::test]
async fn a_migration_that_never_lets_go_is_ended_and_found_whatever_it_prints() {
    let report = report("while :; do echo busy; sleep 0.05; done").await;

    let finding = &report.findings[0];
    assert_eq!(
        (finding.code, finding.migration.as_deref()),
        (Code::Hangs, Some("m0002_catalogue"))
    );
}

#[tokio::test]
async fn a_report_counts_even_if_the_process_ends_badly_after_it() {
    let wanted = Report {
        notes: vec!["a note\nof \"two\" lines".to_owned()],
        ..Report::default()
    };
    let event = serde_json::to_string(&Event::Report(json::line(&wanted))).unwrap();

    let ending = format!("cat <<'END' | sed \"s/^/$token /\"\n{event}\nEND\nexit 3");

    assert_eq!(report(&ending).await, wanted);
}

#[tokio::test]
async fn what_could_not_run_is_no_finding() {
    let stuck = check(r#"tell '"stuck"'; exit 2"#).await;
    let unknown = check(r#"tell '{"ended":"m0002_catalogue"}'; exit 3"#).await;

    assert!(matches!(stuck, Ok(Outcome::Stuck)));
    let failure = unknown.err().expect("nothing was under way");
    assert!(failure.to_string().contains("exit code 3"), "{failure}");
}

#[test]
fn a_migration_that_connects_by_the_environment_finds_no_tenant() {
    let made = Place::Made {
        server: "postgres://me:pass%20word@db.example:5433/fleet?sslmode=require".into(),
        name: "tubex_check_1".to_owned(),
    };

    let url = harmless(&made).unwrap();

    let options = PgConnectOptions::from_str(&url).unwrap();
    assert_eq!(options.get_database(), Some("tubex_check_1"));
    assert_eq!(
        (
            options.get_host(),
            options.get_port(),
            options.get_username()
        ),
        ("db.example", 5433, "me")
    );
    assert!(url.contains("pass%20word"), "{url}");
}
