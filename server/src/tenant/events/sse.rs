//! Server-sent events, as the HTML standard says.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

use super::patience::Patient;
use super::wire::{ReadyOut, ResyncOut};
use crate::config::Live;
use crate::live::{Follower, Saying, Why};

/// Somebody who is told.
struct Listener {
    follower: Follower,
    heartbeat: Duration,
    retry_ms: u64,
    spoke_at: Instant,
}

/// What a follower is told, for as long as they follow and take it.
pub(super) fn stream(
    follower: Follower,
    config: &Live,
) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let ending = follower.ending();
    let listener = Listener {
        follower,
        heartbeat: config.heartbeat(),
        retry_ms: config.retry_ms,
        spoke_at: Instant::now(),
    };
    let told = stream::unfold(listener, async |mut listener| {
        let said = listener.next().await?;
        listener.spoke_at = Instant::now();
        Some((said, listener))
    });
    let patience = config.heartbeat() + config.stalled();
    Patient::with(told, patience, closed(Why::TooSlow), move || {
        ending.because(Why::TooSlow);
    })
}

impl Listener {
    async fn next(&mut self) -> Option<Bytes> {
        let quiet_until = self.spoke_at + self.heartbeat;
        tokio::select! {
            saying = self.follower.next() => saying.map(|saying| self.say(saying)),
            () = tokio::time::sleep_until(quiet_until) => Some(self.still_here()),
        }
    }

    /// A block that has an id and no data is no event, and moves the client's cursor all the same:
    /// past what it may not hear of.
    fn still_here(&self) -> Bytes {
        let id = self.follower.cursor();
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        format!(": still here\n{id}\n").into()
    }

    fn say(&self, saying: Saying) -> Bytes {
        match saying {
            Saying::Event(event) => format!(
                "id: {}\nevent: {}\ndata: {}\n\n",
                event.id, event.kind, event.text
            )
            .into(),
            Saying::Ready { after, topics } => {
                let ready = ReadyOut {
                    after: after.to_string(),
                    topics: &topics,
                };
                let retry = format!("retry: {}\n", self.retry_ms);
                block(&retry, after, "ready", &ready)
            }
            Saying::Resync {
                missed,
                after,
                head,
            } => {
                let resync = ResyncOut {
                    reason: missed,
                    after: after.to_string(),
                    head: head.to_string(),
                };
                block("", after, "resync", &resync)
            }
            Saying::Over(why) => closed(why),
        }
    }
}

fn closed(why: Why) -> Bytes {
    let reason = json!({"reason": why.as_str()});
    format!("event: closed\ndata: {reason}\n\n").into()
}

fn block(before: &str, id: i64, event: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("{before}id: {id}\nevent: {event}\ndata: {data}\n\n").into()
}
