//! Use cases of roles.

use std::collections::HashMap;

use ::entity::tenant::role::{self, Entity, Model};
use ::entity::tenant::{invitation, member, role_grant};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::RoleError;
use crate::auth::{Grants, Scope, epoch};
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page, Revised};

/// A role with what it allows.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub role: Model,
    pub grants: Grants,
}

/// A role to be.
#[derive(Debug, Clone)]
pub(super) struct NewRole {
    pub name: String,
    pub description: String,
    pub grants: Grants,
}

/// What is to change about a role.
#[derive(Debug, Clone)]
pub(super) struct RoleChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub grants: Option<Grants>,
}

pub(super) async fn list(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Role>, RoleError> {
    let mut query = Entity::find()
        .order_by_asc(role::Column::Name)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(role::Column::Name.gt(cursor.key::<String>()?));
    }
    let page = Page::of(query.all(tx).await?, limit, |role| role.name.clone());
    let ids = page.data.iter().map(|role| role.id);
    let mut grants = grants_by_role(tx, Some(ids.collect())).await?;
    Ok(page.map(|role| Role {
        grants: grants.remove(&role.id).unwrap_or_default(),
        role,
    }))
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Role, RoleError> {
    let role = Entity::find_by_id(id).one(tx).await?;
    with_grants(tx, role.ok_or(RoleError::NotFound)?).await
}

/// Makes a role; `own` is what whoever asks holds.
pub(super) async fn create(
    tx: &TenantTx,
    new: &NewRole,
    own: &Grants,
    now: OffsetDateTime,
) -> Result<Role, RoleError> {
    expect_within(&new.grants, own)?;
    let role = role::ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set(new.name.clone()),
        description: Set(new.description.clone()),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let role = role.insert(tx).await?;
    add_grants(tx, role.id, &new.grants).await?;
    let grants = new.grants.clone();
    Ok(Role { role, grants })
}

/// Changes a role, for all who have it, within a second. Nobody changes one that allows more than
/// they hold: taking something away is power over those who have it.
pub(super) async fn change(
    tx: &TenantTx,
    (id, expected): (Uuid, Option<i64>),
    change: &RoleChange,
    own: &Grants,
    now: OffsetDateTime,
) -> Result<Revised<Role>, RoleError> {
    let before = find_locked(tx, id, expected).await?;
    expect_within(&before.grants, own)?;
    let mut changed = before.role.clone().into_active_model();
    if let Some(name) = &change.name {
        changed.name = Set(name.clone());
    }
    if let Some(description) = &change.description {
        changed.description = Set(description.clone());
    }
    changed.version = Set(before.role.version + 1);
    changed.updated_at = Set(now);
    let role = changed.update(tx).await?;
    let mut grants = before.grants.clone();
    if let Some(wanted) = &change.grants {
        expect_within(wanted, own)?;
        let all_of_it = role_grant::Column::RoleId.eq(id);
        role_grant::Entity::delete_many()
            .filter(all_of_it)
            .exec(tx)
            .await?;
        add_grants(tx, id, wanted).await?;
        grants = wanted.clone();
    }
    epoch::bump(tx).await?;
    let after = Role { role, grants };
    Ok(Revised { before, after })
}

/// Removes a role that nobody has, and nobody is invited to.
pub(super) async fn remove(
    tx: &TenantTx,
    (id, expected): (Uuid, Option<i64>),
    own: &Grants,
) -> Result<Role, RoleError> {
    let removed = find_locked(tx, id, expected).await?;
    expect_within(&removed.grants, own)?;
    let open_invitations = invitation::Entity::find()
        .filter(invitation::Column::RoleId.eq(id))
        .filter(invitation::Column::AcceptedAt.is_null())
        .filter(invitation::Column::RevokedAt.is_null());
    let members = member::Entity::find().filter(member::Column::RoleId.eq(id));
    if open_invitations.count(tx).await? > 0 || members.count(tx).await? > 0 {
        return Err(RoleError::InUse);
    }
    Entity::delete_by_id(id).exec(tx).await?;
    epoch::bump(tx).await?;
    Ok(removed)
}

/// The names of all roles of the dealer's own and what they allow, by their ids.
///
/// # Errors
///
/// [`RoleError::Db`].
pub async fn all_with_grants(tx: &TenantTx) -> Result<HashMap<Uuid, (String, Grants)>, RoleError> {
    let mut grants = grants_by_role(tx, None).await?;
    let roles = Entity::find().all(tx).await?.into_iter();
    let named = roles.map(|role| {
        let granted = grants.remove(&role.id).unwrap_or_default();
        (role.id, (role.name, granted))
    });
    Ok(named.collect())
}

/// The first thing that isn't held as far as it is to be given, if there is one.
fn expect_within(grants: &Grants, own: &Grants) -> Result<(), RoleError> {
    let mut lines = grants.iter();
    let too_wide = lines.find(|(name, scope)| own.scope_of(name).is_none_or(|held| held < *scope));
    match too_wide {
        Some((name, _)) => Err(RoleError::TooWide(name.to_owned())),
        None => Ok(()),
    }
}

async fn add_grants(tx: &TenantTx, role: Uuid, grants: &Grants) -> Result<(), RoleError> {
    let rows: Vec<_> = grants
        .iter()
        .map(|(permission, scope)| role_grant::ActiveModel {
            role_id: Set(role),
            permission: Set(permission.to_owned()),
            scope: Set(scope.name().to_owned()),
        })
        .collect();
    if !rows.is_empty() {
        role_grant::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

async fn grants_by_role(
    tx: &TenantTx,
    only: Option<Vec<Uuid>>,
) -> Result<HashMap<Uuid, Grants>, RoleError> {
    let mut query = role_grant::Entity::find();
    if let Some(ids) = only {
        query = query.filter(role_grant::Column::RoleId.is_in(ids));
    }
    let mut lines: HashMap<Uuid, Vec<(String, Scope)>> = HashMap::new();
    for row in query.all(tx).await? {
        if let Some(scope) = Scope::named(&row.scope) {
            let of_role = lines.entry(row.role_id).or_default();
            of_role.push((row.permission, scope));
        }
    }
    let grants = lines.into_iter().map(|(id, lines)| (id, Grants::of(lines)));
    Ok(grants.collect())
}

async fn with_grants(tx: &TenantTx, role: Model) -> Result<Role, RoleError> {
    let mut grants = grants_by_role(tx, Some(vec![role.id])).await?;
    Ok(Role {
        grants: grants.remove(&role.id).unwrap_or_default(),
        role,
    })
}

async fn find_locked(tx: &TenantTx, id: Uuid, expected: Option<i64>) -> Result<Role, RoleError> {
    let role = Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let role = role.ok_or(RoleError::NotFound)?;
    match expected {
        Some(version) if version != role.version => Err(RoleError::Changed(role.version)),
        _ => with_grants(tx, role).await,
    }
}
