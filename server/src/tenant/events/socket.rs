//! The same through a WebSocket.

use std::io::ErrorKind;
use std::time::Duration;

use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Closed, MessageStream,
    ProtocolError, Session,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::wire::{ReadyOut, ResyncOut};
use crate::config::Live;
use crate::events::Topic;
use crate::live::{Ask, Follower, Saying, Why};

/// No message of a client needs more, bytes; in however many frames it comes.
const LARGEST_MESSAGE: usize = 4096;
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

/// How long what takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How often the other end is asked whether it is there.
    heartbeat: Duration,
    /// How long it may take what it is told.
    stalled: Duration,
}

impl Pace {
    pub(super) fn of(config: &Live) -> Self {
        Self {
            heartbeat: config.heartbeat(),
            stalled: config.stalled(),
        }
    }
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
    pace: Pace,
) {
    let mut socket = Socket {
        follower,
        session,
        pace,
        heard_at: Instant::now(),
        pings_at: Instant::now() + pace.heartbeat,
    };
    let messages = messages
        .max_frame_size(LARGEST_MESSAGE)
        .aggregate_continuations()
        .max_continuation_size(LARGEST_MESSAGE);
    let end = socket.go_on(messages).await;
    let (code, why) = match end {
        End::Gone => return,
        End::Broken(code, why) => (code, why),
        // They didn't take what was said before: their place is not to wait for a farewell.
        End::Over(Why::TooSlow) => return socket.give_up(),
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
    let _ = tokio::time::timeout(pace.stalled, farewell).await;
}

struct Socket {
    follower: Follower,
    session: Session,
    pace: Pace,
    heard_at: Instant,
    pings_at: Instant,
}

impl Socket {
    async fn go_on(&mut self, mut messages: AggregatedMessageStream) -> End {
        loop {
            let done = tokio::select! {
                saying = self.follower.next() => self.tell(saying).await,
                message = messages.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(error)) => Err(broken(&error)),
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

    async fn hear(&mut self, message: AggregatedMessage) -> Result<(), End> {
        self.heard_at = Instant::now();
        match message {
            AggregatedMessage::Text(text) => match serde_json::from_str::<SaidIn>(&text) {
                Ok(said) => self.heed(said).await,
                Err(error) => self.refuse("body_invalid", &error.to_string()).await,
            },
            AggregatedMessage::Ping(bytes) => {
                let pong = self.session.pong(&bytes);
                taken(self.pace, pong).await
            }
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(_) => Err(End::Broken(CloseCode::Normal, "as you wish")),
            AggregatedMessage::Binary(_) => {
                Err(End::Broken(CloseCode::Unsupported, "messages are text"))
            }
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
        if self.heard_at.elapsed() > self.pace.heartbeat * MISSED_HEARTBEATS {
            return Err(End::Gone);
        }
        self.pings_at = Instant::now() + self.pace.heartbeat;
        taken(self.pace, self.session.ping(b"")).await
    }

    async fn say(&mut self, said: &SaidOut<'_>) -> Result<(), End> {
        self.send(serde_json::to_string(said).unwrap_or_default())
            .await
    }

    async fn send(&mut self, text: String) -> Result<(), End> {
        taken(self.pace, self.session.text(text)).await
    }

    fn give_up(self) {
        self.follower.ending().because(Why::TooSlow);
    }
}

/// Whoever takes nothing for so long is not waited for.
async fn taken(pace: Pace, sending: impl Future<Output = Result<(), Closed>>) -> Result<(), End> {
    match tokio::time::timeout(pace.stalled, sending).await {
        Ok(sent) => Ok(sent?),
        Err(_) => Err(End::Over(Why::TooSlow)),
    }
}

/// What came is no message of the protocol, or more than one may say.
fn broken(error: &ProtocolError) -> End {
    match error {
        ProtocolError::Overflow => End::Broken(CloseCode::Size, "that is too large"),
        ProtocolError::Io(error) if error.kind() == ErrorKind::InvalidData => {
            End::Broken(CloseCode::Invalid, "that can't be read")
        }
        // Of a message in pieces.
        ProtocolError::Io(_) => {
            End::Broken(CloseCode::Size, "that is too large, or has broken off")
        }
        ProtocolError::UnmaskedFrame
        | ProtocolError::MaskedFrame
        | ProtocolError::InvalidOpcode(_)
        | ProtocolError::InvalidLength(_)
        | ProtocolError::BadOpCode
        | ProtocolError::ContinuationNotStarted
        | ProtocolError::ContinuationStarted
        | ProtocolError::ContinuationFragment(_) => {
            End::Broken(CloseCode::Protocol, "that is no frame")
        }
    }
}
