//! The same through a WebSocket.

use std::time::Duration;

use actix_ws::{CloseCode, CloseReason, Closed, Message, MessageStream, Session};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::wire::{ReadyOut, ResyncOut};
use crate::events::Topic;
use crate::live::{Ask, Follower, Saying, Why};

/// No message of a client needs more, bytes.
const LARGEST_FRAME: usize = 4096;
/// After so many heartbeats without a sign of life the other end is gone.
const MISSED_HEARTBEATS: u32 = 3;

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum SaidIn {
    /// Tell me of these topics, too.
    Subscribe { topics: Vec<String> },
    /// No more of these.
    Unsubscribe { topics: Vec<String> },
}

/// What it is told besides events.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SaidOut<'a> {
    Ready(ReadyOut<'a>),
    Resync(ResyncOut),
    Subscribed { topics: &'a [Topic] },
    Error { code: &'static str, detail: &'a str },
    Closed { reason: Why },
}

/// Why it is over without a reason of the hub's.
enum End {
    /// They have gone, or say so.
    Gone,
    /// They may not go on.
    Over(Why),
    /// They don't keep to the protocol.
    Broken(CloseCode, &'static str),
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::Gone
    }
}

/// Tells a follower what happens for as long as both ends are there.
pub(super) async fn serve(
    follower: Follower,
    session: Session,
    messages: MessageStream,
    heartbeat: Duration,
) {
    let mut socket = Socket {
        follower,
        session,
        heartbeat,
        heard_at: Instant::now(),
        pings_at: Instant::now() + heartbeat,
    };
    let end = socket.go_on(messages.max_frame_size(LARGEST_FRAME)).await;
    let (code, why) = match end {
        End::Gone => return,
        End::Broken(code, why) => (code, why),
        End::Over(reason) => {
            let closed = SaidOut::Closed { reason };
            // Both are words of farewell: whoever doesn't take them has gone.
            let _ = socket.say(&closed).await;
            (CloseCode::from(reason.close_code()), reason.as_str())
        }
    };
    let farewell = socket.session.close(Some(CloseReason {
        code,
        description: Some(why.to_owned()),
    }));
    let _ = tokio::time::timeout(heartbeat, farewell).await;
}

struct Socket {
    follower: Follower,
    session: Session,
    heartbeat: Duration,
    heard_at: Instant,
    pings_at: Instant,
}

impl Socket {
    async fn go_on(&mut self, mut messages: MessageStream) -> End {
        loop {
            let done = tokio::select! {
                saying = self.follower.next() => self.tell(saying).await,
                message = messages.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(_)) => Err(End::Broken(CloseCode::Size, "what came is no message, or too large")),
                    None => Err(End::Gone),
                },
                () = tokio::time::sleep_until(self.pings_at) => self.ping().await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn tell(&mut self, saying: Option<Saying>) -> Result<(), End> {
        match saying {
            None => Err(End::Gone),
            Some(Saying::Over(why)) => Err(End::Over(why)),
            Some(Saying::Event(event)) => {
                let text = format!("{{\"type\":\"event\",{}", &event.text[1..]);
                self.send(text).await
            }
            Some(Saying::Ready { after, topics }) => {
                let ready = ReadyOut {
                    after: after.to_string(),
                    topics: &topics,
                };
                self.say(&SaidOut::Ready(ready)).await
            }
            Some(Saying::Resync {
                missed,
                after,
                head,
            }) => {
                let resync = ResyncOut {
                    reason: missed,
                    after: after.to_string(),
                    head: head.to_string(),
                };
                self.say(&SaidOut::Resync(resync)).await
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.heard_at = Instant::now();
        match message {
            Message::Text(text) => match serde_json::from_str::<SaidIn>(&text) {
                Ok(said) => self.heed(said).await,
                Err(error) => self.refuse("body_invalid", &error.to_string()).await,
            },
            Message::Ping(bytes) => Ok(self.session.pong(&bytes).await?),
            Message::Pong(_) | Message::Nop => Ok(()),
            Message::Close(_) => Err(End::Broken(CloseCode::Normal, "as you wish")),
            Message::Binary(_) | Message::Continuation(_) => Err(End::Broken(
                CloseCode::Unsupported,
                "messages are whole, and text",
            )),
        }
    }

    async fn heed(&mut self, said: SaidIn) -> Result<(), End> {
        let (SaidIn::Subscribe { topics: names } | SaidIn::Unsubscribe { topics: names }) = &said;
        let named: Option<Vec<_>> = names.iter().map(|name| Topic::named(name)).collect();
        let Some(named) = named else {
            return self.refuse("query_invalid", "there is no such topic").await;
        };
        let mut topics = self.follower.view().topics().to_vec();
        topics.retain(|topic| !named.contains(topic));
        if matches!(said, SaidIn::Subscribe { .. }) {
            topics.extend(named);
        }
        match self.follower.ask_for(Ask::Topics(topics)).await {
            Ok(()) => {
                let topics = self.follower.view().topics().to_vec();
                self.say(&SaidOut::Subscribed { topics: &topics }).await
            }
            Err(permission) => self.refuse("permission_denied", permission).await,
        }
    }

    async fn refuse(&mut self, code: &'static str, detail: &str) -> Result<(), End> {
        self.say(&SaidOut::Error { code, detail }).await
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard_at.elapsed() > self.heartbeat * MISSED_HEARTBEATS {
            return Err(End::Gone);
        }
        self.pings_at = Instant::now() + self.heartbeat;
        Ok(self.session.ping(b"").await?)
    }

    async fn say(&mut self, said: &SaidOut<'_>) -> Result<(), End> {
        self.send(serde_json::to_string(said).unwrap_or_default())
            .await
    }

    /// Whoever takes nothing for so long is not waited for.
    async fn send(&mut self, text: String) -> Result<(), End> {
        let patience = self.heartbeat * MISSED_HEARTBEATS;
        match tokio::time::timeout(patience, self.session.text(text)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(End::Over(Why::TooSlow)),
        }
    }
}
