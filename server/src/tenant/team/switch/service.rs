//! Use cases of going over to another dealer.

use ::entity::tenant::{member, totp_credential};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::auth::{NewOneTime, OneTimeKind, OneTimeToken, Sealer, must_use_sso, one_time};
use crate::db::TenantTx;
use crate::tenant::team::error::TeamError;

/// Life of a ticket: as long as a browser takes to go to another host.
pub(super) const TICKET_LIFE: Duration = Duration::seconds(30);

/// Whoever has an address here and has proven it.
pub(super) async fn proven_member(
    tx: &TenantTx,
    email: &str,
) -> Result<Option<member::Model>, TeamError> {
    let found = member::Entity::find()
        .filter(member::Column::Email.eq(email))
        .filter(member::Column::Status.eq(member::Status::Active))
        .filter(member::Column::EmailVerifiedAt.is_not_null());
    Ok(found.one(tx).await?)
}

/// A ticket for a member, unless the dealer wants to see them itself.
pub(super) async fn issue_ticket(
    tx: &TenantTx,
    sealer: &Sealer,
    (email, from): (&str, Uuid),
    now: OffsetDateTime,
) -> Result<(Uuid, OneTimeToken), TeamError> {
    let found = proven_member(tx, email).await?;
    let member = found.ok_or(TeamError::NotThere)?;
    must_let_in(tx, &member).await?;
    let ticket = NewOneTime {
        kind: OneTimeKind::Switch,
        member: Some(member.id),
        payload: json!({ "from": from, "email": email }),
        life: TICKET_LIFE,
    };
    let ticket = one_time::issue(tx, sealer, ticket, now).await?;
    Ok((member.id, ticket))
}

/// Uses a ticket. What the dealer asks for may have changed since it was made.
pub(super) async fn redeem(
    tx: &TenantTx,
    sealer: &Sealer,
    ticket: &OneTimeToken,
    now: OffsetDateTime,
) -> Result<member::Model, TeamError> {
    let wanted = (OneTimeKind::Switch, ticket);
    let used = one_time::redeem(tx, sealer, wanted, now).await?;
    let used = used.ok_or(TeamError::TokenInvalid)?;
    let email = used.payload["email"].as_str().unwrap_or_default();
    let member = proven_member(tx, email).await?;
    let member = member.filter(|member| Some(member.id) == used.member_id);
    let member = member.ok_or(TeamError::TokenInvalid)?;
    must_let_in(tx, &member).await?;
    Ok(member)
}

/// A switch is no second factor, and no word of an identity provider.
async fn must_let_in(tx: &TenantTx, member: &member::Model) -> Result<(), TeamError> {
    let factor = totp_credential::Entity::find_by_id(member.id)
        .filter(totp_credential::Column::ConfirmedAt.is_not_null());
    if factor.one(tx).await?.is_some() {
        return Err(TeamError::SwitchRefused(
            "that dealer asks you for a second factor: sign in there",
        ));
    }
    if must_use_sso(tx, &member.email).await? {
        return Err(TeamError::SwitchRefused(
            "that dealer has its own identity provider: sign in there",
        ));
    }
    Ok(())
}
