//! A worker's part on one node: feeds itself from the node's queues, and settles what became of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::DbErr;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::backoff;
use super::census;
use super::claim::{self, Claimed, Wanted};
use super::error::JobError;
use super::job::Queue;
use super::registry::Handled;
use super::running::Running;
use super::settle::{self, Claim, Fate};
use super::stats::Ended;
use super::task::Outcome;
use super::tend;
use super::worker::Shared;
use crate::db::Ledger;

/// Before a database that refused is asked again.
const RETRY: Duration = Duration::from_millis(500);
/// While there is a backlog, places that come free within this time are filled together.
const GATHER: Duration = Duration::from_millis(2);
/// How often what waits is looked through.
const TEND: Duration = Duration::from_secs(1);
/// How often what is kept no longer is removed.
const FORGET: Duration = Duration::from_secs(60);
/// How often what waits is counted, for metrics.
const COUNT: Duration = Duration::from_secs(10);
/// Most jobs that are taken, or ended, by one statement.
const MOST: u32 = 256;
/// How often the end of a job is told to a database that doesn't listen.
const TELLINGS: u32 = 5;

/// One node, for one worker.
pub(super) struct Node<S> {
    shared: Arc<Shared<S>>,
    ledger: Ledger,
    running: Running,
    /// Rung when the end of jobs is written: their tenant may have had more than its bound lets it.
    ended: [Notify; 2],
}

impl<S: Send + Sync + 'static> Node<S> {
    pub(super) fn new(shared: Arc<Shared<S>>, ledger: Ledger) -> Arc<Self> {
        Arc::new(Self {
            shared,
            ledger,
            running: Running::default(),
            ended: Default::default(),
        })
    }

    /// Works until the worker stops, and then for as long as its jobs may take to end.
    pub(super) async fn work(self: Arc<Self>) {
        let (done, ended) = mpsc::unbounded_channel();
        let mut keepers = JoinSet::new();
        let node = self.clone();
        keepers.spawn(async move { node.keep_leases().await });
        let node = self.clone();
        keepers.spawn(async move { node.tend().await });
        let node = self.clone();
        let settling = tokio::spawn(async move { node.settle_all(ended).await });

        let [quick, bulk] = Queue::ALL.map(|queue| self.clone().feed(queue, done.clone()));
        drop(done);
        let (quick, bulk) = tokio::join!(quick, bulk);
        for mut jobs in [quick, bulk] {
            let all = async { while jobs.join_next().await.is_some() {} };
            if timeout(self.shared.config.drain(), all).await.is_err() {
                jobs.shutdown().await;
            }
        }
        // Whoever sends has ended, so it ends as well.
        let _ = settling.await;
        for claim in self.running.claims() {
            let back = settle::put_back(&self.ledger, claim, Duration::ZERO).await;
            self.notice(
                back,
                "a job could not be given back, it will be when its lease ends",
            );
        }
        keepers.shutdown().await;
    }

    /// Takes jobs of one queue as places come free, until the worker stops. Answers with those that
    /// are still under way.
    async fn feed(
        self: Arc<Self>,
        queue: Queue,
        done: mpsc::UnboundedSender<(Claim, Queue)>,
    ) -> JoinSet<()> {
        let mut bell = self.shared.directory.bell().jobs();
        let (mut after, mut has_more, mut jobs) = (String::new(), false, JoinSet::new());
        while !self.shared.is_stopping() {
            while jobs.try_join_next().is_some() {}
            let Some(mut places) = self.places(queue, has_more).await else {
                break;
            };
            bell.mark_unchanged();
            let most = u32::try_from(places.num_permits()).unwrap_or(MOST);
            match claim::claim(&self.ledger, self.wanted(queue, most, &after)).await {
                Ok(claimed) => {
                    has_more = claimed.len() == places.num_permits();
                    after = last_in_turn(&claimed, after);
                    for job in claimed {
                        // No more are handed out than were asked for.
                        let Some(place) = places.split(1) else {
                            break;
                        };
                        let (node, done) = (self.clone(), done.clone());
                        jobs.spawn(async move {
                            if let Some(claim) = node.see_to(job, place).await {
                                // It stays under way, and its lease is kept, until its end is
                                // written.
                                let _ = done.send((claim, queue));
                                return;
                            }
                            node.ended[queue as usize].notify_one();
                        });
                    }
                }
                Err(error) => {
                    self.notice(Err(error), "jobs can't be looked for");
                    drop(places);
                    self.shared.pause(RETRY).await;
                    continue;
                }
            }
            drop(places);
            if !has_more {
                tokio::select! {
                    _ = bell.changed() => {}
                    () = self.ended[queue as usize].notified() => {}
                    () = self.shared.pause(self.shared.config.poll()) => {}
                }
            }
        }
        jobs
    }

    /// As many places as are free, at least one; nothing when the worker stops.
    async fn places(&self, queue: Queue, has_more: bool) -> Option<OwnedSemaphorePermit> {
        let slots = self.shared.slots(queue);
        let mut places = loop {
            let asking = slots.clone().acquire_owned();
            if let Ok(Ok(place)) = timeout(RETRY, asking).await {
                break place;
            }
            if self.shared.is_stopping() {
                return None;
            }
        };
        if has_more {
            tokio::time::sleep(GATHER).await;
        }
        let more = slots.available_permits().min(MOST as usize - 1);
        let more = u32::try_from(more).unwrap_or(0);
        if let Ok(more) = slots.clone().try_acquire_many_owned(more) {
            places.merge(more);
        }
        Some(places)
    }

    fn wanted<'a>(&self, queue: Queue, most: u32, after: &'a str) -> Wanted<'a> {
        Wanted {
            queue,
            worker: self.shared.id,
            most,
            per_tenant: self.shared.per_tenant(queue),
            lease: self.shared.config.lease(),
            after,
        }
    }

    /// Does a job. Answers with what is still to be settled: the end of one that is done and had
    /// nothing to commit.
    async fn see_to(&self, job: Claimed, place: OwnedSemaphorePermit) -> Option<Claim> {
        let claim = Claim {
            id: job.id,
            fence: job.fence,
        };
        let lost = self.running.begin(claim);
        let begun = Instant::now();
        let handled = self.shared.attempts.attempt(job.clone(), lost).await;
        drop(place);
        if matches!(handled, Ok(Outcome::Done)) {
            self.count(&job, Ended::Done, begun);
            return Some(claim);
        }
        let ended = self.settle(&job, claim, handled).await;
        self.count(&job, ended, begun);
        self.running.end(claim);
        None
    }

    async fn settle(&self, job: &Claimed, claim: Claim, handled: Handled) -> Ended {
        let (told, ended) = match handled {
            Ok(Outcome::Done | Outcome::Finished) => (Ok(()), Ended::Done),
            Ok(Outcome::Later(wait)) => {
                let told = settle::put_back(&self.ledger, claim, wait).await;
                (told, Ended::Later)
            }
            Err(JobError::Lost) => (Ok(()), Ended::Lost),
            Err(JobError::Discard(cause)) => {
                tracing::error!(job.id = %job.id, job.kind = job.kind, error = cause, "a job is dead");
                (self.bury(claim, Fate::Refused, &cause).await, Ended::Dead)
            }
            Err(JobError::Retry { cause, .. }) if job.attempt >= job.max_attempts => {
                tracing::error!(job.id = %job.id, job.kind = job.kind, error = cause, "a job is dead");
                (self.bury(claim, Fate::TriedOut, &cause).await, Ended::Dead)
            }
            Err(JobError::Retry { cause, after }) => {
                tracing::warn!(job.id = %job.id, job.kind = job.kind, error = cause, "a job failed");
                let (_, retry) = self.shared.attempts.kind_of(job);
                let wait =
                    after.unwrap_or_else(|| backoff::wait(retry, job.attempt, backoff::dice()));
                let told = settle::retry(&self.ledger, claim, &cause, wait).await;
                (told, Ended::Retry)
            }
        };
        self.notice(
            told,
            "what became of a job could not be written, its lease will end",
        );
        ended
    }

    async fn bury(&self, claim: Claim, fate: Fate, cause: &str) -> Result<(), DbErr> {
        settle::bury(&self.ledger, claim, fate, cause).await?;
        self.shared.directory.bell().wake_workers();
        Ok(())
    }

    fn count(&self, job: &Claimed, ended: Ended, begun: Instant) {
        let (kind, _) = self.shared.attempts.kind_of(job);
        let waited = Duration::from_millis(job.waited_ms.unsigned_abs());
        self.shared
            .stats
            .count(kind, ended, begun.elapsed(), waited);
    }

    /// Writes the ends of jobs, as many at once as have come together.
    async fn settle_all(&self, mut ended: mpsc::UnboundedReceiver<(Claim, Queue)>) {
        let mut both = Vec::new();
        while ended.recv_many(&mut both, MOST as usize).await > 0 {
            let claims: Vec<_> = both.iter().map(|(claim, _)| *claim).collect();
            for _ in 0..TELLINGS {
                let told = settle::done(&self.ledger, &claims).await;
                if told.is_ok() {
                    break;
                }
                self.notice(told, "the end of jobs could not be written");
                tokio::time::sleep(RETRY).await;
            }
            for (claim, queue) in both.drain(..) {
                self.running.end(claim);
                self.ended[queue as usize].notify_one();
            }
        }
    }

    /// Extends the leases of what is under way, for ever; what is lost is told to whoever does it.
    async fn keep_leases(&self) {
        let lease = self.shared.config.lease();
        loop {
            tokio::time::sleep(lease / 4).await;
            let claims = self.running.claims();
            if claims.is_empty() {
                continue;
            }
            match settle::extend(&self.ledger, &claims, lease).await {
                Ok(lost) => self.running.lose(&lost),
                Err(error) => self.notice(Err(error), "leases could not be extended"),
            }
        }
    }

    async fn tend(&self) {
        let (mut forgotten, mut counted) = (Instant::now(), None::<Instant>);
        loop {
            tokio::time::sleep(TEND).await;
            self.fire().await;
            if counted.is_none_or(|at| at.elapsed() >= COUNT) {
                counted = Some(Instant::now());
                match census::count(&self.ledger).await {
                    Ok(depths) => self.shared.stats.saw(self.ledger.node(), depths),
                    Err(error) => self.notice(Err(error), "jobs could not be counted"),
                }
            }
            match tend::tend(&self.ledger).await {
                Ok(tended) => {
                    if tended.rescued > 0 {
                        tracing::warn!(jobs = tended.rescued, "jobs were left by their workers");
                    }
                    if tended.due + tended.rescued > 0 {
                        self.shared.directory.bell().wake_workers();
                    }
                }
                Err(error) => self.notice(Err(error), "jobs that wait could not be looked through"),
            }
            if forgotten.elapsed() >= FORGET {
                forgotten = Instant::now();
                let done = tend::forget(&self.ledger, self.shared.config.dead_days).await;
                self.notice(done, "old jobs could not be removed");
            }
        }
    }

    async fn fire(&self) {
        for schedule in self.shared.attempts.registry.schedules() {
            match schedule.fire(&self.ledger, &self.shared.directory).await {
                Ok(0) => {}
                Ok(_) => self.shared.directory.bell().wake_workers(),
                Err(error) => self.notice(Err(error), "a schedule could not be fired"),
            }
        }
    }

    fn notice(&self, told: Result<(), DbErr>, what: &'static str) {
        if let Err(error) = told {
            tracing::warn!(node = self.ledger.node(), error = %error, "{what}");
        }
    }
}

/// The tenant after which the next round begins.
fn last_in_turn(claimed: &[Claimed], after: String) -> String {
    let last = claimed
        .iter()
        .map(|job| (job.tenant <= after, &job.tenant))
        .max();
    last.map_or(after.clone(), |(_, tenant)| tenant.clone())
}
