//! Reports of `tubex check`, judged by validators that are not ours, and the command around them.

use std::fs;
use std::path::Path;
use std::process::Output;

use provisioner::check::{
    CODES, Code, Finding, HeldLock, MigrationReport, Part, PartReport, Report, Waived,
};
use provisioner::report::{Format, Look, json};
use serde_json::Value;
use tests::local::validators::{Validators, validators};
use tests::{Scratch, tubex_command};

/// Letters that mean something to every format, and one that XML can't hold.
const ODD: &str = "100% <b>|`x`|</b> & \"q\" ]]> ü a,b:c\n::error::no\u{1b}[31m\u{1}";

/// Every code once, waived and not, with and without all that a finding can have.
fn full() -> Report {
    let bare = |code: &Code| Finding::new(*code, "seen");
    let whole = |code: &Code| {
        let mut finding = bare(code).of("m0007_colour").at(ODD).by(ODD);
        finding.message = ODD.to_owned();
        finding.written = Some(("migration/src/tenant/a b.rs".to_owned(), Some(7)));
        finding.tenants = (1..=20).map(|number| format!("t{number}")).collect();
        finding.tenant_count = 4_000_000_000;
        finding
    };
    let parts = Part::ALL.into_iter().enumerate();
    Report {
        parts: parts
            .map(|(number, part)| PartReport {
                part,
                duration_ms: 1_234_567,
                examined: 3,
                skipped: (number % 2 == 1).then(|| ODD.to_owned()),
            })
            .collect(),
        migrations: vec![MigrationReport {
            name: "m0007_colour".to_owned(),
            kind: "expand".to_owned(),
            way: "transaction".to_owned(),
            duration_us: 1,
            rows: 50,
            locks: vec![HeldLock {
                relation: ODD.to_owned(),
                mode: "AccessExclusiveLock".to_owned(),
                statement: ODD.to_owned(),
            }],
        }],
        findings: CODES
            .iter()
            .map(bare)
            .chain(CODES.iter().map(whole))
            .collect(),
        waived: CODES
            .iter()
            .map(|code| Waived {
                finding: whole(code),
                reason: ODD.to_owned(),
            })
            .collect(),
        notes: vec![ODD.to_owned()],
    }
}

fn judges() -> Validators {
    validators().expect("validators; run `make test`, which fetches them")
}

fn render(format: Format, report: &Report) -> String {
    format.render(report, Look::default())
}

fn published_schema() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../provisioner/docs/check-report.schema.json")
}

#[test]
fn json_is_what_its_published_schema_says_and_nothing_else() {
    let (judges, schema) = (judges(), published_schema());

    for report in [Report::default(), full()] {
        let text = render(Format::Json, &report);
        assert_eq!(judges.check_json(&schema, &text).unwrap(), "");
    }

    let strange = render(Format::Json, &full()).replace("\"tenant_count\"", "\"tenants_seen\"");
    let complaints = judges.check_json(&schema, &strange).unwrap();
    assert!(complaints.contains("tenant_count"), "{complaints}");
    assert!(complaints.contains("tenants_seen"), "{complaints}");
}

#[test]
fn sarif_is_what_its_official_schema_says() {
    let judges = judges();
    let schema = judges.sarif_schema();

    for report in [Report::default(), full()] {
        let text = render(Format::Sarif, &report);
        assert_eq!(judges.check_json(&schema, &text).unwrap(), "");
    }

    let wrong = render(Format::Sarif, &full()).replace("\"ruleIndex\"", "\"rule_index\"");
    assert_ne!(judges.check_json(&schema, &wrong).unwrap(), "");
}

#[test]
fn junit_is_what_jenkins_reads() {
    let judges = judges();
    let schema = judges.junit_schema();

    for report in [Report::default(), full()] {
        let text = render(Format::Junit, &report);
        assert_eq!(judges.check_xml(&schema, &text).unwrap(), "");
    }

    let wrong = render(Format::Junit, &full()).replace("classname=", "class=");
    assert_ne!(judges.check_xml(&schema, &wrong).unwrap(), "");
}

/// The command without a database, a secret, or anything else from outside.
fn run_bare(arguments: &[&str]) -> Output {
    tubex_command("", arguments)
        .env_remove("TUBEX_DATABASE__URL")
        .env_remove("TUBEX_DATABASE__SECRET")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn codes_are_explained_without_a_database() {
    let list = run_bare(&["explain"]);
    let page = run_bare(&["explain", "index-under-lock"]);
    let machine = run_bare(&["explain", "drift", "--json"]);
    let wrong = run_bare(&["explain", "index_under_lok"]);

    assert_eq!(list.status.code(), Some(0));
    for code in CODES {
        assert!(words(&list.stdout).contains(code.name()));
    }
    assert!(words(&page.stdout).starts_with("# index-under-lock: "));
    let machine: Value = serde_json::from_slice(&machine.stdout).unwrap();
    assert_eq!(
        (&machine["part"], &machine["severity"]),
        (&"fleet".into(), &"error".into())
    );
    assert!(machine["page"].as_str().unwrap().starts_with("# drift: "));
    assert_eq!(wrong.status.code(), Some(2));
    assert!(words(&wrong.stderr).contains("near to it: index-under-lock"));
}

#[test]
fn the_schema_is_printed_as_it_is_published() {
    let printed = run_bare(&["check", "--print-schema"]);

    assert_eq!(words(&printed.stdout), json::SCHEMA);
    assert_eq!(
        words(&printed.stdout),
        fs::read_to_string(published_schema()).unwrap()
    );
}

#[test]
fn a_check_that_can_not_begin_says_what_it_needs() {
    for (arguments, hint) in [
        (&["check"] as &[&str], "TUBEX_DATABASE__URL"),
        (&["check", "--only", "fleet"], "--fleet-url"),
        (
            &[
                "check",
                "--skip",
                "lint,reversible,kind,roads,entities,fleet",
            ],
            "--skip",
        ),
        (&["check", "--only", "locks"], "lint, reversible, kind"),
        (&["check", "--report", "xml=a"], "junit"),
        (&["check", "--source", "/nowhere"], "is the folder there"),
        (
            &["check", "--database-url", "postgres://nobody@127.0.0.1:1/x"],
            "is the server running",
        ),
    ] {
        let output = run_bare(arguments);

        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            words(&output.stderr).contains(hint),
            "{arguments:?}: {output:?}"
        );
    }
}

#[test]
fn who_wants_json_is_also_told_in_json_why_it_could_not_run() {
    for arguments in [
        &["check", "--json"] as &[&str],
        &["check", "--format", "json"],
        &[
            "check",
            "--format=json",
            "--database-url",
            "postgres://nobody@127.0.0.1:1/x",
        ],
    ] {
        let output = run_bare(arguments);

        let complaint: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert!(complaint["error"]["hint"].is_string(), "{complaint}");
        assert!(output.stdout.is_empty());
    }
}

/// A checkout of a crate without dependencies, whose program is `main`.
fn checkout(main: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = "[package]\nname = \"tubex\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/main.rs"), main).unwrap();
    folder
}

#[test]
fn what_the_compiler_refuses_is_found_at_its_line_in_every_format() {
    let folder = checkout("fn main() {\n    let up: u32 = \"ALTER TABLE widget\";\n}\n");
    let path = folder.path().to_str().unwrap();
    let file = folder.path().join("out/check.xml");
    let report = format!("junit={}", file.display());

    let output = run_bare(&["check", "--source", path, "--json", "--report", &report]);

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let found = json::read(&words(&output.stdout)).unwrap();
    assert_eq!(found.findings.len(), 1);
    let finding = &found.findings[0];
    assert_eq!(finding.code, Code::DoesNotCompile);
    assert_eq!(finding.written, Some(("src/main.rs".to_owned(), Some(2))));
    assert!(finding.message.contains("E0308"));
    let junit = fs::read_to_string(file).unwrap();
    let judges = judges();
    assert_eq!(
        judges.check_xml(&judges.junit_schema(), &junit).unwrap(),
        ""
    );
    assert!(junit.contains("does-not-compile"));
}

#[test]
fn what_was_built_checks_with_our_words_and_its_own_exit_code() {
    let folder = checkout(
        "fn main() {\n    let words: Vec<_> = std::env::args().skip(1).collect();\n    \
         println!(\"{}\", words.join(\" \"));\n    std::process::exit(7);\n}\n",
    );
    let path = folder.path().to_str().unwrap();

    let output = run_bare(&["check", "--rows", "9", "--source", path, "--json"]);

    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert_eq!(words(&output.stdout), "check --rows 9 --json\n");
}

#[tokio::test]
async fn our_own_migrations_are_checked_and_every_report_tells_the_same() {
    let database = Scratch::empty().await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let arguments = ["check", "--format", "github", "--report"].map(str::to_owned);
    let reports = [
        format!("sarif={}", file("check.sarif").display()),
        format!("--report=json={}", file("check.json").display()),
    ];
    let words_of_ours: Vec<_> = arguments
        .iter()
        .chain(&reports)
        .map(String::as_str)
        .collect();
    let mut command = tubex_command(&database.owner_url(), &words_of_ours);
    command
        .env_remove("TUBEX_DATABASE__SECRET")
        .env("GITHUB_STEP_SUMMARY", file("summary.md"));

    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();

    let read = |name: &str| fs::read_to_string(file(name)).unwrap();
    let report = json::read(&read("check.json")).unwrap();
    let code = i32::from(!report.findings.is_empty());
    let said = words(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{said}{output:?}");
    let ours = <migration::TenantMigrator as sea_orm_migration::MigratorTrait>::migrations();
    assert_eq!(report.migrations.len(), ours.len());
    assert_eq!(report.parts.len(), Part::ALL.len());
    assert!(said.contains("skipped: no fleet was named"), "{said}");
    let commands = said.lines().filter(|line| line.starts_with("::"));
    assert_eq!(commands.count(), report.findings.len());
    assert!(read("summary.md").starts_with("## tubex check: "));
    let (judges, sarif) = (judges(), read("check.sarif"));
    assert_eq!(
        judges.check_json(&judges.sarif_schema(), &sarif).unwrap(),
        ""
    );
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), report.findings.len() + report.waived.len());
}
