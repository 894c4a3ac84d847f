//! What is told, of what, and at what cost.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use server::events::{CATALOGUE, NOT_TOLD, kind_of_action};
use tests::{Asked, Scratch, TestApp, Wire};

#[actix_web::test]
async fn the_kinds_of_events_are_listed_with_what_they_say() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;

    let listed = viewer.get("/event-types").await.expect(200).json;

    let listed = listed["data"].as_array().unwrap();
    assert_eq!(listed.len(), CATALOGUE.len());
    let item = listed.iter().find(|kind| kind["name"] == "item.created");
    let item = item.unwrap();
    assert_eq!(item["topic"], "items");
    assert_eq!(item["permission"], "item.read");
    assert_eq!(item["schema"]["required"], json!(["id", "changed"]));
}

/// A change that is made nobody's news by forgetting it would be found out by whoever waits for it.
#[test]
fn what_is_put_on_record_is_told_or_there_is_a_reason() {
    let mut actions = BTreeSet::new();
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src");
    // Operators' deeds are the platform's: dealers read them in their trail.
    for folder in ["tenant", "auth", "http", "jobs"] {
        actions_in(&server.join(folder), &mut actions);
    }
    assert!(actions.len() > 50, "{actions:?}");

    let silent: BTreeSet<_> = NOT_TOLD.iter().map(|(action, _)| *action).collect();
    let forgotten: Vec<_> = actions
        .iter()
        .filter(|it| kind_of_action(it).is_none() && !silent.contains(it.as_str()))
        .collect();
    assert!(
        forgotten.is_empty(),
        "neither told nor excused: {forgotten:?}"
    );
    let both: Vec<_> = silent
        .iter()
        .filter(|action| kind_of_action(action).is_some())
        .collect();
    assert!(both.is_empty(), "told and excused: {both:?}");
}

/// What changes are made of: their first word, and all such words where it is handed over.
fn actions_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            actions_in(&path, found);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let hands_over = code.contains("Change::new(action");
        let pieces: Vec<_> = code.split('"').collect();
        // Every other piece is a literal.
        for pair in pieces.chunks_exact(2) {
            let (before, word) = (pair[0].trim_end(), pair[1]);
            let is_first = before.ends_with("Change::new(") || before.ends_with("Change::of_all(");
            if is_first || (hands_over && is_action(word)) {
                found.insert(word.to_owned());
            }
        }
    }
}

fn is_action(word: &str) -> bool {
    let is_word =
        |it: &str| !it.is_empty() && it.bytes().all(|it| it == b'_' || it.is_ascii_lowercase());
    // What is named beside actions: permissions, and hosts in examples.
    let is_other = server::auth::entry(word).is_some() || word.ends_with(".example");
    let parts = word.split_once('.');
    parts.is_some_and(|(thing, deed)| is_word(thing) && is_word(deed)) && !is_other
}

#[actix_web::test]
async fn a_change_is_recorded_and_told_by_one_statement() {
    let database = Scratch::with_dealers().await;
    let wire = Wire::to(&database).await;
    let app = TestApp::start_on(database, &[("TUBEX_DATABASE__URL", wire.url())]).await;
    let acme = app.dealer().await;
    for code in ["a1", "a2", "a3"] {
        super::new_unit(&acme, code).await;
    }
    wire.record();

    super::new_unit(&acme, "a4").await;

    let asked = wire.asked_by_lanes();
    let about = |word: &str| {
        let executed = asked
            .iter()
            .filter(|asked| matches!(asked, Asked::Execute(sql) if sql.contains(word)));
        executed.count()
    };
    assert_eq!((about("audit_record"), about("INSERT INTO event")), (1, 1));
    let both = asked.iter().any(|asked| {
        matches!(asked, Asked::Execute(sql)
            if sql.contains("audit_record") && sql.contains("INSERT INTO event "))
    });
    assert!(both, "{asked:#?}");
}
