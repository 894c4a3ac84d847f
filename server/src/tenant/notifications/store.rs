//! Queries of notifications: who is told, and how they want it.

use std::collections::{BTreeMap, HashMap};

use ::entity::tenant::notification_preference::{Entity as Preference, Model};
use ::entity::tenant::{member, notification, role_grant};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, DbErr, EntityTrait, Iterable, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::kind::{ByMail, Choice, Kind};
use super::telling::Audience;
use crate::auth::granted_to;
use crate::db::TenantTx;
use crate::mail::Language;

/// How a member wants to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    pub language: Option<Language>,
    /// By the names of kinds.
    pub choices: BTreeMap<String, Choice>,
    /// Nothing set yet is version 0.
    pub version: i64,
}

/// Somebody who is told.
#[derive(Debug)]
pub(super) struct Recipient {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub preferences: Preferences,
}

impl Preferences {
    /// How one kind is told.
    pub(super) fn choice(&self, kind: Kind) -> Choice {
        if kind.is_fixed() {
            return Choice {
                in_app: true,
                mail: ByMail::Instant,
            };
        }
        let chosen = self.choices.get(kind.name()).copied();
        chosen.unwrap_or_else(|| kind.usual())
    }
}

impl From<Model> for Preferences {
    fn from(row: Model) -> Self {
        Self {
            language: row.language.and_then(|code| code.parse().ok()),
            choices: serde_json::from_value(row.choices).unwrap_or_default(),
            version: row.version,
        }
    }
}

/// The active members of an audience.
pub(super) async fn recipients(
    tx: &TenantTx,
    audience: &Audience,
) -> Result<Vec<Recipient>, DbErr> {
    let members = member::Entity::find()
        .filter(member::Column::Status.eq(member::Status::Active))
        .filter(among(audience))
        .order_by_asc(member::Column::Id)
        .all(tx)
        .await?;
    let ids = members.iter().map(|member| member.id);
    let rows = Preference::find()
        .filter(::entity::tenant::notification_preference::Column::MemberId.is_in(ids))
        .all(tx)
        .await?;
    let mut preferences: HashMap<Uuid, Preferences> = rows
        .into_iter()
        .map(|row| (row.member_id, row.into()))
        .collect();
    let recipients = members.into_iter().map(|member| Recipient {
        preferences: preferences.remove(&member.id).unwrap_or_default(),
        id: member.id,
        email: member.email,
        name: member.name,
    });
    Ok(recipients.collect())
}

fn among(audience: &Audience) -> Condition {
    match audience {
        Audience::Members(ids) => {
            Condition::all().add(member::Column::Id.is_in(ids.iter().copied()))
        }
        Audience::Holders(permission) => {
            let built_in = member::Role::iter().filter(|role| granted_to(*role).allow(permission));
            let own = role_grant::Entity::find()
                .select_only()
                .column(role_grant::Column::RoleId)
                .filter(role_grant::Column::Permission.eq(*permission));
            let built_in = Condition::all()
                .add(member::Column::RoleId.is_null())
                .add(member::Column::Role.is_in(built_in.map(|role| role.to_value())));
            Condition::any()
                .add(built_in)
                .add(member::Column::RoleId.in_subquery(own.into_query()))
        }
    }
}

/// Some members who await a digest.
pub(super) async fn awaiting_digest(tx: &TenantTx, most: u64) -> Result<Vec<Uuid>, DbErr> {
    notification::Entity::find()
        .select_only()
        .column(notification::Column::MemberId)
        .distinct()
        .filter(notification::Column::AwaitsDigest.eq(true))
        .order_by_asc(notification::Column::MemberId)
        .limit(most)
        .into_tuple()
        .all(tx)
        .await
}

/// What of a member's awaits a digest, oldest first, locked: no other digest takes it.
pub(super) async fn for_digest(
    tx: &TenantTx,
    member: Uuid,
) -> Result<Vec<notification::Model>, DbErr> {
    notification::Entity::find()
        .filter(notification::Column::MemberId.eq(member))
        .filter(notification::Column::AwaitsDigest.eq(true))
        .order_by_asc(notification::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await
}
