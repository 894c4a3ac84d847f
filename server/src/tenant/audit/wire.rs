//! Records on the wire, and what can be asked of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::model::{Filter, without_costs};
use super::store::Row;
use crate::http::{Code, Problem};

/// Something that was done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditRecordOut {
    id: Uuid,
    /// Its place in the trail, from 1 without gaps.
    seq: i64,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// What was done.
    #[schema(example = "item.change")]
    action: String,
    actor: ActorOut,
    target: TargetOut,
    /// What it was, as far as it differs; null where there was nothing.
    #[schema(required)]
    before: Option<Value>,
    /// What it is, as far as it differs; null where there is nothing. Secrets are not told.
    #[schema(required)]
    after: Option<Value>,
    /// As it stood in the answer's header `X-Request-Id`.
    #[schema(required)]
    request_id: Option<String>,
    /// Where the request came from.
    #[schema(required)]
    address: Option<String>,
    /// SHA-256 of the hash before it and its own content, in hexadecimal.
    hash: String,
}

/// Who did it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct ActorOut {
    /// `member`, `api_key`, `operator` (somebody who runs the platform), `anonymous` or `system`.
    #[schema(example = "member")]
    pub kind: String,
    #[schema(required)]
    pub id: Option<Uuid>,
    /// Of an API key: who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub member_id: Option<Uuid>,
}

/// What it was done to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct TargetOut {
    #[schema(example = "item")]
    pub kind: String,
    /// Null when it was done to many, such as by an import.
    #[schema(required)]
    pub id: Option<String>,
}

/// What was hashed, read.
#[derive(Deserialize)]
pub(super) struct Content {
    pub id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub action: String,
    pub actor: ActorOut,
    pub target: TargetOut,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub request_id: Option<String>,
    pub address: Option<String>,
}

/// Whether whoever looks may see what things cost the dealer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Costs {
    Shown,
    Hidden,
}

impl Content {
    pub(super) fn of(row: &Row, costs: Costs) -> Result<Self, serde_json::Error> {
        let mut content: Self = serde_json::from_str(&row.content)?;
        if costs == Costs::Hidden {
            content.before = content.before.map(without_costs);
            content.after = content.after.map(without_costs);
        }
        Ok(content)
    }
}

impl AuditRecordOut {
    pub(super) fn of(row: &Row, costs: Costs) -> Result<Self, Problem> {
        let content = Content::of(row, costs).map_err(Problem::internal)?;
        Ok(Self {
            id: content.id,
            seq: row.seq,
            at: content.at,
            action: content.action,
            actor: content.actor,
            target: content.target,
            before: content.before,
            after: content.after,
            request_id: content.request_id,
            address: content.address,
            hash: hex(&row.hash),
        })
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Declares what can be asked of the trail beside what each address asks by itself.
macro_rules! queries {
    ($($(#[$about:meta])* $name:ident { $($own:tt)* })+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(super) struct $name {
            /// Only what this member, key or operator did.
            actor_id: Option<Uuid>,
            /// Only what such actors did: `member`, `api_key`, `operator`, `anonymous`, `system`.
            actor_kind: Option<String>,
            /// Only this, such as `item.change`.
            action: Option<String>,
            /// Only what was done to such things, such as `item`.
            target_kind: Option<String>,
            /// Only what was done to this one of them.
            target_id: Option<String>,
            /// Only what was done then or later, RFC 3339.
            #[serde(default, with = "time::serde::rfc3339::option")]
            since: Option<OffsetDateTime>,
            /// Only what was done before, RFC 3339.
            #[serde(default, with = "time::serde::rfc3339::option")]
            until: Option<OffsetDateTime>,
            $($own)*
        }

        impl $name {
            /// What is wanted.
            ///
            /// # Errors
            ///
            /// `query-invalid` for a kind of actor that there is not, or a thing of no kind.
            pub(super) fn filter(&self) -> Result<Filter, Problem> {
                checked(Filter {
                    actor_id: self.actor_id,
                    actor_kind: self.actor_kind.clone(),
                    action: self.action.clone(),
                    target_kind: self.target_kind.clone(),
                    target_id: self.target_id.clone(),
                    since: self.since,
                    until: self.until,
                })
            }
        }
    )+};
}

queries! {
    /// Which records are wanted.
    RecordsQuery {
        /// Rows of the page, 1 to 200; 50 when absent.
        #[param(minimum = 1, maximum = 200)]
        pub limit: Option<u64>,
        /// The `next` of the page before.
        pub cursor: Option<String>,
        /// Only these fields of each record, with commas between.
        pub fields: Option<String>,
    }
    /// Which records are taken out, and in which form.
    ExportQuery {
        /// `ndjson`: a line for each record, with the very text that was hashed; `csv`: a table.
        /// `ndjson` when absent.
        #[param(inline)]
        pub format: Option<FormatIn>,
    }
}

/// The form of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FormatIn {
    #[default]
    Ndjson,
    Csv,
}

const ACTORS: [&str; 5] = ["member", "api_key", "operator", "anonymous", "system"];

fn checked(filter: Filter) -> Result<Filter, Problem> {
    let refused = |why: String| Err(Problem::new(Code::QueryInvalid).detail(why));
    match &filter.actor_kind {
        Some(kind) if !ACTORS.contains(&kind.as_str()) => {
            return refused(format!("actor_kind is one of {}", ACTORS.join(", ")));
        }
        _ => {}
    }
    if filter.target_id.is_some() && filter.target_kind.is_none() {
        return refused("target_id goes with target_kind".to_owned());
    }
    Ok(filter)
}
