//! Errands: a kind of job that does what it is told, for tests of background work. The program
//! `errand_worker` does them in a process of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use server::AppState;
use server::db::TenantTx;
use server::jobs::{Aftermath, Handled, Job, JobError, Outcome, Queue, Registry, Retry, Task};

/// A job that does what it is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Errand {
    /// What becomes of it.
    pub does: String,
    /// For whoever looks at what was done.
    pub name: String,
    /// How long it takes, where it takes any time.
    #[serde(default)]
    pub ms: u64,
}

impl Errand {
    /// One that takes no time.
    pub fn new(does: &str, name: &str) -> Self {
        Self::taking(0, does, name)
    }

    /// One that takes some time, milliseconds.
    pub fn taking(ms: u64, does: &str, name: &str) -> Self {
        Self {
            does: does.to_owned(),
            name: name.to_owned(),
            ms,
        }
    }
}

impl Job for Errand {
    const KIND: &'static str = "test.errand";
    const VERSION: i16 = 2;
    const QUEUE: Queue = Queue::Quick;
    const RETRY: Retry = Retry {
        attempts: 3,
        first: Duration::from_millis(20),
        most: Duration::from_millis(50),
    };
    const TIMEOUT: Duration = Duration::from_millis(3000);

    /// The first version had another word for what it does.
    fn upgrade(version: i16, payload: Value) -> Option<Value> {
        let mut payload = payload;
        let does = payload.as_object_mut()?.remove("task")?;
        payload["does"] = does;
        (version == 1).then_some(payload)
    }
}

/// A job that writes, and then keeps its transaction open for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Vigil {
    /// For whoever looks at what was done.
    pub name: String,
    /// How long, milliseconds.
    pub ms: u64,
}

impl Job for Vigil {
    const KIND: &'static str = "test.vigil";
    const TIMEOUT: Duration = Duration::from_secs(120);
}

/// How often each errand was begun in this process.
pub type Begun = Arc<Mutex<HashMap<String, u32>>>;

/// What a worker that knows errands does. What it does to the dealer's rows is an `errand_effect`,
/// as [`EFFECTS`] makes them.
pub fn registry(begun: &Begun) -> Registry<AppState> {
    let begun = begun.clone();
    let vigil = async |_, task: Task, job: Vigil| {
        task.finish(async |tx| {
            leave_effect(tx, &job.name).await?;
            tokio::time::sleep(Duration::from_millis(job.ms)).await;
            Ok::<_, JobError>(())
        })
        .await
    };
    let registry =
        Registry::new()
            .with(vigil)
            .after_death(mourn)
            .with(move |_, task, job: Errand| {
                let is_counted = begun
                    .lock()
                    .map(|mut begun| *begun.entry(job.name.clone()).or_default() += 1)
                    .is_ok();
                async move {
                    count_or_fail(is_counted)?;
                    go(&task, &job).await
                }
            });
    server::tenant::jobs::register(registry)
}

/// What an errand called `mourned` leaves when it has died is an effect; one called `cursed` can't even
/// be buried in peace.
async fn mourn(aftermath: &Aftermath<'_, AppState>, job: Errand) -> Result<(), JobError> {
    match job.name.as_str() {
        "mourned" => leave_effect(aftermath.tx, &job.name).await,
        "cursed" => Err(JobError::discard("nobody can bear it")),
        _ => Ok(()),
    }
}

fn count_or_fail(is_counted: bool) -> Result<(), JobError> {
    if is_counted {
        return Ok(());
    }
    Err(JobError::discard("errands can't be counted any more"))
}

async fn go(task: &Task, job: &Errand) -> Handled {
    let pause = Duration::from_millis(job.ms);
    match job.does.as_str() {
        "nothing" => {
            tokio::time::sleep(pause).await;
            Ok(Outcome::Done)
        }
        "fail" => Err(JobError::retry("it was told to")),
        "refuse" => Err(JobError::discard("it can't go well")),
        "come later" => Err(JobError::Retry {
            cause: "it was told when".to_owned(),
            after: Some(Duration::from_secs(3600)),
        }),
        "panic" => panic!("it was told to"),
        "abort" => std::process::abort(),
        "hang" => std::future::pending().await,
        "write" => {
            tokio::time::sleep(pause).await;
            task.finish(async |tx| leave_effect(tx, &job.name).await)
                .await
        }
        other => Err(JobError::discard(format!("nobody can {other}"))),
    }
}

/// Where effects are, in a dealer's schema.
pub const EFFECTS: &str = "CREATE TABLE errand_effect (name text NOT NULL)";

/// Writes something that can be counted.
async fn leave_effect(tx: &TenantTx, name: &str) -> Result<(), JobError> {
    let sql = "INSERT INTO errand_effect (name) VALUES ($1)";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [name.into()]);
    tx.execute_raw(statement).await?;
    Ok(())
}
