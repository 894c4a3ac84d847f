//! Reading a tenant's history, newest first.

use entity::platform::tenant_event;
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{DirectoryError, Product, Provisioner};

/// One line of a tenant's history.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantEvent {
    /// Sorts by time.
    pub id: Uuid,
    /// What happened, such as `suspended`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// What belongs to this kind of event.
    pub detail: serde_json::Value,
    /// When it took effect.
    pub at: OffsetDateTime,
}

/// Some lines of a tenant's history.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage {
    /// Newest first.
    pub events: Vec<TenantEvent>,
    /// Give it as `before` for what is older, if anything is.
    pub next: Option<Uuid>,
}

impl<P: Product> Provisioner<P> {
    /// Some lines of a tenant's history: the newest, or those older than the event `before`.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`].
    pub async fn events(
        &self,
        slug_or_id: &str,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<EventPage, DirectoryError> {
        let tenant = self.show(slug_or_id).await?;
        let mut query = tenant_event::Entity::find()
            .filter(tenant_event::Column::TenantId.eq(tenant.id))
            .order_by_desc(tenant_event::Column::Id)
            .limit(limit + 1);
        if let Some(before) = before {
            query = query.filter(tenant_event::Column::Id.lt(before));
        }
        let mut rows = query.all(&self.inner.db).await?;
        let has_more = rows.len() as u64 > limit;
        if has_more {
            rows.pop();
        }
        let next = rows.last().filter(|_| has_more).map(|row| row.id);
        let events = rows.into_iter().map(TenantEvent::from).collect();
        Ok(EventPage { events, next })
    }
}

impl From<tenant_event::Model> for TenantEvent {
    fn from(row: tenant_event::Model) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            actor: row.actor,
            detail: row.detail,
            at: row.at,
        }
    }
}
