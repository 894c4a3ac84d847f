//! What the workers of one process share: ways to nodes, what was recorded there, and the leases
//! that they hold.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

use super::RunError;
use super::claim::{LEASE_SECONDS, renew};
use super::course::{Course, Extent};
use super::finish::Verdict;
use super::options::RunOptions;
use super::worker::Event;
use crate::nodes::{ReachError, Site};
use crate::{Inner, Product};

/// What the workers of one process share.
pub(super) struct Crew<P> {
    pub(super) inner: Arc<Inner<P>>,
    pub(super) run: Uuid,
    pub(super) options: Arc<RunOptions>,
    pub(super) actor: Arc<str>,
    pub(super) events: Option<mpsc::UnboundedSender<Event>>,
    pub(super) extent: Extent,
    pub(super) looks: HashSet<String>,
    pub(super) sites: Mutex<HashMap<Uuid, Result<Site, ReachError>>>,
    pub(super) courses: Mutex<HashMap<Uuid, Arc<Course>>>,
    pub(super) leases: std::sync::Mutex<Vec<Uuid>>,
}

impl<P: Product> Crew<P> {
    pub(super) async fn site(&self, node: Uuid) -> Result<Result<Site, ReachError>, RunError> {
        let mut sites = self.sites.lock().await;
        if let Some(site) = sites.get(&node) {
            return Ok(site.clone());
        }
        let row = crate::nodes::find_by_id(&self.inner.db, node).await?;
        let row = row.ok_or_else(|| RunError::NotFound(node.to_string()))?;
        let site = self.inner.reach(row).await;
        sites.insert(node, site.clone());
        Ok(site)
    }

    /// Recorded once per process and node; who comes meanwhile waits.
    pub(super) async fn course(&self, site: &Site) -> Result<Arc<Course>, RunError> {
        let mut courses = self.courses.lock().await;
        if let Some(course) = courses.get(&site.id()) {
            return Ok(Arc::clone(course));
        }
        let there = site.database(&self.inner.db);
        let product = &self.inner.product;
        let course = Course::record(there, product, self.extent, &self.looks).await?;
        let course = Arc::new(course);
        courses.insert(site.id(), Arc::clone(&course));
        Ok(course)
    }

    pub(super) fn tell(&self, verdict: Verdict, from: &str, took: Duration) {
        let Some(events) = &self.events else { return };
        // Nobody listens any more: the rows say it too.
        let _ = events.send(Event {
            slug: verdict.tenant.slug,
            from: from.to_owned(),
            to: verdict.tenant.target,
            state: verdict.state,
            error: verdict.error,
            duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        });
    }

    pub(super) fn hold_lease(&self, lease: Uuid) {
        self.leases().push(lease);
    }

    pub(super) fn let_go(&self, lease: Uuid) {
        self.leases().retain(|one| *one != lease);
    }

    pub(super) fn leases(&self) -> std::sync::MutexGuard<'_, Vec<Uuid>> {
        self.leases
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes leases last for as long as we live.
    pub(super) async fn keep_leases(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_secs(LEASE_SECONDS as u64 / 4)).await;
            let leases = self.leases().clone();
            for lease in leases {
                if let Err(error) = renew(&self.inner.db, self.run, lease).await {
                    tracing::warn!(error = %error, "a lease could not be renewed");
                }
            }
        }
    }
}
