//! Where followers meet what happens: one per process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::follower::{Follower, Wanted};
use super::reader;
use super::seats::{NoSeat, Seats};
use super::tally::Tally;
use super::told::{Told, Why};
use crate::auth::Access;
use crate::auth::epoch::AccessState;
use crate::config::Live;
use crate::db::{Address, Directory, DirectoryError, Found, Purpose, TenantDb};
use crate::kernel::{Clock, TenantKey};

/// Takes what happens to those who follow it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Inner>);

/// What followers and readers share.
pub(super) struct Inner {
    directory: Arc<Directory>,
    pub(super) access: Access,
    pub(super) clock: Clock,
    pub(super) config: Live,
    pub(super) closing: watch::Sender<bool>,
    channels: Mutex<HashMap<TenantKey, Arc<Channel>>>,
    seats: Arc<Seats>,
    pub(super) tally: Arc<Tally>,
}

/// What is told of one dealer.
#[derive(Debug)]
pub(super) struct Channel {
    /// Bounded: who is too slow for it reads from the database.
    pub(super) news: broadcast::Sender<News>,
    /// There may be something new.
    pub(super) wake: Notify,
    /// The newest event that was seen.
    pub(super) head: AtomicI64,
    /// How it last stood with who may what.
    access: Mutex<Option<AccessState>>,
    /// Why nothing more is told, once that is so.
    over: OnceLock<Why>,
}

/// What a dealer's reader tells its followers.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// It begins to read after this event.
    Begins(i64),
    /// From now on somebody may be somebody else, or may do other things.
    Access(AccessState),
    /// Something has happened.
    Event(Arc<Told>),
    /// It is over for all.
    Over(Why),
}

/// A dealer's rows.
pub(super) enum Door {
    /// They can be read.
    Open(TenantDb),
    /// Not this moment.
    NotNow,
    /// Not any more.
    Shut,
}

impl Hub {
    /// A hub that nobody follows anything at yet, and whoever wakes its readers.
    pub fn start(
        directory: &Arc<Directory>,
        access: &Access,
        clock: &Clock,
        config: &Live,
    ) -> (Self, JoinHandle<()>) {
        let inner = Arc::new(Inner {
            directory: directory.clone(),
            access: access.clone(),
            clock: clock.clone(),
            config: config.clone(),
            closing: watch::Sender::new(false),
            channels: Mutex::default(),
            seats: Arc::default(),
            tally: Arc::default(),
        });
        let rings = directory.bell().events();
        let caller = tokio::spawn(call(inner.clone(), rings));
        (Self(inner), caller)
    }

    /// Somebody follows a dealer's events from now on. To be called where tasks may stay on their
    /// thread.
    ///
    /// # Errors
    ///
    /// [`NoSeat`].
    pub fn follow(&self, wanted: Wanted) -> Result<Follower, NoSeat> {
        let inner = &self.0;
        let (tenant, who) = (wanted.tenant, wanted.principal.actor());
        let seat = inner.seats.take(tenant, who, &inner.config)?;
        let (channel, news) = self.listen(tenant);
        Ok(Follower::new(inner.clone(), channel, news, seat, wanted))
    }

    /// Streams that are open.
    pub fn streams(&self) -> usize {
        self.0.seats.taken()
    }

    /// How many there are of which kind, and how those that are over have ended.
    pub fn tally(&self) -> &Arc<Tally> {
        &self.0.tally
    }

    /// Ends every stream, and each new one at once: this process is about to end.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    fn listen(&self, tenant: TenantKey) -> (Arc<Channel>, broadcast::Receiver<News>) {
        let mut channels = self.0.channels();
        let channel = channels.entry(tenant).or_insert_with(|| {
            let channel = Arc::new(Channel {
                news: broadcast::Sender::new(self.0.config.buffer),
                wake: Notify::new(),
                head: AtomicI64::new(0),
                access: Mutex::default(),
                over: OnceLock::new(),
            });
            let reading = reader::run(self.0.clone(), tenant, channel.clone());
            tokio::task::spawn_local(reading);
            channel
        });
        (channel.clone(), channel.news.subscribe())
    }
}

impl Inner {
    fn channels(&self) -> MutexGuard<'_, HashMap<TenantKey, Arc<Channel>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a channel up if nobody listens to it any more. Says whether it did.
    pub(super) fn give_up(&self, tenant: TenantKey, channel: &Arc<Channel>) -> bool {
        let mut channels = self.channels();
        // Whoever comes to listen holds the same lock.
        let is_idle = channel.news.receiver_count() == 0;
        if is_idle {
            forget(&mut channels, tenant, channel);
        }
        is_idle
    }

    /// The same whoever listens.
    pub(super) fn end(&self, tenant: TenantKey, channel: &Arc<Channel>, why: Why) {
        forget(&mut self.channels(), tenant, channel);
        channel.over.get_or_init(|| why);
        // Nobody may listen.
        let _ = channel.news.send(News::Over(why));
    }

    /// The way to a dealer's rows as they are now.
    pub(super) async fn enter(&self, tenant: TenantKey) -> Door {
        let tenant = match self.directory.find(&Address::Id(tenant.id())).await {
            Found::Tenant(tenant) => tenant,
            Found::Nobody => return Door::Shut,
            Found::NotReady => return Door::NotNow,
        };
        match self.directory.enter_for(Purpose::Read, &tenant) {
            Ok(db) => Door::Open(db),
            Err(DirectoryError::SchemaTooOld | DirectoryError::NoLane) => Door::NotNow,
            Err(
                DirectoryError::Provisioning
                | DirectoryError::Suspended
                | DirectoryError::PastGrace
                | DirectoryError::Closing
                | DirectoryError::Closed,
            ) => Door::Shut,
        }
    }
}

impl Channel {
    /// Has rights asked for anew if they may be others than those that are remembered: what is said
    /// of them from now on is at least as new as this.
    pub(super) fn notice(&self, seen: AccessState, access: &Access, db: &TenantDb) {
        let mut last = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != Some(seen) {
            access.forget(db);
            *last = Some(seen);
        }
    }

    /// Why nothing more is told, if that is so.
    pub(super) fn over(&self) -> Option<Why> {
        self.over.get().copied()
    }

    pub(super) fn head(&self) -> i64 {
        self.head.load(Ordering::Relaxed)
    }
}

/// Only the very channel: another may have begun since.
fn forget(
    channels: &mut HashMap<TenantKey, Arc<Channel>>,
    tenant: TenantKey,
    channel: &Arc<Channel>,
) {
    if channels
        .get(&tenant)
        .is_some_and(|it| Arc::ptr_eq(it, channel))
    {
        channels.remove(&tenant);
    }
}

/// Wakes the readers of dealers of whom something was heard.
async fn call(hub: Arc<Inner>, mut rings: broadcast::Receiver<TenantKey>) {
    loop {
        match rings.recv().await {
            Ok(tenant) => {
                if let Some(channel) = hub.channels().get(&tenant) {
                    channel.wake.notify_one();
                }
            }
            Err(RecvError::Lagged(_)) => {
                for channel in hub.channels().values() {
                    channel.wake.notify_one();
                }
            }
            Err(RecvError::Closed) => return,
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hub")
    }
}
