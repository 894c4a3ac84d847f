//! Working on a run: a few connections, each taking tenants by the handful until none is left.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::DbErr;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::apply::{Cut, Shift, apply, correct, find_statement, versions_there};
use super::claim::{Claimed, LEASE_SECONDS, claim, give_back, renew};
use super::course::{Course, Extent};
use super::finish::{Verdict, explain, prove, put_off, settle};
use super::one_by_one::{build_index, fill};
use super::options::RunOptions;
use super::path::{Path, Segment, Traffic, Work};
use super::progress::{RunEntry, run_entry};
use super::start::Started;
use super::wave::{Turn, advance};
use super::{PlaceState, RunError};
use crate::nodes::{ReachError, Site};
use crate::{Inner, Product, Provisioner, db_error};

/// Tenants in one message at most. Together they are cheaper, and all of them are locked until the
/// last one is done.
const MOST_AT_ONCE: u32 = 16;

/// How long tenants of one message may be locked together.
const LOCKED_FOR: Duration = Duration::from_millis(10);

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

/// What the workers of one process share.
struct Crew<P> {
    inner: Arc<Inner<P>>,
    run: Uuid,
    options: Arc<RunOptions>,
    actor: Arc<str>,
    events: Option<mpsc::UnboundedSender<Event>>,
    extent: Extent,
    sites: Mutex<HashMap<Uuid, Result<Site, ReachError>>>,
    courses: Mutex<HashMap<Uuid, Arc<Course>>>,
    leases: std::sync::Mutex<Vec<Uuid>>,
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
        let mut size = 1;
        let mut answered = Instant::now();
        while !*stop.borrow_and_update() {
            let wait = match self.turn(&mut size).await {
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
    async fn turn(&self, size: &mut u32) -> Result<Turn, RunError> {
        let lease = Uuid::now_v7();
        let claimed = claim(&self.inner.db, self.run, lease, *size as usize).await?;
        if claimed.is_empty() {
            return advance(&self.inner, self.run).await;
        }
        self.hold_lease(lease);
        let outcome = self.take(lease, claimed, size).await;
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
        size: &mut u32,
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
            self.carry(&shift, &batch, tenants, size).await?;
        }
        Ok(())
    }

    /// Brings tenants that stand at one version to their target, proves it and says so.
    async fn carry(
        &self,
        shift: &Shift,
        batch: &Batch,
        tenants: Vec<Claimed>,
        size: &mut u32,
    ) -> Result<(), RunError> {
        let begun = Instant::now();
        let course = self.course(&shift.site).await?;
        let tenants = self.settle_with_node(shift, &course, tenants).await?;
        let count = tenants.len() as u32;
        let mut carried = vec![];
        for (version, mut tenants) in by_version(tenants) {
            let path = self.path(&course, &version, batch)?;
            let mut from = version;
            for segment in path.segments {
                let segment = Arc::new(segment);
                tenants = self.pass(shift, &segment, &from, tenants).await?;
                from.clone_from(&segment.to);
                for tenant in &mut tenants {
                    tenant.version.clone_from(&segment.to);
                }
            }
            carried.extend(tenants);
        }
        // As many as are locked together for no longer than they may be.
        let each = begun.elapsed() / count.max(1);
        let fit = LOCKED_FOR.as_micros() / each.as_micros().max(1);
        *size = (fit as u32).clamp(1, MOST_AT_ONCE).min(*size * 2);
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

    /// A tenant could not be moved: later, if that may help.
    async fn stumbled(
        &self,
        shift: &Shift,
        segment: &Segment,
        tenant: Claimed,
        error: &DbErr,
    ) -> Result<(), RunError> {
        let was_lock = is_lock(error);
        let may_help = was_lock || is_lost_connection(error) || is_passing(error);
        let statement = match may_help {
            true => None,
            false => find_statement(&self.inner, shift, segment, &tenant.schema).await,
        };
        let explained = explain(error, statement);
        let from = tenant.version.clone();
        if may_help && (tenant.attempts as u32) < self.options.attempts {
            put_off(&self.inner, shift, &tenant, &explained, was_lock).await?;
            let verdict = Verdict {
                tenant,
                state: PlaceState::Pending,
                error: Some(explained),
            };
            self.tell(verdict, &from, Duration::ZERO);
            return Ok(());
        }
        self.fail(shift, tenant, explained).await
    }

    async fn fail(&self, shift: &Shift, tenant: Claimed, error: Value) -> Result<(), RunError> {
        tracing::error!(
            tenant.id = %tenant.id,
            run.id = %self.run,
            error = error["message"].as_str(),
            "a tenant could not be migrated"
        );
        let from = tenant.version.clone();
        let verdict = Verdict {
            tenant,
            state: PlaceState::Failed,
            error: Some(error),
        };
        settle(&self.inner, shift, std::slice::from_ref(&verdict)).await?;
        self.tell(verdict, &from, Duration::ZERO);
        Ok(())
    }

    async fn out_of_reach(
        &self,
        lease: Uuid,
        error: &ReachError,
        tenants: Vec<Claimed>,
    ) -> Result<(), RunError> {
        let own = crate::nodes::find_own(&self.inner.db).await?;
        let own = own.ok_or_else(|| RunError::NotFound("the platform's own node".to_owned()))?;
        let shift = Shift {
            run: self.run,
            lease,
            options: Arc::clone(&self.options),
            actor: Arc::clone(&self.actor),
            site: Site::own(own),
        };
        let explained = json!({
            "message": error.to_string(),
            "hint": "its node must be reachable with the platform's login: see tubex node list",
        });
        for tenant in tenants {
            if (tenant.attempts as u32) < self.options.attempts {
                put_off(&self.inner, &shift, &tenant, &explained, false).await?;
            } else {
                self.fail(&shift, tenant, explained.clone()).await?;
            }
        }
        // Another look the next time.
        self.sites.lock().await.retain(|_, site| site.is_ok());
        Ok(())
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

    async fn site(&self, node: Uuid) -> Result<Result<Site, ReachError>, RunError> {
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
    async fn course(&self, site: &Site) -> Result<Arc<Course>, RunError> {
        let mut courses = self.courses.lock().await;
        if let Some(course) = courses.get(&site.id()) {
            return Ok(Arc::clone(course));
        }
        let there = site.database(&self.inner.db);
        let course = Course::record(there, &self.inner.product, self.extent).await?;
        let course = Arc::new(course);
        courses.insert(site.id(), Arc::clone(&course));
        Ok(course)
    }

    fn tell(&self, verdict: Verdict, from: &str, took: Duration) {
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

    fn hold_lease(&self, lease: Uuid) {
        self.leases().push(lease);
    }

    fn let_go(&self, lease: Uuid) {
        self.leases().retain(|one| *one != lease);
    }

    fn leases(&self) -> std::sync::MutexGuard<'_, Vec<Uuid>> {
        self.leases
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes leases last for as long as we live.
    async fn keep_leases(self: Arc<Self>) {
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

/// A lock was not to be had, or two waited for each other.
fn is_lock(error: &DbErr) -> bool {
    db_error::trouble(error) == db_error::Trouble::Busy
}

/// The server is short of something that may come back: connections, memory, itself.
fn is_passing(error: &DbErr) -> bool {
    let code = db_error::sqlstate(error);
    matches!(
        code.as_deref(),
        Some("53300" | "53200" | "53100" | "40001" | "57P01" | "57P02" | "57P03" | "25P03")
    )
}

/// The connection is gone, and with it the answer: the next look says what came of it.
fn is_lost_connection(error: &DbErr) -> bool {
    db_error::sqlstate(error).is_none()
        || matches!(
            db_error::sqlstate(error).as_deref(),
            Some("57P01" | "57P02" | "57P03" | "08006" | "08003" | "25P03")
        )
}

fn is_outage(error: &RunError) -> bool {
    matches!(error, RunError::Db(error) if is_lost_connection(error) || is_passing(error))
}
