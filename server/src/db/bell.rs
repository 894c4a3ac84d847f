//! The bell: after a commit that handed a job over, or told an event, whoever waits for it is woken.
//!
//! It is rung beside the transaction and never inside: a notification that commits with the work
//! takes a lock that all committing transactions of the database share. Rings of one moment go out
//! as one message on the platform's database, whatever node the tenants live on. It may be lost:
//! who waits for it also looks by itself now and then.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::{Notify, broadcast, watch};
use uuid::Uuid;

use super::platform::PlatformDb;
use crate::kernel::TenantKey;

/// What processes hear of each other by.
pub(super) const CHANNEL: &str = "tubex_bell";
/// The word for jobs; everything else is the ids of tenants.
const JOBS: &str = "jobs";
/// Rings of so short a time are one.
const GATHER: Duration = Duration::from_millis(5);
/// Before a message that could not be sent is given up.
const RETRY: Duration = Duration::from_millis(500);
/// Ids in one message, whose length is bounded.
const TENANTS: usize = 200;
/// Rings that somebody who listens may have to catch up on; more, and all are to look.
const UNHEARD: usize = 4096;

/// What a transaction wakes when it commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Whoever looks for jobs.
    Jobs,
    /// Whoever follows the tenant's events.
    Events,
}

/// Wakes this process at once, and the others in a moment.
#[derive(Debug)]
pub struct Bell {
    jobs: watch::Sender<u64>,
    events: broadcast::Sender<TenantKey>,
    untold: Mutex<Untold>,
    has_untold: Notify,
}

/// Whom a transaction wakes when it commits.
#[derive(Debug)]
pub(super) struct Ring {
    bell: Arc<Bell>,
    tenant: TenantKey,
    jobs: AtomicBool,
    events: AtomicBool,
}

#[derive(Debug, Default)]
struct Untold {
    jobs: bool,
    tenants: HashSet<Uuid>,
}

impl Default for Bell {
    fn default() -> Self {
        Self {
            jobs: watch::Sender::new(0),
            events: broadcast::Sender::new(UNHEARD),
            untold: Mutex::default(),
            has_untold: Notify::new(),
        }
    }
}

impl Bell {
    /// Changes whenever there may be new jobs.
    pub fn jobs(&self) -> watch::Receiver<u64> {
        self.jobs.subscribe()
    }

    /// Tenants with new events. Whoever lags behind must look at all it follows.
    pub fn events(&self) -> broadcast::Receiver<TenantKey> {
        self.events.subscribe()
    }

    /// Rings here and everywhere.
    pub(crate) fn ring(&self, what: Wake, tenant: TenantKey) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Wake::Jobs => {
                untold.jobs = true;
                self.wake_workers();
            }
            Wake::Events => {
                untold.tenants.insert(tenant.id());
                self.wake_followers(tenant);
            }
        }
        drop(untold);
        self.has_untold.notify_one();
    }

    /// Another process, or this one, has rung.
    pub(super) fn hear(&self, payload: &str) {
        if payload == JOBS {
            self.wake_workers();
            return;
        }
        for id in payload.split(',').filter_map(|id| id.parse().ok()) {
            self.wake_followers(TenantKey::of(id));
        }
    }

    /// Tells the other processes, for ever.
    pub(super) async fn tell(&self, platform: &PlatformDb) {
        loop {
            self.has_untold.notified().await;
            tokio::time::sleep(GATHER).await;
            let untold =
                std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
            if let Err(error) = send(platform, untold).await {
                tracing::warn!(error = %error, "others could not be woken, they will look by themselves");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Only here: there may be jobs.
    pub(crate) fn wake_workers(&self) {
        self.jobs
            .send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    fn wake_followers(&self, tenant: TenantKey) {
        // Nobody follows anything: nobody is to be woken.
        let _ = self.events.send(tenant);
    }
}

impl Ring {
    pub(super) fn new(bell: Arc<Bell>, tenant: TenantKey) -> Self {
        Self {
            bell,
            tenant,
            jobs: AtomicBool::new(false),
            events: AtomicBool::new(false),
        }
    }

    /// When the time comes.
    pub(super) fn want(&self, whom: Wake) {
        let is_wanted = match whom {
            Wake::Jobs => &self.jobs,
            Wake::Events => &self.events,
        };
        is_wanted.store(true, Ordering::Relaxed);
    }

    /// The time has come.
    pub(super) fn now(&self) {
        for (is_wanted, what) in [(&self.jobs, Wake::Jobs), (&self.events, Wake::Events)] {
            if is_wanted.load(Ordering::Relaxed) {
                self.bell.ring(what, self.tenant);
            }
        }
    }
}

async fn send(platform: &PlatformDb, untold: Untold) -> Result<(), DbErr> {
    let tenants: Vec<String> = untold.tenants.iter().map(Uuid::to_string).collect();
    let mut messages: Vec<String> = tenants.chunks(TENANTS).map(|ids| ids.join(",")).collect();
    if untold.jobs {
        messages.push(JOBS.to_owned());
    }
    // Ids and one word of ours: nothing to quote.
    let script: String = messages
        .iter()
        .map(|message| format!("NOTIFY {CHANNEL}, '{message}';"))
        .collect();
    platform
        .write(async |tx| tx.execute_unprepared(&script).await.map(drop))
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_listens_is_woken_by_others_and_by_us() {
        let (bell, id) = (Bell::default(), Uuid::from_u128(7));
        let (mut jobs, mut events) = (bell.jobs(), bell.events());

        bell.ring(Wake::Jobs, TenantKey::of(id));
        bell.hear(&format!("{id},{}", Uuid::from_u128(8)));

        assert!(jobs.has_changed().unwrap());
        jobs.mark_unchanged();
        bell.hear(JOBS);
        assert!(jobs.has_changed().unwrap());
        assert_eq!(events.recv().await, Ok(TenantKey::of(id)));
        assert_eq!(events.recv().await, Ok(TenantKey::of(Uuid::from_u128(8))));
    }
}
