//! Keeps the directory fresh, by three ways of which any one would do: notifications tell at once
//! what changed, a question every half second finds what they failed to tell, and now and then
//! everything is read anew.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::index::Index;
use super::{Directory, load};
use crate::db::bell;

/// Where the triggers of the directory's tables report: a tenant's id, or `*` for anything else.
const CHANNEL: &str = "tubex_directory";
/// Pause before the database is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// How often a failure that lasts is told again.
const TELL_AGAIN: Duration = Duration::from_secs(30);
/// Notifications that may wait; what doesn't fit is found by asking.
const UNREAD: usize = 4096;

/// What a batch of notifications asks for.
#[derive(Default)]
struct Changes {
    everything: bool,
    tenants: HashSet<Uuid>,
}

/// Never returns; a failure is logged and tried again.
pub(super) async fn run(directory: Arc<Directory>, reconcile: Duration, poll: Duration) {
    let (told, heard) = mpsc::channel(UNREAD);
    tokio::join!(
        directory.bell.tell(&directory.platform),
        hear(&directory, told),
        follow_for_ever(&directory, heard, reconcile, poll)
    );
}

/// Passes notifications on. While it can't listen, asking finds the changes.
async fn hear(directory: &Directory, told: mpsc::Sender<String>) {
    let mut trouble = Trouble::default();
    loop {
        match listen(directory, &told).await {
            Ok(()) => return,
            Err(error) => trouble.tell("the directory's changes can't be heard of", &error),
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Ends well only when nobody wants to know any more.
async fn listen(directory: &Directory, told: &mpsc::Sender<String>) -> Result<(), anyhow::Error> {
    let mut listener = directory.platform.listener().await?;
    listener.listen_all([CHANNEL, bell::CHANNEL]).await?;
    while !told.is_closed() {
        // Nothing: the connection was lost and made anew.
        let Some(notification) = listener.try_recv().await? else {
            continue;
        };
        if notification.channel() == bell::CHANNEL {
            directory.bell.hear(notification.payload());
        } else {
            let _ = told.try_send(notification.payload().to_owned());
        }
    }
    Ok(())
}

async fn follow_for_ever(
    directory: &Directory,
    mut heard: mpsc::Receiver<String>,
    reconcile: Duration,
    poll: Duration,
) {
    let mut trouble = Trouble::default();
    loop {
        if let Err(error) = follow(directory, &mut heard, reconcile, poll, &mut trouble).await {
            trouble.tell("the directory can't be kept fresh", &error);
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn follow(
    directory: &Directory,
    heard: &mut mpsc::Receiver<String>,
    reconcile: Duration,
    poll: Duration,
    trouble: &mut Trouble,
) -> Result<(), anyhow::Error> {
    let mut seen = reload(directory).await?;
    trouble.is_over();
    let (mut reconcile, mut poll) = (interval(reconcile), interval(poll));
    reconcile.set_missed_tick_behavior(MissedTickBehavior::Delay);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    reconcile.tick().await;
    loop {
        tokio::select! {
            Some(first) = heard.recv() => {
                let changes = gather(heard, &first);
                if changes.everything {
                    seen = reload(directory).await?;
                } else {
                    let tenants: Vec<Uuid> = changes.tenants.into_iter().collect();
                    apply(directory, &tenants).await?;
                }
            }
            _ = poll.tick() => seen = look(directory, &seen).await?,
            _ = reconcile.tick() => seen = reload(directory).await?,
        }
        directory.is_fresh();
        directory.lanes.reap();
    }
}

/// Takes what else has already arrived, so that a thousand changes are one reading.
fn gather(heard: &mut mpsc::Receiver<String>, first: &str) -> Changes {
    let mut changes = Changes::default();
    changes.add(first);
    while let Ok(more) = heard.try_recv() {
        changes.add(&more);
    }
    changes
}

impl Changes {
    fn add(&mut self, payload: &str) {
        match payload.parse() {
            Ok(id) => {
                self.tenants.insert(id);
            }
            Err(_) => self.everything = true,
        }
    }
}

/// Asks what has become visible since, and takes it over. One query when nothing has.
async fn look(directory: &Directory, since: &str) -> Result<String, anyhow::Error> {
    let changes = directory
        .platform
        .read(async |tx| load::changes(tx, since).await)
        .await?;
    if changes.everything {
        return reload(directory).await;
    }
    if !changes.tenants.is_empty() {
        apply(directory, &changes.tenants).await?;
    }
    Ok(changes.seen)
}

async fn apply(directory: &Directory, ids: &[Uuid]) -> Result<(), anyhow::Error> {
    let rows = directory
        .platform
        .read(async |tx| load::by_ids(tx, ids).await)
        .await?;
    if rows
        .iter()
        .any(|row| directory.lanes.get(row.lane_id).is_none())
    {
        reload(directory).await?;
        return Ok(());
    }
    {
        let mut index = directory
            .index
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for id in ids
            .iter()
            .filter(|id| !rows.iter().any(|row| row.id == **id))
        {
            index.remove(*id);
        }
    }
    directory.put(rows);
    Ok(())
}

/// Reads everything and swaps it in. Returns what the next look must ask from: taken before the
/// rows are, so that it asks for one change twice rather than never.
async fn reload(directory: &Directory) -> Result<String, anyhow::Error> {
    let (seen, rows, lanes) = directory
        .platform
        .read(async |tx| {
            let seen = load::seen(tx).await?;
            Ok::<_, sea_orm::DbErr>((seen, load::all(tx).await?, load::lanes(tx).await?))
        })
        .await?;
    directory.lanes.replace(lanes);
    let mut fresh = Index::default();
    let tenants = rows.into_iter();
    for tenant in tenants.filter_map(|row| row.into_tenant(directory.limits)) {
        fresh.put(tenant);
    }
    {
        let mut index = directory
            .index
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        fresh.keep_gates_of(&index);
        *index = fresh;
    }
    directory.unknown.invalidate_all();
    directory.is_fresh();
    directory.loaded.store(true, Ordering::Release);
    Ok(seen)
}

/// A failure that lasts is told once, and again after a while.
#[derive(Default)]
struct Trouble(Option<Instant>);

impl Trouble {
    fn tell(&mut self, what: &'static str, error: &anyhow::Error) {
        if self.0.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
            tracing::warn!(error = %error, "{what}, trying again");
            self.0 = Some(Instant::now());
        }
    }

    fn is_over(&mut self) {
        if self.0.take().is_some() {
            tracing::info!("the directory is fresh again");
        }
    }
}
