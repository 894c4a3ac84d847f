//! Every bad migration is found under its code and no other, and nothing is found in a good one.

use std::collections::{BTreeMap, BTreeSet};

use provisioner::check::Part;

use super::cases::{Case, LINT};
use super::cases_of_kind::KIND;
use super::trial::{Deed, Step, Trial, deed, expand, found, step};

const PARTS: [Part; 2] = [Part::Lint, Part::Kind];

/// What is there before any of the cases.
fn base(cases: &[&Case]) -> Step {
    let grounds: Vec<&str> = cases.iter().map(|case| case.ground).collect();
    let ground = "CREATE TABLE ground (id uuid PRIMARY KEY)";
    step(
        "base",
        &format!("{ground};\n{}", grounds.join(";\n")),
        expand(),
    )
}

fn all() -> Vec<&'static Case> {
    LINT.iter().chain(KIND).collect()
}

#[tokio::test]
async fn each_bad_migration_is_found_under_its_own_code_and_no_other() {
    let cases = all();
    let mut steps = vec![base(&cases)];
    steps.extend(cases.iter().map(|case| {
        let (sql, declared) = case.bad;
        step(case.code, sql, declared())
    }));
    steps.push(deed("depends-on-rows", Deed::AskRows));
    steps.push(deed("own-connection", Deed::OwnConnection));
    steps.push(Step {
        declared: None,
        ..step("undeclared", "SELECT 1", expand())
    });

    let report = Trial::new(steps).check(&PARTS).await;

    let codes = cases.iter().map(|case| case.code);
    let expected: BTreeMap<String, BTreeSet<&str>> = codes
        .chain(["depends-on-rows", "own-connection", "undeclared"])
        .map(|code| (code.to_owned(), BTreeSet::from([code])))
        .collect();
    assert_eq!(found(&report), expected, "{:#?}", report.findings);
    assert!(expected.len() >= 40, "{}", expected.len());
}

#[tokio::test]
async fn nothing_is_found_in_the_good_ones() {
    let cases = all();
    let mut steps = vec![base(&cases)];
    for case in &cases {
        for (place, (sql, declared)) in case.good.iter().enumerate() {
            let name = format!("{} {place}", case.code);
            steps.push(step(&name, sql, declared()));
        }
    }
    steps.push(deed("depends-on-rows", Deed::AskCatalogue));

    let report = Trial::new(steps).check(&PARTS).await;

    assert_eq!(report.findings, [], "no false alarm");
    assert_eq!(report.parts[0].skipped, None);
    assert!(report.migrations.len() > 45, "{}", report.migrations.len());
}
