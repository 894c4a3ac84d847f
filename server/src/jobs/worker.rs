//! A worker: looks for jobs on every node, does them, and keeps their leases.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::task::LocalPoolHandle;
use uuid::Uuid;

use super::attempt::Attempts;
use super::job::Queue;
use super::node::Node;
use super::registry::Registry;
use super::stats::Stats;
use crate::config::Jobs;
use crate::db::Directory;

/// How often nodes that came or went are looked for.
const NODES: Duration = Duration::from_secs(1);

/// One worker; a process has one at most.
pub struct Worker<S>(Arc<Shared<S>>);

/// What all parts of a worker share.
pub(super) struct Shared<S> {
    pub(super) id: Uuid,
    pub(super) directory: Arc<Directory>,
    pub(super) config: Jobs,
    pub(super) attempts: Attempts<S>,
    pub(super) stats: Arc<Stats>,
    stopping: watch::Sender<bool>,
    is_working: AtomicBool,
    quick: Arc<Semaphore>,
    bulk: Arc<Semaphore>,
}

impl<S: Send + Sync + 'static> Worker<S> {
    /// A worker that does nothing yet. Jobs run on threads of their own: one that never lets go of
    /// its thread must not take the worker's with it.
    pub fn new(
        state: Arc<S>,
        directory: Arc<Directory>,
        registry: Registry<S>,
        config: &Jobs,
        stats: Arc<Stats>,
    ) -> Self {
        let stopping = watch::Sender::new(false);
        Self(Arc::new(Shared {
            id: Uuid::now_v7(),
            attempts: Attempts {
                state,
                directory: directory.clone(),
                registry,
                hands: LocalPoolHandle::new(config.threads),
                stopping: stopping.subscribe(),
            },
            directory,
            config: config.clone(),
            stats,
            stopping,
            is_working: AtomicBool::new(false),
            quick: Arc::new(Semaphore::new(config.quick_slots as usize)),
            bulk: Arc::new(Semaphore::new(config.bulk_slots as usize)),
        }))
    }

    /// Works until it is stopped and what it had under way has ended, or been given back.
    pub async fn run(&self) {
        self.0.is_working.store(true, Ordering::Relaxed);
        tracing::info!(worker.id = %self.0.id, "looking for jobs");
        let (mut known, mut nodes) = (HashSet::new(), JoinSet::new());
        while !self.0.is_stopping() {
            for ledger in self.0.directory.ledgers() {
                if known.insert(ledger.node().to_owned()) {
                    let node = Node::new(self.0.clone(), ledger);
                    nodes.spawn(async move { node.work().await });
                }
            }
            self.0.pause(NODES).await;
        }
        while nodes.join_next().await.is_some() {}
        tracing::info!(worker.id = %self.0.id, "no longer looking for jobs");
    }

    /// Has it take no more jobs and come to an end.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Whether it has begun to look for jobs.
    pub fn is_working(&self) -> bool {
        self.0.is_working.load(Ordering::Relaxed)
    }
}

impl<S> Clone for Worker<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> std::fmt::Debug for Worker<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Worker").field(&self.0.id).finish()
    }
}

impl<S> Shared<S> {
    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits, unless it is to stop.
    pub(super) async fn pause(&self, at_most: Duration) {
        let mut stopping = self.stopping.subscribe();
        // Either it is to stop, or so much time has passed: nothing else to tell.
        let _ = tokio::time::timeout(at_most, stopping.wait_for(|stop| *stop)).await;
    }

    pub(super) fn slots(&self, queue: Queue) -> &Arc<Semaphore> {
        match queue {
            Queue::Quick => &self.quick,
            Queue::Bulk => &self.bulk,
        }
    }

    pub(super) fn per_tenant(&self, queue: Queue) -> u32 {
        match queue {
            Queue::Quick => self.config.tenant_quick,
            Queue::Bulk => self.config.tenant_bulk,
        }
    }
}
