//! The alert rules, tried by the tool of those who read them; and what they ask for is told.

use std::path::PathBuf;
use std::process::Command;

use tests::local::tools;
use tests::{TestApp, eventually};

fn alerts(file: &str) -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.join("../server/alerts").join(file)
}

fn promtool(arguments: [&str; 2], file: &str) {
    let tried = Command::new(tools::promtool().expect("promtool; run `make test`"))
        .args(arguments)
        .arg(alerts(file))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tried.stdout) + String::from_utf8_lossy(&tried.stderr);
    assert!(tried.status.success(), "{said}");
}

#[test]
fn the_rules_are_rules_and_fire_when_they_should_and_only_then() {
    promtool(["check", "rules"], "rules.yml");
    promtool(["test", "rules"], "rules_test.yml");
}

#[test]
fn every_alert_names_its_owner_and_what_to_do_and_is_tried() {
    let rules = std::fs::read_to_string(alerts("rules.yml")).unwrap();
    let trials = std::fs::read_to_string(alerts("rules_test.yml")).unwrap();
    let alerts: Vec<_> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() >= 8);
    for alert in alerts {
        let name = alert.lines().next().unwrap();
        for word in ["severity: ", "owner: ", "summary: ", "runbook: "] {
            assert!(alert.contains(word), "{name} has no {word}");
        }
        let fires = format!("alertname: {name}\n        exp_alerts:\n          - exp_labels");
        assert!(trials.contains(&fires), "{name} is never shown firing");
    }
}

#[actix_web::test]
async fn what_the_rules_ask_for_is_told() {
    let app = TestApp::start_with(&[("TUBEX_JOBS__INSIDE", "true")]).await;
    let rules = std::fs::read_to_string(alerts("rules.yml")).unwrap();
    let names = rules.split(|c: char| !c.is_alphanumeric() && c != '_');
    let names: std::collections::BTreeSet<_> =
        names.filter(|word| word.starts_with("tubex_")).collect();

    eventually("all of it is told", async || {
        let told = reqwest::get(format!("{}/metrics", app.metrics_base())).await;
        let told = told.unwrap().text().await.unwrap();
        names.iter().all(|name| told.contains(*name))
    })
    .await;
    assert_eq!(names.len(), 5, "{names:?}");
}
