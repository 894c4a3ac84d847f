//! The way back, the roads, the entities, and waivers.

use provisioner::check::{EntityColumn, EntityTable, Part};
use provisioner::{Declared, Kind, Way};
use sea_orm::sea_query::ColumnType;

use super::trial::{Trial, codes, expand, found, step};

const GROUND: &str = "CREATE TABLE ground (id uuid PRIMARY KEY, a integer, b text)";

#[tokio::test]
async fn a_way_back_that_fails_or_leaves_traces_is_found() {
    let steps = vec![
        step("base", GROUND, expand()).down("DROP TABLE ground"),
        step("none", "ALTER TABLE ground ADD COLUMN c text", expand()),
        step("broken", "ALTER TABLE ground ADD COLUMN d text", expand())
            .down("ALTER TABLE ground DROP COLUMN nothing"),
        step(
            "uneven",
            "DO $$ BEGIN
                 IF to_regclass('marker') IS NULL THEN CREATE TABLE marker (id uuid PRIMARY KEY);
                 END IF; END $$;
             DO $$ BEGIN
                 IF EXISTS (SELECT FROM ground WHERE b = 'been here') THEN
                     CREATE TABLE again (id uuid PRIMARY KEY);
                 ELSE INSERT INTO ground (id, b) VALUES (gen_random_uuid(), 'been here');
                 END IF; END $$",
            expand(),
        )
        .down("DROP TABLE marker"),
        step("fine", "ALTER TABLE ground ADD COLUMN e text", expand())
            .down("ALTER TABLE ground DROP COLUMN e"),
    ];

    let report = Trial::new(steps).check(&[Part::Reversible]).await;

    let found: Vec<_> = report
        .findings
        .iter()
        .map(|one| {
            (
                one.migration.as_deref().unwrap_or_default(),
                one.code.name(),
            )
        })
        .collect();
    let expected = [
        ("none", "down-leaves-traces"),
        ("broken", "down-fails"),
        ("uneven", "up-again-differs"),
    ];
    assert_eq!(found, expected, "{:#?}", report.findings);
}

#[tokio::test]
async fn what_a_way_back_leaves_behind_is_named() {
    let steps = vec![
        step("base", GROUND, expand()).down("DROP TABLE ground"),
        step(
            "half",
            "ALTER TABLE ground ADD COLUMN IF NOT EXISTS c text;
             ALTER TABLE ground ADD COLUMN d text",
            expand(),
        )
        .down("ALTER TABLE ground DROP COLUMN d"),
    ];

    let report = Trial::new(steps).check(&[Part::Reversible]).await;

    assert_eq!(codes(&report), ["down-leaves-traces"]);
    let message = &report.findings[0].message;
    assert!(message.contains("column `c` text is extra"), "{message}");
}

#[tokio::test]
async fn roads_that_lead_elsewhere_or_nowhere_are_found() {
    let index = |statement: &str| Declared::new(Kind::Expand, Way::index("ground_a", statement));
    let elsewhere = vec![
        step("base", GROUND, expand()),
        step(
            "index",
            "CREATE INDEX ground_a ON ground (a)",
            index("CREATE INDEX CONCURRENTLY ground_a ON ground (a DESC)"),
        ),
    ];
    let nowhere = vec![
        step("base", GROUND, expand()),
        step(
            "index",
            "CREATE INDEX ground_a ON ground (a)",
            index("CREATE INDEX CONCURRENTLY ground_a ON ground (c)"),
        ),
    ];

    let elsewhere = Trial::new(elsewhere).check(&[Part::Roads]).await;
    let nowhere = Trial::new(nowhere).check(&[Part::Roads]).await;

    assert_eq!(codes(&elsewhere), ["roads-differ"], "{elsewhere:#?}");
    assert!(elsewhere.findings[0].message.contains("ground_a"));
    assert_eq!(codes(&nowhere), ["road-blocked"], "{nowhere:#?}");
    assert_eq!(nowhere.findings[0].migration.as_deref(), Some("index"));
}

#[tokio::test]
async fn a_road_over_a_back_fill_that_never_ends_is_blocked() {
    let batch = "UPDATE ground SET a = 1 WHERE id IN (SELECT id FROM ground ORDER BY id LIMIT $1)";
    let steps = vec![
        step("base", GROUND, expand()),
        step(
            "fill",
            "UPDATE ground SET a = 1",
            Declared::new(Kind::Expand, Way::fill(batch)),
        ),
    ];

    let report = Trial::new(steps).check(&[Part::Roads]).await;

    assert_eq!(codes(&report), ["road-blocked"], "{report:#?}");
    assert!(report.findings[0].message.contains("come to an end"));
}

fn column(name: &str, kind: ColumnType, is_nullable: bool) -> EntityColumn {
    EntityColumn {
        name: name.to_owned(),
        kind,
        is_nullable,
    }
}

fn table(name: &str, columns: Vec<EntityColumn>, key: &[&str]) -> EntityTable {
    EntityTable {
        name: name.to_owned(),
        columns,
        key: key.iter().map(|&name| name.to_owned()).collect(),
    }
}

#[tokio::test]
async fn entities_that_dont_fit_are_found_and_those_that_do_are_not() {
    let sql = "CREATE TABLE fine (id uuid PRIMARY KEY, a integer, tags text[] NOT NULL,
                   price numeric(18,6), at timestamptz, later text);
               CREATE TABLE odd (id uuid PRIMARY KEY, a integer, b text NOT NULL, c text NOT NULL)";
    let tags = ColumnType::Array(std::sync::Arc::new(ColumnType::Text));
    let tables = vec![
        table(
            "fine",
            vec![
                column("id", ColumnType::Uuid, false),
                column("a", ColumnType::Integer, true),
                column("tags", tags, false),
                column("price", ColumnType::Decimal(Some((18, 6))), true),
                column("at", ColumnType::TimestampWithTimeZone, true),
            ],
            &["id"],
        ),
        table(
            "odd",
            vec![
                column("id", ColumnType::Uuid, false),
                column("a", ColumnType::BigInteger, true),
                column("b", ColumnType::Text, true),
                column("d", ColumnType::Text, true),
            ],
            &["id", "a"],
        ),
        table(
            "nowhere",
            vec![column("id", ColumnType::Uuid, false)],
            &["id"],
        ),
    ];
    let trial = Trial::new(vec![step("base", sql, expand())]).with_tables(tables);

    let report = trial.check(&[Part::Entities]).await;

    let mut found = codes(&report);
    found.sort_unstable();
    let expected = [
        "entity-column-missing",
        "entity-column-unknown",
        "entity-key-differs",
        "entity-null-differs",
        "entity-table-missing",
        "entity-type-differs",
    ];
    assert_eq!(found, expected, "{:#?}", report.findings);
}

#[tokio::test]
async fn a_waiver_needs_a_code_a_reason_and_something_to_waive() {
    let index = "CREATE INDEX a_idx ON ground (a)";
    let steps = vec![
        step("base", GROUND, expand()),
        step(
            "waived",
            index,
            expand().waiving("index-under-lock", "forty rows at most"),
        ),
        step(
            "unused",
            "SELECT 1",
            expand().waiving("index-under-lock", "who knows"),
        ),
        step(
            "unknown",
            "SELECT 1",
            expand().waiving("index-on-fire", "none"),
        ),
        step(
            "silent",
            "CREATE INDEX b_idx ON ground (b)",
            expand().waiving("index-under-lock", " "),
        ),
    ];

    let report = Trial::new(steps).check(&[Part::Lint]).await;

    assert_eq!(report.waived.len(), 1);
    assert_eq!(report.waived[0].reason, "forty rows at most");
    assert_eq!(
        report.waived[0].finding.migration.as_deref(),
        Some("waived")
    );
    let found = found(&report);
    assert!(!found.contains_key("waived"));
    assert!(found["unused"].contains("waiver-unused"));
    assert!(found["unknown"].contains("waiver-unknown"));
    assert!(found["silent"].contains("waiver-without-reason"));
    assert!(
        found["silent"].contains("index-under-lock"),
        "it is not waived"
    );
}

#[tokio::test]
async fn only_what_comes_after_is_watched_when_asked_so() {
    let steps = vec![
        step("base", "CREATE TABLE keyless (a integer)", expand()),
        step("next", "ALTER TABLE keyless ADD COLUMN b integer", expand()),
    ];
    let options = provisioner::check::CheckOptions {
        since: Some("base".to_owned()),
        ..provisioner::check::CheckOptions::default()
    };
    let platform = migration::PlatformMigrator;
    let at = super::trial::server();

    let trial = Trial::new(steps.clone());
    let report = provisioner::check::check(trial, &platform, &at, None, &options)
        .await
        .unwrap();
    let unknown = provisioner::check::CheckOptions {
        since: Some("nothing".to_owned()),
        ..options
    };
    let error = provisioner::check::check(Trial::new(steps), &platform, &at, None, &unknown)
        .await
        .unwrap_err();

    assert_eq!(
        codes(&report),
        ["down-leaves-traces"],
        "{:#?}",
        report.findings
    );
    assert_eq!(report.migrations.len(), 1);
    assert!(error.to_string().contains("nothing"), "{error}");
}
