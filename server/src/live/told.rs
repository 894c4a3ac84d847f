//! What followers are told.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::events::Topic;

/// An event, ready to be told to many.
#[derive(Debug)]
pub struct Told {
    /// Its place in the log.
    pub id: i64,
    /// Such as `item.created`.
    pub kind: String,
    /// What it is about; nothing when that is a word of a later build.
    pub topic: Option<Topic>,
    /// The one member it is for; nothing for all who may see the topic.
    pub audience: Option<Uuid>,
    /// As it goes out, one line of JSON.
    pub text: Box<str>,
}

/// An event on the wire.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    kind: &'a str,
    topic: &'a str,
    at: String,
    data: &'a Value,
}

/// One thing to say to a follower.
#[derive(Debug)]
pub enum Saying {
    /// They follow from here on.
    Ready {
        /// The last event that is not told any more.
        after: i64,
        /// What they hear of.
        topics: Vec<Topic>,
    },
    /// Something has happened.
    Event(Arc<Told>),
    /// Something is amiss with what they know.
    Resync {
        /// What.
        missed: Missed,
        /// The last event that they have been told, or need not wait for; it goes on after it.
        after: i64,
        /// The newest event there is.
        head: i64,
    },
    /// It is over.
    Over(Why),
}

/// What a follower has missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// Nothing yet, but they are far behind: whoever only wants to know how things stand should look
    /// rather than wait for all that comes.
    Behind,
    /// Events that aren't kept any more.
    Expired,
    /// Unknown: they speak of an event that is not there yet.
    Unknown,
}

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The access token has run out: come again with a new one.
    TokenExpired,
    /// The session or the key is no good any more.
    AccessRevoked,
    /// They may not hear of something any more; of the rest they may, if they come again.
    PermissionLost,
    /// Nobody gets to the dealer's rows now.
    DealerUnavailable,
    /// This process ends: come again.
    Restart,
    /// They don't take what they are sent.
    TooSlow,
}

impl Told {
    pub(super) fn new(
        (id, kind, topic): (i64, String, &str),
        at: OffsetDateTime,
        audience: Option<Uuid>,
        data: &Value,
    ) -> Self {
        let line = Line {
            id: id.to_string(),
            kind: &kind,
            topic,
            at: at.format(&Rfc3339).unwrap_or_default(),
            data,
        };
        let text = serde_json::to_string(&line).unwrap_or_default();
        Self {
            id,
            topic: Topic::named(topic),
            audience,
            text: text.into(),
            kind,
        }
    }
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::TokenExpired,
        Self::AccessRevoked,
        Self::PermissionLost,
        Self::DealerUnavailable,
        Self::Restart,
        Self::TooSlow,
    ];

    /// As it goes out.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenExpired => "token_expired",
            Self::AccessRevoked => "access_revoked",
            Self::PermissionLost => "permission_lost",
            Self::DealerUnavailable => "dealer_unavailable",
            Self::Restart => "restart",
            Self::TooSlow => "too_slow",
        }
    }

    /// The code that a WebSocket is closed with: one that all know, or one of our own.
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Restart => 1001,
            Self::TooSlow => 4008,
            Self::TokenExpired | Self::AccessRevoked => 4401,
            Self::PermissionLost => 4403,
            Self::DealerUnavailable => 4404,
        }
    }
}
