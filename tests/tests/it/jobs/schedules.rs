//! What the clock asks for: each tick once, over many workers.

use std::str::FromStr;

use croner::Cron;
use serde::{Deserialize, Serialize};
use server::AppState;
use server::db::{Address, Found};
use server::jobs::{Job, Outcome, Registry, Whose};
use std::time::Duration;
use tests::{TestApp, eventually};

use super::{TestWorker, count};

/// Comes on New Year's Eve.
#[derive(Serialize, Deserialize)]
struct Toast {}

impl Job for Toast {
    const KIND: &'static str = "test.toast";
    const KEPT: Duration = Duration::from_secs(3600);
}

fn registry(whose: Whose) -> Registry<AppState> {
    let cron = Cron::from_str("0 0 1 1 *").unwrap();
    Registry::new()
        .with(async |_, _, Toast {}| Ok(Outcome::Done))
        .every(&cron, whose, |_| Toast {})
}

const DONE: &str = "SELECT count(*) FROM jobs.job WHERE kind = 'test.toast' AND state = 'done'";
const ALL: &str = "SELECT count(*) FROM jobs.job WHERE kind = 'test.toast'";

#[actix_web::test]
async fn a_tick_is_fired_once_over_many_workers_and_missed_ones_are_one() {
    let app = TestApp::start().await;
    let workers = [(); 6].map(|()| TestWorker::start(&app, registry(Whose::Platform)));
    eventually("the first tick is fired", async || {
        count(&app.database, DONE).await == 1
    })
    .await;

    // As if nobody had worked for three years.
    let missed = "UPDATE jobs.firing SET tick = tick - interval '3 years'";
    app.sql(missed).await;
    eventually("the newest tick is fired", async || {
        count(&app.database, DONE).await == 2
    })
    .await;
    app.sql(missed).await;
    eventually("and the next", async || {
        count(&app.database, DONE).await == 3
    })
    .await;

    assert_eq!(count(&app.database, ALL).await, 3);
    let newest = "SELECT count(*) FROM jobs.firing WHERE tick = date_trunc('year', now(), 'UTC')";
    assert_eq!(count(&app.database, newest).await, 1);
    drop(workers);
}

#[actix_web::test]
async fn each_dealer_that_can_be_served_gets_a_job_of_its_own() {
    let app = TestApp::start().await;
    app.sql("UPDATE platform.tenant SET status = 'suspended' WHERE slug = 'core'")
        .await;
    eventually("it is heard of", async || {
        let core = Address::Slug("core".to_owned());
        match app.state.directory.find(&core).await {
            Found::Tenant(core) => app.state.directory.enter(&core).is_err(),
            _ => false,
        }
    })
    .await;

    let _worker = TestWorker::start(&app, registry(Whose::Tenants));

    eventually("two are done", async || {
        count(&app.database, DONE).await == 2
    })
    .await;
    let tenants = "SELECT count(DISTINCT j.tenant) FROM jobs.job j JOIN platform.tenant t
        ON t.schema_name = j.tenant WHERE t.slug IN ('acme', 'bolt')";
    assert_eq!(count(&app.database, tenants).await, 2);
    assert_eq!(count(&app.database, ALL).await, 2);
}
