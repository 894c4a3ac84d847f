//! Accepting an invitation. It opens its own transactions, unlike a service: the password is judged
//! and hashed between two of them, because no connection should wait for that.

use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde_json::json;

use super::service::{self, Newcomer};
use crate::audit::{Actor, Change};
use crate::auth::{Beginning, Client, InvitationToken, Method, must_use_sso};
use crate::http::{Code, Dealer, Done, Problem, handed_out, visitor};
use crate::state::AppState;
use crate::tenant::team::error::TeamError;
use crate::tenant::team::switch::remember;

/// What somebody who was invited sends.
pub(super) struct Acceptance {
    pub token: InvitationToken,
    pub name: Option<String>,
    pub password: SecretString,
}

/// Makes them a member and begins their first session. A token that is good for nothing is answered
/// the same whatever the reason.
pub(super) async fn accept(
    req: &HttpRequest,
    dealer: &Dealer,
    acceptance: Acceptance,
) -> Result<HttpResponse, Problem> {
    let (state, db) = (AppState::of(req), &dealer.db);
    let (token, now) = (&acceptance.token, state.clock.now());
    let (invitation, by_sso) = db
        .read(async |tx| {
            let invitation = service::of_token(tx, token, now).await?;
            let by_sso = must_use_sso(tx, &invitation.email).await?;
            Ok::<_, TeamError>((invitation, by_sso))
        })
        .await?;
    if by_sso {
        return Err(Problem::new(Code::SsoRequired));
    }
    let name = acceptance.name.as_ref().unwrap_or(&invitation.name);
    let tenant = db.tenant();
    let context = [name, &invitation.email, tenant.name(), tenant.slug()].map(ToOwned::to_owned);
    let chosen = state
        .passwords
        .choose(acceptance.password, context.to_vec())
        .await
        .map_err(|unfit| TeamError::Unfit("/password", unfit))?;
    let newcomer = Newcomer {
        name: acceptance.name,
        password_hash: chosen,
    };
    let visitor = visitor(req, Client::Bearer);
    let beginning = Beginning {
        method: Method::Message,
        second_factor: false,
        visitor: &visitor,
    };
    let gate = dealer.gate.by(Actor::Anonymous);
    let answered = gate
        .write(async |tx| {
            let member = service::accept(tx, token, &newcomer, now).await?;
            let record = Change::new("invitation.accept", "invitation", invitation.id)
                .after(&json!({ "member_id": member.id, "method": beginning.method.name() }));
            let issued = state.sessions.begin(tx, member, beginning, now).await?;
            Ok::<_, Problem>(Done::new(record, handed_out(req, db, issued)?))
        })
        .await?;
    remember(req, db, &invitation.email);
    Ok(answered)
}
