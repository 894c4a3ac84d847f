//! What happened at the walls: refused requests, put on record beside the request's path.

use sea_orm::{ActiveValue::Set, DbErr, EntityTrait};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use ::entity::platform::security_event;

use super::platform::PlatformDb;
use crate::kernel::{Clock, TenantKey};

/// Events that may wait; past it they are only logged, lest an attack fill the memory.
const WAITING: usize = 1024;

/// One thing worth knowing afterwards.
#[derive(Debug, Clone)]
pub struct SecurityEvent {
    /// Whose wall it was, if anybody's.
    pub tenant: Option<TenantKey>,
    /// What happened, such as `tenant_mismatch`.
    pub kind: &'static str,
    /// The circumstances; never a secret.
    pub detail: Value,
    /// The request it happened in.
    pub request_id: Option<String>,
}

/// Takes events without making their request wait.
#[derive(Debug, Clone)]
pub struct SecurityLog {
    sender: mpsc::Sender<SecurityEvent>,
}

impl SecurityLog {
    /// Starts the task that writes; it ends when the last sender is gone.
    pub fn start(platform: PlatformDb, clock: Clock) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (
            Self { sender },
            tokio::spawn(write_all(receiver, platform, clock)),
        )
    }

    /// Puts an event on record, and into the log at once.
    pub fn record(&self, event: SecurityEvent) {
        tracing::warn!(
            tenant.id = event.tenant.map(tracing::field::display),
            kind = event.kind,
            detail = %event.detail,
            "a request was refused at a dealer's wall"
        );
        if self.sender.try_send(event).is_err() {
            tracing::error!("too many security events at once: this one stands only in the log");
        }
    }
}

async fn write_all(
    mut receiver: mpsc::Receiver<SecurityEvent>,
    platform: PlatformDb,
    clock: Clock,
) {
    let mut batch = Vec::new();
    while receiver.recv_many(&mut batch, WAITING).await > 0 {
        let rows: Vec<_> = batch.drain(..).map(|event| row_of(event, &clock)).collect();
        if let Err(error) = insert(&platform, rows).await {
            tracing::error!(error = %error, "security events could not be put on record");
        }
    }
}

async fn insert(
    platform: &PlatformDb,
    rows: Vec<security_event::ActiveModel>,
) -> Result<(), DbErr> {
    platform
        .write(async |tx| {
            security_event::Entity::insert_many(rows)
                .exec_without_returning(tx)
                .await?;
            Ok(())
        })
        .await
}

fn row_of(event: SecurityEvent, clock: &Clock) -> security_event::ActiveModel {
    security_event::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(event.tenant.map(TenantKey::id)),
        kind: Set(event.kind.to_owned()),
        detail: Set(event.detail),
        request_id: Set(event.request_id),
        at: Set(clock.now()),
    }
}
