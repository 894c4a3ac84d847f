//! Working on a run: a few connections, each taking tenants by the handful until none is left.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::apply::{Cut, Shift, apply, correct, versions_there};
use super::claim::{Claimed, claim, give_back};
use super::course::{Course, Extent};
use super::crew::Crew;
use super::errors::{is_lost_connection, is_outage};
use super::finish::{prove, settle};
use super::one_by_one::{build_index, fill};
use super::options::RunOptions;
use super::pace::Pace;
use super::path::{Path, Segment, Traffic, Work};
use super::progress::{RunEntry, run_entry};
use super::start::Started;
use super::wave::{Turn, advance};
use super::{PlaceState, RunError};
use crate::{Product, Provisioner};

/// How long a worker goes on trying to reach a platform that does not answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How to work.
#[derive(Debug)]
pub struct WorkOptions {
    /// Connections at once, 1 to 16; on each node as many.
    pub connections: u16,
    /// Who is told what happens.
    pub events: Option<mpsc::UnboundedSender<Event>>,
    /// Work ends, with whatever is in hand, when this says so.
    pub stop: watch::Receiver<bool>,
}

impl WorkOptions {
    /// Two connections, nobody told, and no end before the end.
    pub fn quietly() -> Self {
        // The sender may go: what was never said stays unsaid.
        let (_, stop) = watch::channel(false);
        Self {
            connections: 2,
            events: None,
            stop,
        }
    }
}

/// What happened to a tenant.
#[derive(Clone, Debug)]
pub struct Event {
    /// What people type.
    pub slug: String,
    /// Where it stood.
    pub from: String,
    /// Where it should go.
    pub to: String,
    /// Where it stands in the run now; `Pending` means that its turn was put off.
    pub state: PlaceState,
    /// What went wrong.
    pub error: Option<Value>,
    /// How long its turn took, in microseconds; of several at once, each one's share.
    pub duration_us: u64,
}

impl<P: Product> Provisioner<P> {
    /// Begins a run, or joins the one that is not over, and works on it to its end. Nothing where
    /// there was nothing to do.
    ///
    /// # Errors
    ///
    /// [`RunError`]; what became of each tenant is in [`Provisioner::places`].
    pub async fn migrate(
        &self,
        options: RunOptions,
        actor: &str,
    ) -> Result<Option<RunEntry>, RunError> {
        match self.start_run(options, actor).await? {
            Started::Nothing { .. } => Ok(None),
            Started::New(run) | Started::Joined(run) => {
                self.work(run.id, WorkOptions::quietly()).await.map(Some)
            }
        }
    }

    /// Works on a run until it is over, halts, waits for somebody's word, or `stop` says so. Any
    /// number of processes may.
    ///
    /// # Errors
    ///
    /// [`RunError`]; what was done is done, and the run can be worked on again.
    pub async fn work(&self, run: Uuid, options: WorkOptions) -> Result<RunEntry, RunError> {
        let entry = self.run_by_id(run).await?;
        if !self.versions().contains(&entry.target_version) {
            // A newer build's run: this one would only take tenants to give them back.
            return Err(RunError::UnknownVersion(entry.target_version));
        }
        let crew = Arc::new(Crew {
            inner: Arc::clone(&self.inner),
            run,
            options: Arc::new(entry.options.clone()),
            actor: entry.actor.as_str().into(),
            events: options.events,
            extent: match entry.reverts {
                Some(_) => Extent::BackToo,
                None => Extent::Forth,
            },
            looks: HashSet::from([entry.target_version.clone()]),
            sites: Mutex::default(),
            courses: Mutex::default(),
            leases: std::sync::Mutex::default(),
        });
        let keeper = tokio::spawn(Arc::clone(&crew).keep_leases());
        let mut workers = JoinSet::new();
        for _ in 0..options.connections.clamp(1, 16) {
            workers.spawn(Arc::clone(&crew).work(options.stop.clone()));
        }
        let mut outcome = Ok(());
        while let Some(ended) = workers.join_next().await {
            match ended {
                Ok(ended) => outcome = outcome.and(ended),
                Err(join) => std::panic::resume_unwind(join.into_panic()),
            }
        }
        keeper.abort();
        outcome?;
        run_entry(&self.inner.db, run).await
    }
}

/// Tenants that are alike for our purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Batch {
    node: Uuid,
    is_spare: bool,
    version: String,
    target: String,
}

impl<P: Product> Crew<P> {
    async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>) -> Result<(), RunError> {
        let mut pace = Pace::default();
        let mut answered = Instant::now();
        while !*stop.borrow_and_update() {
            let wait = match self.turn(&mut pace).await {
                Ok(Turn::Worked) => Duration::ZERO,
                Ok(Turn::Wait(wait)) => wait,
                Ok(Turn::Over) => return Ok(()),
                Err(error) if is_outage(&error) && answered.elapsed() < PATIENCE => {
                    tracing::warn!(error = %error, "the platform does not answer, trying again");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            answered = Instant::now();
            if !wait.is_zero() {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    changed = stop.changed() => if changed.is_err() {
                        // Nobody is left who could say it.
                        tokio::time::sleep(wait).await;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes a handful of tenants and does what there is to do.
    async fn turn(&self, pace: &mut Pace) -> Result<Turn, RunError> {
        let lease = Uuid::now_v7();
        let claimed = claim(&self.inner.db, self.run, lease, pace.in_hand as usize).await?;
        if claimed.is_empty() {
            return advance(&self.inner, self.run).await;
        }
        self.hold_lease(lease);
        let outcome = self.take(lease, claimed, pace).await;
        self.let_go(lease);
        if let Err(error) = &outcome {
            // So that others need not wait for the lease to end.
            if let Err(silent) = give_back(&self.inner.db, self.run, lease).await {
                tracing::debug!(error = %silent, cause = %error, "a lease was left to end by itself");
            }
        }
        outcome.map(|()| Turn::Worked)
    }

    async fn take(
        &self,
        lease: Uuid,
        claimed: Vec<Claimed>,
        pace: &mut Pace,
    ) -> Result<(), RunError> {
        let mut batches: BTreeMap<Batch, Vec<Claimed>> = BTreeMap::new();
        for tenant in claimed {
            let batch = Batch {
                node: tenant.node_id,
                is_spare: tenant.traffic == Traffic::None,
                version: tenant.version.clone(),
                target: tenant.target.clone(),
            };
            batches.entry(batch).or_default().push(tenant);
        }
        for (batch, tenants) in batches {
            let site = match self.site(batch.node).await? {
                Ok(site) => site,
                Err(error) => {
                    self.out_of_reach(lease, &error, tenants).await?;
                    continue;
                }
            };
            let shift = Shift {
                run: self.run,
                lease,
                options: Arc::clone(&self.options),
                actor: Arc::clone(&self.actor),
                site,
            };
            self.carry(&shift, &batch, tenants, pace).await?;
        }
        Ok(())
    }

    /// Brings tenants that stand at one version to their target, proves it and says so.
    async fn carry(
        &self,
        shift: &Shift,
        batch: &Batch,
        tenants: Vec<Claimed>,
        pace: &mut Pace,
    ) -> Result<(), RunError> {
        let course = self.course(&shift.site).await?;
        let begun = Instant::now();
        let tenants = self.settle_with_node(shift, &course, tenants).await?;
        let count = tenants.len() as u32;
        let mut carried = vec![];
        for (version, mut tenants) in by_version(tenants) {
            let path = self.path(&course, &version, batch)?;
            let mut from = version;
            for segment in path.segments {
                let segment = Arc::new(segment);
                let mut passed = vec![];
                while !tenants.is_empty() {
                    let rest = tenants.split_off(tenants.len().min(pace.together as usize));
                    let some = std::mem::replace(&mut tenants, rest);
                    let (begun, count) = (Instant::now(), some.len() as u32);
                    passed.extend(self.pass(shift, &segment, &from, some).await?);
                    pace.locked(begun.elapsed(), count);
                }
                tenants = passed;
                from.clone_from(&segment.to);
                for tenant in &mut tenants {
                    tenant.version.clone_from(&segment.to);
                }
            }
            carried.extend(tenants);
        }
        pace.took(begun.elapsed(), count);
        if carried.is_empty() {
            return Ok(());
        }
        let reference = course
            .reference(&batch.target)
            .ok_or_else(|| RunError::UnknownVersion(batch.target.clone()))?;
        let verdicts = prove(&self.inner, shift, reference, carried).await?;
        settle(&self.inner, shift, &verdicts).await?;
        let each = begun.elapsed() / count.max(1);
        for verdict in verdicts {
            self.tell(verdict, &batch.version, each);
        }
        Ok(())
    }

    /// Takes tenants through one piece of the way. Who comes out at the other end is returned;
    /// what became of the others is in their rows.
    async fn pass(
        &self,
        shift: &Shift,
        segment: &Arc<Segment>,
        from: &str,
        tenants: Vec<Claimed>,
    ) -> Result<Vec<Claimed>, RunError> {
        if let Work::Message(_) = segment.work
            && tenants.len() > 1
        {
            match apply(&self.inner, shift, segment, from, tenants.clone()).await {
                Ok(()) => return Ok(tenants),
                // One of them is in the way of the others: each for itself then.
                Err(Cut::Lost) => {}
                Err(Cut::Db(error)) if is_lost_connection(&error) => return Err(error.into()),
                Err(Cut::Db(_)) => {}
            }
        }
        let mut passed = vec![];
        for tenant in tenants {
            match self.pass_one(shift, segment, from, &tenant).await {
                Ok(()) => passed.push(tenant),
                Err(Cut::Lost) => {
                    tracing::warn!(tenant.id = %tenant.id, "somebody else has taken a tenant");
                }
                Err(Cut::Db(error)) => {
                    self.stumbled(shift, segment, tenant, &error).await?;
                }
            }
        }
        Ok(passed)
    }

    async fn pass_one(
        &self,
        shift: &Shift,
        segment: &Arc<Segment>,
        from: &str,
        tenant: &Claimed,
    ) -> Result<(), Cut> {
        match &segment.work {
            Work::Message(_) => {}
            Work::Index { name, statement } => {
                build_index(&self.inner, shift, name, statement, tenant).await?;
            }
            Work::Fill { statement } => fill(&self.inner, shift, statement, tenant).await?,
        }
        apply(&self.inner, shift, segment, from, vec![tenant.clone()]).await
    }

    /// On another node the schemas' own histories say where they stand.
    async fn settle_with_node(
        &self,
        shift: &Shift,
        course: &Course,
        mut tenants: Vec<Claimed>,
    ) -> Result<Vec<Claimed>, RunError> {
        if shift.site.is_own() {
            return Ok(tenants);
        }
        let there = versions_there(&self.inner, shift, &course.ledger, &tenants).await?;
        for tenant in &mut tenants {
            let Some(version) = there.get(&tenant.id) else {
                continue;
            };
            if *version != tenant.version {
                match correct(&self.inner, shift, version, tenant).await {
                    Ok(()) => tenant.version.clone_from(version),
                    Err(Cut::Lost) => {}
                    Err(Cut::Db(error)) => return Err(error.into()),
                }
            }
        }
        Ok(tenants)
    }

    fn path(&self, course: &Course, version: &str, batch: &Batch) -> Result<Path, RunError> {
        let place = |version: &str| {
            course
                .position(version)
                .ok_or_else(|| RunError::UnknownVersion(version.to_owned()))
        };
        let traffic = match batch.is_spare {
            true => Traffic::None,
            false => Traffic::Live,
        };
        if place(version)? <= place(&batch.target)? {
            Path::forth(course, version, &batch.target, traffic)
        } else {
            Path::back(course, version, &batch.target)
        }
    }
}

fn by_version(tenants: Vec<Claimed>) -> BTreeMap<String, Vec<Claimed>> {
    let mut grouped: BTreeMap<String, Vec<Claimed>> = BTreeMap::new();
    for tenant in tenants {
        grouped
            .entry(tenant.version.clone())
            .or_default()
            .push(tenant);
    }
    grouped
}
