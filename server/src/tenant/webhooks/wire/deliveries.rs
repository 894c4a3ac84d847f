//! Deliveries on the wire.

use ::entity::tenant::webhook_attempt;
use ::entity::tenant::webhook_delivery::{self, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::Problem;
use crate::tenant::webhooks::secret::message_id;
use crate::tenant::webhooks::store::Filter;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::tenant::webhooks) enum DeliveryState {
    /// It is to be sent, or sent again.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// Nobody tries any more.
    Failed,
}

/// Which deliveries are sent anew.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::tenant::webhooks) struct ReplayIn {
    /// Those that failed and were made then or later; at most 10,000, the oldest first.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// How many deliveries are sent anew.
#[derive(Serialize, ToSchema)]
pub(in crate::tenant::webhooks) struct ReplayedOut {
    pub deliveries: i64,
}

/// Which deliveries are wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::tenant::webhooks) struct DeliveriesQuery {
    /// Only those to this endpoint.
    endpoint_id: Option<Uuid>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// Only those of this kind of event.
    event_type: Option<String>,
    /// Rows of the page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u64>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
    /// Only these fields of each delivery, with commas between.
    pub fields: Option<String>,
}

/// A message to an endpoint.
#[derive(Serialize, ToSchema)]
pub(in crate::tenant::webhooks) struct WebhookDeliveryOut {
    pub id: Uuid,
    /// What `webhook-id` says, however often it is sent.
    #[schema(example = "msg_0199c1d27c3b7f0e8d0a4c5b6e7f8091")]
    message_id: String,
    pub endpoint_id: Uuid,
    event_type: String,
    #[schema(inline)]
    state: DeliveryState,
    /// Attempts since it was made, or sent anew.
    attempt_count: i32,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    next_attempt_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    ended_at: Option<OffsetDateTime>,
}

/// A message to an endpoint, with all that was tried.
#[derive(Serialize, ToSchema)]
pub(in crate::tenant::webhooks) struct WebhookDeliveryReadOut {
    #[serde(flatten)]
    delivery: WebhookDeliveryOut,
    /// What is sent.
    #[schema(value_type = Object)]
    payload: Value,
    /// In their order.
    attempts: Vec<WebhookAttemptOut>,
}

/// An attempt to deliver.
#[derive(Serialize, ToSchema)]
pub(in crate::tenant::webhooks) struct WebhookAttemptOut {
    /// Goes up when it is sent anew.
    round: i32,
    /// From 1 in each round.
    number: i32,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    duration_ms: i32,
    /// Of the answer; null when there was none.
    #[schema(required)]
    status: Option<i32>,
    /// Null when it was delivered. `forbidden_address`, `no_address`, `no_connection`, `no_tls`,
    /// `too_slow`, `broken_off`: there was no answer. `redirected`: nobody follows. `busy`, `gone`,
    /// `refused`, `failed`: the answer said so. `given_up`: it could not be sent, and that was our fault.
    #[schema(required)]
    error: Option<String>,
    /// The first kilobyte of the answer.
    #[schema(required)]
    answer: Option<String>,
}

impl DeliveriesQuery {
    /// What is wanted.
    pub(in crate::tenant::webhooks) fn filter(&self) -> Filter {
        Filter {
            endpoint: self.endpoint_id,
            state: self.state.map(|state| match state {
                DeliveryState::Pending => State::Pending,
                DeliveryState::Delivered => State::Delivered,
                DeliveryState::Failed => State::Failed,
            }),
            event_type: self.event_type.clone(),
        }
    }
}

impl From<webhook_delivery::Model> for WebhookDeliveryOut {
    fn from(row: webhook_delivery::Model) -> Self {
        Self {
            id: row.id,
            message_id: message_id(row.id),
            endpoint_id: row.endpoint_id,
            event_type: row.event_type,
            state: match row.state {
                State::Pending => DeliveryState::Pending,
                State::Delivered => DeliveryState::Delivered,
                State::Failed => DeliveryState::Failed,
            },
            attempt_count: row.attempts,
            next_attempt_at: row.next_attempt_at,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}

impl WebhookDeliveryReadOut {
    pub(in crate::tenant::webhooks) fn of(
        row: webhook_delivery::Model,
        attempts: Vec<webhook_attempt::Model>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            payload: serde_json::from_str(&row.payload).map_err(Problem::internal)?,
            delivery: row.into(),
            attempts: attempts.into_iter().map(Into::into).collect(),
        })
    }
}

impl From<webhook_attempt::Model> for WebhookAttemptOut {
    fn from(row: webhook_attempt::Model) -> Self {
        Self {
            round: row.round,
            number: row.number,
            at: row.at,
            duration_ms: row.duration_ms,
            status: row.status,
            error: row.error,
            answer: row.answer,
        }
    }
}
