//! Somebody who follows: first what is in the log, then what comes, and from the log again when they
//! were too slow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::hub::{Channel, Door, Inner, News};
use super::log::{PAGE, Page, read_page};
use super::seats::Seat;
use super::tally::{Counted, Ending, Medium};
use super::told::{Missed, Saying, Told, Why};
use super::view::{Ask, View};
use crate::auth::epoch::AccessState;
use crate::auth::{AuthError, Means, Principal, Shown};
use crate::db::TenantDb;
use crate::kernel::TenantKey;

/// Before something that failed for now is tried again.
const PAUSE: Duration = Duration::from_millis(250);
/// A stream that nothing else bounds.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Who wants to follow what.
#[derive(Debug)]
pub struct Wanted {
    /// Whose events.
    pub tenant: TenantKey,
    /// Who follows.
    pub principal: Arc<Principal>,
    /// How they are told.
    pub medium: Medium,
    /// How they have proven it.
    pub shown: Shown,
    /// What they want to hear of.
    pub ask: Ask,
    /// What they may hear of it.
    pub view: View,
    /// The last event that they know of; nothing when only what comes counts.
    pub after: Option<i64>,
}

/// Somebody who follows. What it holds doesn't grow, however slow they are.
#[derive(Debug)]
pub struct Follower {
    hub: Arc<Inner>,
    channel: Arc<Channel>,
    news: broadcast::Receiver<News>,
    closing: watch::Receiver<bool>,
    tenant: TenantKey,
    shown: Shown,
    ask: Ask,
    view: View,
    /// The last event that was looked at for them; unknown until it was looked where the log ends.
    cursor: Option<i64>,
    /// Read from the log, not told yet.
    page: VecDeque<Arc<Told>>,
    stage: Stage,
    /// How it stood with who may what when their rights were last looked at.
    access: Option<AccessState>,
    ends_at: Instant,
    counted: Counted,
    _seat: Seat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has been said yet.
    Beginning,
    /// What is in the log comes first.
    Reading,
    /// What comes.
    Listening,
}

impl Follower {
    pub(super) fn new(
        hub: Arc<Inner>,
        channel: Arc<Channel>,
        news: broadcast::Receiver<News>,
        seat: Seat,
        wanted: Wanted,
    ) -> Self {
        let life = life_left(&wanted, &hub);
        Self {
            closing: hub.closing.subscribe(),
            channel,
            news,
            tenant: wanted.tenant,
            shown: wanted.shown,
            ask: wanted.ask,
            view: wanted.view,
            cursor: wanted.after,
            page: VecDeque::new(),
            stage: Stage::Beginning,
            access: None,
            ends_at: Instant::now() + life,
            counted: Counted::begin(&hub.tally, wanted.medium),
            _seat: seat,
            hub,
        }
    }

    /// The last event that needs not be told any more.
    pub fn cursor(&self) -> Option<i64> {
        self.cursor
    }

    /// What they hear of.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Where to say why it ends, for those who find it out.
    pub fn ending(&self) -> Ending {
        self.counted.ending().clone()
    }

    /// Has them hear of something else from now on.
    ///
    /// # Errors
    ///
    /// The permission that is missing; then they hear of the same as before.
    pub async fn ask_for(&mut self, ask: Ask) -> Result<(), &'static str> {
        let Door::Open(db) = self.hub.enter(self.tenant).await else {
            return Ok(());
        };
        let now = self.hub.clock.now();
        // Whoever is nobody any more is told so before anything else is.
        if let Ok(principal) = self.shown.holder(&self.hub.access, &db, now).await {
            self.view = View::of(&principal, &ask)?;
            self.ask = ask;
        }
        Ok(())
    }

    /// The next thing to say, as soon as there is one; nothing once it is over. It may be dropped at
    /// any moment and asked for again: nothing is lost by that.
    pub async fn next(&mut self) -> Option<Saying> {
        if self.counted.ending().is_near() {
            return None;
        }
        let mut closing = self.closing.clone();
        let ends_at = self.ends_at;
        let saying = tokio::select! {
            biased;
            _ = closing.wait_for(|is_closing| *is_closing) => Saying::Over(Why::Restart),
            () = tokio::time::sleep_until(ends_at) => Saying::Over(Why::TokenExpired),
            saying = self.go_on() => saying,
        };
        if let Saying::Over(why) = saying {
            self.counted.ending().because(why);
        }
        Some(saying)
    }

    async fn go_on(&mut self) -> Saying {
        loop {
            while let Some(event) = self.page.pop_front() {
                self.cursor = Some(event.id);
                if self.view.shows(&event) {
                    return Saying::Event(event);
                }
            }
            let said = match self.stage {
                // On the heap: those who only listen need no room for it.
                Stage::Beginning | Stage::Reading => Box::pin(self.read()).await,
                Stage::Listening => match self.news.recv().await {
                    Ok(news) => Box::pin(self.hear(news)).await,
                    Err(RecvError::Lagged(_)) => {
                        self.stage = Stage::Reading;
                        self.missed(Missed::Behind, self.channel.head())
                    }
                    Err(RecvError::Closed) => Some(Saying::Over(Why::Restart)),
                },
            };
            if let Some(said) = said {
                return said;
            }
        }
    }

    async fn hear(&mut self, news: News) -> Option<Saying> {
        match news {
            News::Over(why) => Some(Saying::Over(why)),
            News::Begins(head) => {
                if self.cursor != Some(head) {
                    self.stage = Stage::Reading;
                }
                None
            }
            News::Access(access) if self.access == Some(access) => None,
            // Read with what is in the log, where it is looked at before anything is told.
            News::Access(_) => {
                self.stage = Stage::Reading;
                None
            }
            News::Event(event) => {
                let cursor = self.cursor?;
                if event.id <= cursor {
                    return None;
                }
                if event.id != cursor + 1 {
                    self.stage = Stage::Reading;
                    return None;
                }
                self.cursor = Some(event.id);
                let is_shown = self.view.shows(&event);
                is_shown.then_some(Saying::Event(event))
            }
        }
    }

    /// Reads a part of the log, and looks at their rights if they may have changed.
    async fn read(&mut self) -> Option<Saying> {
        let db = match self.hub.enter(self.tenant).await {
            Door::Open(db) => db,
            Door::Shut => return Some(Saying::Over(Why::DealerUnavailable)),
            Door::NotNow => return pause().await,
        };
        // What was told up to now is in the log: nobody is called slow for it.
        self.news = self.news.resubscribe();
        if let Some(why) = self.channel.over() {
            return Some(Saying::Over(why));
        }
        let limit = if self.stage == Stage::Beginning {
            0
        } else {
            PAGE
        };
        let after = self.cursor.unwrap_or_default();
        let Ok(page) = db.read(async |tx| read_page(tx, after, limit).await).await else {
            return pause().await;
        };
        self.channel.notice(page.access, &self.hub.access, &db);
        if self.access != Some(page.access) {
            match self.look_at_rights(&db).await {
                Ok(true) => self.access = Some(page.access),
                Ok(false) => return pause().await,
                Err(why) => return Some(Saying::Over(why)),
            }
        }
        self.take(page)
    }

    fn take(&mut self, page: Page) -> Option<Saying> {
        let head = page.head;
        let cursor = *self.cursor.get_or_insert(head);
        if self.stage == Stage::Beginning {
            self.stage = if cursor == head {
                Stage::Listening
            } else {
                Stage::Reading
            };
            return Some(Saying::Ready {
                after: cursor,
                topics: self.view.topics().to_vec(),
            });
        }
        if cursor > head {
            self.cursor = Some(head);
            self.stage = Stage::Listening;
            return self.missed(Missed::Unknown, head);
        }
        let floor = page.events.first().map_or(head, |event| event.id - 1);
        let is_whole = i64::try_from(page.events.len()).is_ok_and(|count| count < PAGE);
        self.page = page.events.into();
        if is_whole {
            self.stage = Stage::Listening;
        }
        if floor != cursor {
            self.cursor = Some(floor);
            return self.missed(Missed::Expired, head);
        }
        None
    }

    fn missed(&self, missed: Missed, head: i64) -> Option<Saying> {
        let after = self.cursor?;
        Some(Saying::Resync {
            missed,
            after,
            head,
        })
    }

    /// Whether they may still hear what they hear; `false` when that can't be told now.
    async fn look_at_rights(&mut self, db: &TenantDb) -> Result<bool, Why> {
        let now = self.hub.clock.now();
        let principal = match self.shown.holder(&self.hub.access, db, now).await {
            Ok(principal) => principal,
            Err(AuthError::Db(_) | AuthError::Unavailable | AuthError::Broken(_)) => {
                return Ok(false);
            }
            Err(
                AuthError::WrongCredentials
                | AuthError::InvalidToken
                | AuthError::OtherTenant
                | AuthError::InvalidRefreshToken
                | AuthError::TooManyAttempts(_),
            ) => return Err(Why::AccessRevoked),
        };
        let must_enrol = principal.session().is_some_and(|it| it.must_enrol);
        match View::of(&principal, &self.ask) {
            Ok(view) if !must_enrol && view.covers(&self.view) => {
                self.view = view;
                Ok(true)
            }
            Ok(_) | Err(_) => Err(Why::PermissionLost),
        }
    }
}

async fn pause() -> Option<Saying> {
    tokio::time::sleep(PAUSE).await;
    None
}

/// A stream lives no longer than what opened it.
fn life_left(wanted: &Wanted, hub: &Inner) -> Duration {
    let now = hub.clock.now();
    let end = match &wanted.principal.means {
        Means::Session(session) => Some(session.expires_at),
        Means::ApiKey(key) => key.expires_at,
    };
    let whole = end.map(|end| (end - now).try_into().unwrap_or_default());
    let shown = wanted.shown.life_left(now);
    [whole, shown]
        .into_iter()
        .flatten()
        .fold(LONGEST, Duration::min)
}
