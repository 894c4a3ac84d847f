//! What the canaries' requests have left to be done in the background, and the files that it made.

use std::time::Duration;

use serde_json::{Value, json};

use super::flock::{Canary, Flock};
use super::marker;
use super::report::Report;
use super::target::Target;
use crate::harness::{Actor, within};

/// What was disturbed waits for leases to end, for dealers to be served again, and for its next attempt.
const PATIENCE: Duration = Duration::from_secs(300);
/// Where an import goes no further by itself.
const AT_REST: [&str; 5] = ["ready", "applied", "failed", "cancelled", "undone"];

impl Flock {
    /// Waits until all that was asked for is done, and reads every file that was taken out: each
    /// tells of its own dealer alone.
    ///
    /// # Panics
    ///
    /// When it never is.
    pub async fn come_to_rest(&self, server: &Target, report: &mut Report) {
        for canary in &self.canaries {
            let owner = canary.owner_at(server);
            // One at least.
            let body = json!({"kind": "items", "format": "csv"});
            owner.post("/exports", body).await.expect(202);
            all_are(&owner, "/imports", "status", |status| {
                AT_REST.contains(&status)
            })
            .await;
            let exports = all_are(&owner, "/exports", "state", |state| state != "pending").await;
            for export in exports {
                read(canary, &owner, &export, report).await;
            }
        }
    }
}

async fn read(canary: &Canary, owner: &Actor, export: &Value, report: &mut Report) {
    let slug = &canary.slug;
    if export["state"] != "done" {
        return report.find(format!("an export of {slug} failed: {export}"));
    }
    let path = format!(
        "/exports/{}/file",
        export["id"].as_str().unwrap_or_default()
    );
    let file = owner.get(&path).await.expect(200).text();
    if let Some(foreign) = marker::foreign(&file, Some(&canary.marker)) {
        report.find(format!("{foreign} in a file of {slug}: {file}"));
    }
    if !file.contains(&canary.marker) {
        report.find(format!("a file of {slug} shows nothing of it: {file}"));
    }
}

/// All of a list, once each is as it is to be.
async fn all_are(
    owner: &Actor,
    list: &str,
    field: &str,
    is_so: impl Fn(&str) -> bool,
) -> Vec<Value> {
    let mut all = Vec::new();
    within(
        PATIENCE,
        "what is done in the background is done",
        async || {
            all.clear();
            let mut next = format!("{list}?limit=200");
            loop {
                let page = owner.get(&next).await.expect(200).json;
                all.extend(page["data"].as_array().cloned().unwrap_or_default());
                match page["next"].as_str() {
                    Some(cursor) => next = format!("{list}?limit=200&cursor={cursor}"),
                    None => break,
                }
            }
            all.iter()
                .all(|one| is_so(one[field].as_str().unwrap_or_default()))
        },
    )
    .await;
    all
}
