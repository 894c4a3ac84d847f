//! Events on the wire.

use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT, HeaderName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::events::{EventKind, Topic};
use crate::http::{Code, Problem};
use crate::live::{Ask, Missed, Told};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const PAGE: u64 = 100;
const LARGEST_PAGE: u64 = 200;

/// From where it is gone on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes the header, which is read as it stands")]
pub(super) struct LastEventId {
    /// The last event that you know of.
    #[serde(rename = "Last-Event-ID")]
    #[param(nullable = false)]
    id: Option<String>,
}

/// What is to be followed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Only these topics, with commas between; all that you may hear of when absent.
    #[param(example = "items,imports")]
    topics: Option<String>,
    /// The last event that you know of, such as the `id` of one. `Last-Event-ID` goes before it.
    /// When absent a stream begins with what comes, and a page with the oldest that is kept.
    #[param(example = "0")]
    after: Option<String>,
    /// Of a page: how many events at most, 1 to 200; 100 when absent. A stream has no pages.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// A kind of event.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventTypeOut {
    #[schema(example = "item.created")]
    name: &'static str,
    topic: Topic,
    /// What one must be allowed to do to hear of it, besides `event.read`.
    #[schema(example = "item.read")]
    permission: &'static str,
    /// What it means, for people.
    title: &'static str,
    /// JSON Schema of the event's `data`.
    #[schema(value_type = Object)]
    schema: Value,
}

/// Something that has happened.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct EventOut {
    /// Increases. Events are told in its order; there are gaps where you may not hear of something.
    #[schema(example = "42")]
    id: String,
    #[schema(example = "item.updated")]
    kind: String,
    #[schema(example = "items")]
    topic: String,
    /// UTC.
    #[schema(format = DateTime)]
    at: String,
    /// As the kind's schema says.
    #[schema(value_type = Object)]
    data: Value,
}

/// A part of what has happened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventsOut {
    data: Vec<EventOut>,
    /// Give it back as `after` to go on, whether there was something or not.
    #[schema(example = "42")]
    last_id: String,
    /// Whether there is more already.
    has_more: bool,
    /// Whether events after the one that you know of are not kept any more.
    has_missed: bool,
}

/// What goes before the events: the same on both kinds of streams.
#[derive(Debug, Serialize)]
pub(super) struct ReadyOut<'a> {
    pub(super) after: String,
    pub(super) topics: &'a [Topic],
}

/// That something is amiss with what is known.
#[derive(Debug, Serialize)]
pub(super) struct ResyncOut {
    pub(super) reason: Missed,
    pub(super) after: String,
    pub(super) head: String,
}

impl EventsQuery {
    pub(super) fn ask(&self) -> Result<Ask, Problem> {
        let Some(topics) = &self.topics else {
            return Ok(Ask::All);
        };
        let named = topics.split(',').map(|name| topic(name.trim()));
        Ok(Ask::Topics(named.collect::<Result<_, _>>()?))
    }

    pub(super) fn limit(&self) -> Result<u64, Problem> {
        match self.limit.unwrap_or(PAGE) {
            limit @ 1..=LARGEST_PAGE => Ok(limit),
            _ => Err(invalid("limit must be between 1 and 200")),
        }
    }

    /// A browser that comes again says by itself what it has seen last.
    pub(super) fn after(&self, req: &HttpRequest) -> Result<Option<i64>, Problem> {
        let header = req.headers().get(LAST_EVENT_ID);
        let header = header.map(|value| value.to_str().unwrap_or("?"));
        let Some(text) = header.or(self.after.as_deref()) else {
            return Ok(None);
        };
        match text.parse::<i64>() {
            Ok(id @ 0..) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(id)),
            _ => Err(invalid("Last-Event-ID and after are ids of events")),
        }
    }
}

fn topic(name: &str) -> Result<Topic, Problem> {
    Topic::named(name).ok_or_else(|| {
        let all = Topic::ALL.map(Topic::as_str).join(", ");
        invalid(&format!("topics are: {all}"))
    })
}

fn invalid(why: &str) -> Problem {
    Problem::new(Code::QueryInvalid).detail(why)
}

/// Whether a client asks for a page: one that takes anything gets a stream.
pub(super) fn wants_a_page(req: &HttpRequest) -> bool {
    let accepts = req.headers().get_all(ACCEPT);
    let mut accepts = accepts.filter_map(|value| value.to_str().ok());
    accepts.any(|value| value.contains("application/json"))
        && !req
            .headers()
            .get_all(ACCEPT)
            .any(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

impl From<&EventKind> for EventTypeOut {
    fn from(kind: &EventKind) -> Self {
        Self {
            name: kind.name,
            topic: kind.topic,
            permission: kind.topic.permission(),
            title: kind.title,
            schema: kind.schema().unwrap_or(Value::Bool(true)),
        }
    }
}

impl EventsOut {
    pub(super) fn new(
        data: Vec<&Told>,
        last_id: i64,
        (has_more, has_missed): (bool, bool),
    ) -> Result<Self, Problem> {
        let parsed = data
            .iter()
            .map(|told| serde_json::from_str(&told.text).map_err(Problem::internal));
        Ok(Self {
            data: parsed.collect::<Result<_, _>>()?,
            last_id: last_id.to_string(),
            has_more,
            has_missed,
        })
    }
}
