//! Background work within a process.

use std::time::Duration;

use actix_web::web;
use tokio::task::JoinHandle;

use crate::jobs::Worker;
use crate::state::AppState;
use crate::worker;

/// How often it is looked whether a worker that never began is to be waited for.
const LOOK: Duration = Duration::from_secs(1);

/// A worker and the rounds that it makes.
#[derive(Debug)]
pub(super) struct Working {
    worker: Worker<AppState>,
    jobs: JoinHandle<()>,
    rounds: JoinHandle<()>,
}

impl Working {
    /// Begins once the walls between dealers were seen to stand.
    pub(super) fn start(state: &web::Data<AppState>) -> Self {
        let state = state.clone().into_inner();
        let worker = Worker::new(
            state.clone(),
            state.directory.clone(),
            worker::registry(),
            &state.config.jobs,
        );
        let (working, admitted) = (worker.clone(), state.clone());
        let jobs = tokio::spawn(async move {
            admitted.admission.opened().await;
            working.run().await;
        });
        let rounds = actix_web::rt::spawn(async move {
            state.admission.opened().await;
            worker::run(state).await;
        });
        Self {
            worker,
            jobs,
            rounds,
        }
    }

    /// Takes no more, and waits for what is under way as long as it may take.
    pub(super) async fn end(mut self) {
        self.rounds.abort();
        self.worker.stop();
        while tokio::time::timeout(LOOK, &mut self.jobs).await.is_err() {
            if !self.worker.is_working() {
                self.jobs.abort();
                return;
            }
        }
    }
}
