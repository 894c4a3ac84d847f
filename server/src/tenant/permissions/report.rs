//! Who may what: everybody's effective permissions, for whoever has to look that they are right.

use ::entity::tenant::{api_key, member};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::explain::RoleRefOut;
use crate::auth::granted_to;
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page};
use crate::tenant::roles::{GrantOut, RoleError, all_with_grants};

/// What one member may do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccessOut {
    member_id: Uuid,
    email: String,
    name: String,
    /// Whether they may sign in; nothing of the rest counts while they may not.
    is_active: bool,
    role: RoleRefOut,
    grants: Vec<GrantOut>,
    /// API keys of theirs that are good; none of them may do more than they may.
    api_keys: u64,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    last_sign_in_at: Option<OffsetDateTime>,
}

/// A page of it, by addresses.
pub(super) async fn report(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
    now: OffsetDateTime,
) -> Result<Page<AccessOut>, RoleError> {
    let mut query = member::Entity::find()
        .order_by_asc(member::Column::Email)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(member::Column::Email.gt(cursor.key::<String>()?));
    }
    let page = Page::of(query.all(tx).await?, limit, |one| one.email.clone());
    let roles = all_with_grants(tx).await?;
    let mut data = Vec::with_capacity(page.data.len());
    for member in page.data {
        let own = member.role_id.and_then(|id| Some((id, roles.get(&id)?)));
        let (role, grants) = match own {
            Some((id, (name, grants))) => (RoleRefOut::own(id, name.clone()), grants.clone()),
            None => (RoleRefOut::built_in(member.role), granted_to(member.role)),
        };
        data.push(AccessOut {
            api_keys: good_keys(tx, member.id, now).await?,
            member_id: member.id,
            email: member.email,
            name: member.name,
            is_active: member.status == member::Status::Active,
            role,
            grants: GrantOut::list(&grants),
            last_sign_in_at: member.last_sign_in_at,
        });
    }
    Ok(Page {
        data,
        next: page.next,
    })
}

async fn good_keys(tx: &TenantTx, member: Uuid, now: OffsetDateTime) -> Result<u64, RoleError> {
    let not_over = Condition::any()
        .add(api_key::Column::ExpiresAt.is_null())
        .add(api_key::Column::ExpiresAt.gt(now));
    let keys = api_key::Entity::find()
        .filter(api_key::Column::MemberId.eq(member))
        .filter(api_key::Column::RevokedAt.is_null())
        .filter(not_over);
    Ok(keys.count(tx).await?)
}
