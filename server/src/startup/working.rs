//! Background work within a process.

use std::time::Duration;

use actix_web::web;
use tokio::task::JoinHandle;

use crate::jobs::{Registry, Worker};
use crate::state::AppState;

/// How often it is looked whether a worker that never began is to be waited for.
const LOOK: Duration = Duration::from_secs(1);

/// A worker at work.
#[derive(Debug)]
pub(super) struct Working {
    worker: Worker<AppState>,
    jobs: JoinHandle<()>,
}

impl Working {
    /// Begins once the walls between dealers were seen to stand.
    pub(super) fn start(state: &web::Data<AppState>, registry: Registry<AppState>) -> Self {
        let state = state.clone().into_inner();
        let worker = Worker::new(
            state.clone(),
            state.directory.clone(),
            registry,
            &state.config.jobs,
            state.work.clone(),
        );
        let working = worker.clone();
        let jobs = tokio::spawn(async move {
            state.admission.opened().await;
            working.run().await;
        });
        Self { worker, jobs }
    }

    /// Takes no more, and waits for what is under way as long as it may take.
    pub(super) async fn end(mut self) {
        self.worker.stop();
        while tokio::time::timeout(LOOK, &mut self.jobs).await.is_err() {
            if !self.worker.is_working() {
                self.jobs.abort();
                return;
            }
        }
    }
}
