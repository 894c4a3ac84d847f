//! Background work: handed over in a dealer's transaction, done by workers.

mod engine;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use server::AppState;
use server::jobs::{
    Enqueue, Handled, Job, JobError, Outcome, Queue, Registry, Retry, Worker, enqueue,
};
use tests::{Dealer, TestApp};
use uuid::Uuid;

/// A job that does what it is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Errand {
    /// What becomes of it.
    pub does: String,
    /// For whoever looks at what was done.
    pub name: String,
}

impl Job for Errand {
    const KIND: &'static str = "test.errand";
    const RETRY: Retry = Retry {
        attempts: 3,
        first: Duration::from_millis(20),
        most: Duration::from_millis(50),
    };
    const TIMEOUT: Duration = Duration::from_millis(1500);
    const QUEUE: Queue = Queue::Quick;
}

/// How often each errand was begun.
pub type Begun = Arc<Mutex<HashMap<String, u32>>>;

/// What a worker that knows errands does; what it does to the dealer's rows is a new unit.
pub fn registry(begun: &Begun) -> Registry<AppState> {
    let begun = begun.clone();
    Registry::new().with(move |_, task, job: Errand| {
        *begun.lock().unwrap().entry(job.name.clone()).or_default() += 1;
        async move {
            match job.does.as_str() {
                "nothing" => Ok(Outcome::Done),
                "fail" => Err(JobError::retry("it was told to")),
                "refuse" => Err(JobError::discard("it can't go well")),
                "panic" => panic!("it was told to"),
                "hang" => std::future::pending::<Handled>().await,
                "write" => {
                    let code = job.name.clone();
                    task.finish(async |tx| add_unit(tx, &code).await).await
                }
                other => Err(JobError::discard(format!("nobody can {other}"))),
            }
        }
    })
}

/// Writes something that can be counted, and twice can't be.
pub async fn add_unit(tx: &server::db::TenantTx, code: &str) -> Result<(), JobError> {
    use sea_orm::ConnectionTrait;
    let sql = "INSERT INTO unit (code, name, symbol, decimals) VALUES ($1, $1, $1, 0)";
    let values = [code.into()];
    tx.execute_raw(sea_orm::Statement::from_sql_and_values(
        sea_orm::DbBackend::Postgres,
        sql,
        values,
    ))
    .await?;
    Ok(())
}

/// A worker within this process, stopped when dropped.
#[derive(Debug)]
pub struct TestWorker(Worker<AppState>);

impl TestWorker {
    /// Begins to work.
    pub fn start(app: &TestApp, registry: Registry<AppState>) -> Self {
        let config = &app.state.config.jobs;
        let directory = app.state.directory.clone();
        let worker = Worker::new(app.state.clone(), directory, registry, config);
        let working = worker.clone();
        tokio::spawn(async move { working.run().await });
        Self(worker)
    }
}

impl Drop for TestWorker {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Hands an errand over for a dealer.
pub async fn hand_over(app: &TestApp, dealer: &Dealer, does: &str, name: &str) -> Uuid {
    let errand = Errand {
        does: does.to_owned(),
        name: name.to_owned(),
    };
    app.door(dealer)
        .await
        .write(async |tx| enqueue(tx, &errand, Enqueue::now()).await)
        .await
        .unwrap()
}
