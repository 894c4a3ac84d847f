//! What can go wrong with webhooks.

use sea_orm::DbErr;

use crate::auth::Unsealable;
use crate::db::{Failure, failure_of};
use crate::egress::Forbidden;
use crate::http::{Code, Problem};
use crate::kernel::CursorError;

/// What can go wrong with webhooks.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// There is no such endpoint.
    #[error("webhook endpoint does not exist")]
    NoEndpoint,
    /// There is no such delivery.
    #[error("webhook delivery does not exist")]
    NoDelivery,
    /// Nothing is sent to it.
    #[error("the endpoint is disabled; enable it first")]
    Disabled,
    /// The dealer has as many as it may have.
    #[error("there are {0} endpoints, and no more are taken; remove one first")]
    TooMany(u32),
    /// Nobody goes where it leads.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// It is at another version by now.
    #[error("it is at version {0} by now; read it again")]
    Changed(i64),
    /// The cursor belongs to another list.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// A secret could not be made or read.
    #[error("the endpoint's secret could not be worked with")]
    Secret(String),
    /// The database failed.
    #[error("the database failed")]
    Db(DbErr),
}

impl From<DbErr> for WebhookError {
    /// The constraints are the rules; their names say which of them was broken.
    fn from(error: DbErr) -> Self {
        match failure_of(&error) {
            // It was removed at the same moment.
            Failure::Constraint(name)
                if matches!(
                    name.as_str(),
                    "webhook_secret_endpoint_id_fkey" | "webhook_delivery_endpoint_id_fkey"
                ) =>
            {
                Self::NoEndpoint
            }
            _ => Self::Db(error),
        }
    }
}

impl From<Unsealable> for WebhookError {
    fn from(error: Unsealable) -> Self {
        Self::Secret(error.to_string())
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let code = match &error {
            WebhookError::NoEndpoint => return Self::new(Code::WebhookEndpointNotFound),
            WebhookError::NoDelivery => return Self::new(Code::WebhookDeliveryNotFound),
            WebhookError::Forbidden(why) => return Self::field("/url", "forbidden", why),
            WebhookError::Cursor(error) => return Self::from(error.clone()),
            WebhookError::Secret(cause) => return Self::internal(cause),
            WebhookError::Db(error) => return Self::database(error),
            WebhookError::Disabled => Code::WebhookEndpointDisabled,
            WebhookError::TooMany(_) => Code::WebhookEndpointsTooMany,
            WebhookError::Changed(_) => Code::PreconditionFailed,
        };
        Self::new(code).detail(error)
    }
}
