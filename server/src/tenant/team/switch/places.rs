//! The dealers of a person: those that the platform remembers, as far as they confirm it.

use actix_web::HttpRequest;
use uuid::Uuid;

use super::service;
use crate::db::{Address, Found, Memberships, Purpose, TenantDb};
use crate::http::Problem;
use crate::state::AppState;
use crate::tenant::team::error::TeamError;

/// A dealer where somebody is a member.
pub(super) struct Place {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
}

/// Has it remembered, beside the request, that somebody is a member here. It is a hint and can be
/// had again: a failure is logged and forgotten.
pub(in crate::tenant) fn remember(req: &HttpRequest, db: &TenantDb, email: &str) {
    let state = AppState::of(req);
    let (memberships, tenant) = (state.memberships.clone(), db.tenant().key());
    let (digest, now) = (Memberships::digest(&state.sealer, email), state.clock.now());
    actix_web::rt::spawn(async move {
        if let Err(error) = memberships.remember(digest, tenant, now).await {
            tracing::warn!(tenant.id = %tenant, error = %error, "a membership was not remembered");
        }
    });
}

/// The dealers where an address is an active member's who has proven it.
pub(super) async fn of(state: &AppState, email: &str) -> Result<Vec<Place>, Problem> {
    let digest = Memberships::digest(&state.sealer, email);
    let mut places = Vec::new();
    for id in state.memberships.of(&digest).await? {
        // A dealer that can't be asked now is not shown now.
        let Some(db) = door(state, id).await else {
            continue;
        };
        let member = db
            .read(async |tx| service::proven_member(tx, email).await)
            .await;
        match member {
            Ok(Some(_)) => places.push(Place {
                id,
                slug: db.tenant().slug().to_owned(),
                name: db.tenant().name().to_owned(),
            }),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(tenant.id = %id, error = %error, "a dealer did not say who is a member");
            }
        }
    }
    places.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    Ok(places)
}

/// The door of a dealer that the platform remembers for an address.
pub(super) async fn entered(state: &AppState, email: &str, id: Uuid) -> Result<TenantDb, Problem> {
    let digest = Memberships::digest(&state.sealer, email);
    let known = state.memberships.of(&digest).await?;
    let is_known = known.contains(&id);
    match door(state, id).await.filter(|_| is_known) {
        Some(db) => Ok(db),
        None => Err(TeamError::NotThere.into()),
    }
}

async fn door(state: &AppState, id: Uuid) -> Option<TenantDb> {
    let Found::Tenant(tenant) = state.directory.find(&Address::Id(id)).await else {
        return None;
    };
    state.directory.enter_for(Purpose::Session, &tenant).ok()
}
