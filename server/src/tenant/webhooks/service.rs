//! Use cases of endpoints and deliveries.

use ::entity::tenant::webhook_endpoint::{self, Entity, Model, Signing};
use ::entity::tenant::{webhook_attempt, webhook_delivery, webhook_secret};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::error::WebhookError;
use super::secret::{Keeper, Scheme, Secret};
use super::store::{self, Filter};
use crate::db::TenantTx;
use crate::events::{Deliver, Message, deliver};
use crate::jobs::{Enqueue, enqueue};
use crate::kernel::{Cursor, Page, Revised};

/// What an endpoint is tried with.
const TEST: &str = "webhook.test";
/// Old secrets of one scheme that sign beside the new one; older ones end at once.
const OLD: usize = 3;

/// An endpoint to be.
#[derive(Debug, Clone)]
pub(super) struct NewEndpoint {
    pub url: String,
    pub description: String,
    pub event_types: Vec<String>,
    pub signing: Signing,
}

/// What is to change about an endpoint; what is `None` stays.
#[derive(Debug, Clone)]
pub(super) struct EndpointChange {
    pub url: Option<String>,
    pub description: Option<String>,
    pub event_types: Option<Vec<String>>,
    pub is_enabled: Option<bool>,
}

/// An endpoint and its new secret, to be shown once.
pub(super) struct Made {
    pub endpoint: Model,
    /// Nothing where only `v1a` is signed with.
    pub secret: Option<String>,
}

/// All endpoints, the newest first.
pub(super) async fn list(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Model>, WebhookError> {
    let mut query = Entity::find()
        .order_by_desc(webhook_endpoint::Column::Id)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(webhook_endpoint::Column::Id.lt(cursor.key::<Uuid>()?));
    }
    Ok(Page::of(query.all(tx).await?, limit, |row| row.id))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Model, WebhookError> {
    let found = store::endpoint(tx, id).await?;
    found.ok_or(WebhookError::NoEndpoint)
}

pub(super) async fn create(
    tx: &TenantTx,
    new: &NewEndpoint,
    keeper: Keeper<'_>,
    most: u32,
    now: OffsetDateTime,
) -> Result<Made, WebhookError> {
    // Whoever adds another one waits until this one counts.
    store::take_turn(tx).await?;
    if Entity::find().count(tx).await? >= u64::from(most) {
        return Err(WebhookError::TooMany(most));
    }
    let endpoint = webhook_endpoint::ActiveModel {
        id: Set(Uuid::now_v7()),
        url: Set(new.url.clone()),
        description: Set(new.description.clone()),
        event_types: Set(new.event_types.clone()),
        signing: Set(new.signing),
        public_key: Set(None),
        is_enabled: Set(true),
        disabled_because: Set(None),
        failing_since: Set(None),
        not_before: Set(None),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let endpoint = endpoint.insert(tx).await?;
    let shown = new_secrets(tx, endpoint.id, new.signing, keeper, now).await?;
    if shown.public_key.is_none() {
        let secret = shown.secret;
        return Ok(Made { endpoint, secret });
    }
    let mut known = endpoint.into_active_model();
    known.public_key = Set(shown.public_key);
    Ok(Made {
        endpoint: known.update(tx).await?,
        secret: shown.secret,
    })
}

/// Changes an endpoint. Enabled again, it begins anew: what it did before is forgotten.
pub(super) async fn change(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
    change: &EndpointChange,
    now: OffsetDateTime,
) -> Result<Revised<Model>, WebhookError> {
    let before = find_locked(tx, id, expected).await?;
    let mut changed = touched(before.clone(), now);
    if let Some(url) = &change.url {
        changed.url = Set(url.clone());
    }
    if let Some(description) = &change.description {
        changed.description = Set(description.clone());
    }
    if let Some(event_types) = &change.event_types {
        changed.event_types = Set(event_types.clone());
    }
    if let Some(is_enabled) = change.is_enabled {
        changed.is_enabled = Set(is_enabled);
        if is_enabled && !before.is_enabled {
            changed.disabled_because = Set(None);
            changed.failing_since = Set(None);
            changed.not_before = Set(None);
        }
    }
    let after = changed.update(tx).await?;
    Ok(Revised { before, after })
}

/// Removes an endpoint with all that was delivered, and answers with what it was.
pub(super) async fn remove(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Model, WebhookError> {
    let endpoint = find_locked(tx, id, expected).await?;
    Entity::delete_by_id(id).exec(tx).await?;
    Ok(endpoint)
}

/// Gives an endpoint new secrets. The old ones sign beside them for a while.
pub(super) async fn rotate(
    tx: &TenantTx,
    id: Uuid,
    signing: Option<Signing>,
    overlap: Duration,
    keeper: Keeper<'_>,
    now: OffsetDateTime,
) -> Result<(Model, Made), WebhookError> {
    let before = find_locked(tx, id, None).await?;
    let mut seen = [0, 0];
    for old in store::secrets(tx, id, now).await? {
        let of_its_scheme = &mut seen[usize::from(old.scheme == Scheme::V1a.as_str())];
        *of_its_scheme += 1;
        let ends = match *of_its_scheme > OLD {
            true => now,
            false => old
                .expires_at
                .map_or(now + overlap, |end| end.min(now + overlap)),
        };
        let mut ending = old.into_active_model();
        ending.expires_at = Set(Some(ends));
        ending.update(tx).await?;
    }
    let signing = signing.unwrap_or(before.signing);
    let shown = new_secrets(tx, id, signing, keeper, now).await?;
    let mut changed = touched(before.clone(), now);
    changed.signing = Set(signing);
    changed.public_key = Set(shown.public_key);
    let made = Made {
        endpoint: changed.update(tx).await?,
        secret: shown.secret,
    };
    Ok((before, made))
}

/// Sends an endpoint something to try it with, whatever it wants to hear of.
pub(super) async fn test(
    tx: &TenantTx,
    id: Uuid,
    trace: Option<&str>,
    now: OffsetDateTime,
) -> Result<webhook_delivery::Model, WebhookError> {
    must_be_enabled(&find(tx, id).await?)?;
    let data = json!({"endpoint_id": id});
    let message = Message {
        kind: TEST,
        data: &data,
        at: now,
        trace,
    };
    let made = deliver(tx, &[id], message).await?;
    let made = made.first().copied().ok_or(WebhookError::NoDelivery)?;
    find_delivery(tx, made).await
}

/// Deliveries, the newest first.
pub(super) async fn list_deliveries(
    tx: &TenantTx,
    filter: &Filter,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<webhook_delivery::Model>, WebhookError> {
    let before = cursor.map(|cursor| cursor.key()).transpose()?;
    let rows = store::deliveries(tx, filter, before, limit + 1).await?;
    Ok(Page::of(rows, limit, |row| row.id))
}

/// A delivery with its attempts.
pub(super) async fn read_delivery(
    tx: &TenantTx,
    id: Uuid,
) -> Result<(webhook_delivery::Model, Vec<webhook_attempt::Model>), WebhookError> {
    let delivery = find_delivery(tx, id).await?;
    Ok((delivery, store::attempts(tx, id).await?))
}

/// Sends a delivery anew, under the same id, from the beginning of the schedule.
pub(super) async fn replay(
    tx: &TenantTx,
    id: Uuid,
    trace: Option<String>,
    now: OffsetDateTime,
) -> Result<webhook_delivery::Model, WebhookError> {
    let delivery = store::delivery_locked(tx, id).await?;
    let delivery = delivery.ok_or(WebhookError::NoDelivery)?;
    must_be_enabled(&find(tx, delivery.endpoint_id).await?)?;
    let again = webhook_delivery::ActiveModel {
        state: Set(webhook_delivery::State::Pending),
        round: Set(delivery.round + 1),
        attempts: Set(0),
        next_attempt_at: Set(Some(now)),
        ended_at: Set(None),
        ..delivery.into_active_model()
    };
    let again = again.update(tx).await?;
    let job = Deliver {
        delivery: again.id,
        endpoint: again.endpoint_id,
        round: again.round,
    };
    enqueue(tx, &job, Enqueue::now().trace(trace)).await?;
    Ok(again)
}

/// Sends anew what failed since a time. Answers with how many deliveries.
pub(super) async fn replay_failed(
    tx: &TenantTx,
    endpoint: Uuid,
    since: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<i64, WebhookError> {
    must_be_enabled(&find(tx, endpoint).await?)?;
    Ok(store::send_failed_again(tx, endpoint, since, now).await?)
}

async fn find_delivery(tx: &TenantTx, id: Uuid) -> Result<webhook_delivery::Model, WebhookError> {
    let found = store::delivery(tx, id).await?;
    found.ok_or(WebhookError::NoDelivery)
}

fn must_be_enabled(endpoint: &Model) -> Result<(), WebhookError> {
    if endpoint.is_enabled {
        return Ok(());
    }
    Err(WebhookError::Disabled)
}

/// What the receiver is to know.
struct Shown {
    secret: Option<String>,
    public_key: Option<String>,
}

async fn new_secrets(
    tx: &TenantTx,
    endpoint: Uuid,
    signing: Signing,
    keeper: Keeper<'_>,
    now: OffsetDateTime,
) -> Result<Shown, WebhookError> {
    let schemes: &[Scheme] = match signing {
        Signing::V1 => &[Scheme::V1],
        Signing::V1a => &[Scheme::V1a],
        Signing::Both => &[Scheme::V1, Scheme::V1a],
    };
    let mut shown = Shown {
        secret: None,
        public_key: None,
    };
    for scheme in schemes {
        let secret = Secret::generate(*scheme)?;
        let id = Uuid::now_v7();
        let row = webhook_secret::ActiveModel {
            id: Set(id),
            endpoint_id: Set(endpoint),
            scheme: Set(secret.scheme().as_str().to_owned()),
            sealed_secret: Set(keeper.seal(id, &secret)),
            created_at: Set(now),
            expires_at: Set(None),
        };
        row.insert(tx).await?;
        let text = Some(secret.for_the_receiver()?);
        match scheme {
            Scheme::V1 => shown.secret = text,
            Scheme::V1a => shown.public_key = text,
        }
    }
    Ok(shown)
}

fn touched(endpoint: Model, now: OffsetDateTime) -> webhook_endpoint::ActiveModel {
    let next = endpoint.version + 1;
    let mut active = endpoint.into_active_model();
    active.version = Set(next);
    active.updated_at = Set(now);
    active
}

async fn find_locked(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Model, WebhookError> {
    let endpoint = store::endpoint_locked(tx, id).await?;
    let endpoint = endpoint.ok_or(WebhookError::NoEndpoint)?;
    match expected {
        Some(version) if version != endpoint.version => {
            Err(WebhookError::Changed(endpoint.version))
        }
        _ => Ok(endpoint),
    }
}
