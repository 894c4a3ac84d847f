//! Reads one dealer's log for all who follow it here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::hub::{Channel, Door, Inner, News};
use super::log::{PAGE, read_page};
use super::told::Why;
use crate::auth::epoch::AccessState;
use crate::kernel::TenantKey;

/// Reads for as long as somebody follows: whenever the bell rings for the dealer, and now and then.
pub(super) async fn run(hub: Arc<Inner>, tenant: TenantKey, channel: Arc<Channel>) {
    // Should the thread that this runs on end, followers on others come again.
    let mut reader = Reader {
        hub: &hub,
        tenant,
        channel: &channel,
        seen: None,
        ends: Why::Restart,
    };
    let mut closing = hub.closing.subscribe();
    loop {
        tokio::select! {
            is_open = reader.look() => if !is_open {
                reader.ends = Why::DealerUnavailable;
                return;
            },
            _ = closing.wait_for(|is_closing| *is_closing) => return,
        }
        tokio::select! {
            () = channel.wake.notified() => {}
            () = tokio::time::sleep(hub.config.look_every()) => {}
            _ = closing.wait_for(|is_closing| *is_closing) => return,
        }
        if hub.give_up(tenant, &channel) {
            return;
        }
    }
}

struct Reader<'a> {
    hub: &'a Inner,
    tenant: TenantKey,
    channel: &'a Arc<Channel>,
    /// How things stood, and the last event told, once it has looked.
    seen: Option<(AccessState, i64)>,
    ends: Why,
}

impl Reader<'_> {
    /// Tells what is new. Whether the dealer's rows are to be had at all.
    async fn look(&mut self) -> bool {
        let db = match self.hub.enter(self.tenant).await {
            Door::Open(db) => db,
            Door::NotNow => return true,
            Door::Shut => return false,
        };
        loop {
            let (after, limit) = self.seen.map_or((0, 0), |(_, last)| (last, PAGE));
            let read = db.read(async |tx| read_page(tx, after, limit).await).await;
            let page = match read {
                Ok(page) => page,
                Err(error) => {
                    // It is tried again soon; an outage is told by those who meet it in requests.
                    tracing::debug!(tenant.id = %self.tenant, error = %error, "events could not be read");
                    return true;
                }
            };
            self.channel.head.store(page.head, Ordering::Relaxed);
            self.channel.notice(page.access, &self.hub.access, &db);
            match self.seen {
                None => {
                    self.tell(News::Access(page.access));
                    self.tell(News::Begins(page.head));
                    self.seen = Some((page.access, page.head));
                    return true;
                }
                Some((access, last)) => {
                    if access != page.access {
                        self.tell(News::Access(page.access));
                    }
                    let count = page.events.len();
                    let newest = page.events.last().map_or(last, |event| event.id);
                    self.seen = Some((page.access, newest));
                    for event in page.events {
                        self.tell(News::Event(event));
                    }
                    if i64::try_from(count).is_ok_and(|count| count < PAGE) {
                        return true;
                    }
                }
            }
        }
    }

    fn tell(&self, news: News) {
        // The last follower may have left a moment ago.
        let _ = self.channel.news.send(news);
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.hub.end(self.tenant, self.channel, self.ends);
    }
}
