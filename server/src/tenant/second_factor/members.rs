//! `/members/{id}/second-factor`: somebody else's second factor, who has lost it.

use actix_web::{HttpRequest, HttpResponse, delete, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::SecondFactorError;
use super::service;
use crate::audit::Change;
use crate::auth::ManageSecurity;
use crate::http::{Answer, Done, Member, Problem, ProblemOut};
use crate::state::AppState;
use crate::tenant::notifications::{Kind, Notice, notify};

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(reset);
}

/// Remove a member's second factor
///
/// For somebody who has lost theirs. Their sessions end. An owner's is for owners to remove.
#[utoipa::path(tag = "second-factor", operation_id = "reset_second_factor",
    params(("id" = Uuid, Path, description = "The member")), security(("bearer" = [])),
    responses((status = 204),
        (status = 404, body = ProblemOut, content_type = "application/problem+json")))]
#[delete("/members/{id}/second-factor")]
async fn reset(
    req: HttpRequest,
    who: Member<ManageSecurity>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (id, now) = (*id, state.clock.now());
    let outbox = state.mailer.of(who.db.tenant().key());
    let by = who.person().built_in_role();
    who.write(async |tx| {
        service::reset(tx, by, id, now).await?;
        notify(tx, &outbox, &Notice::to(id, Kind::SecondFactorRemoved), now).await?;
        let record = Change::new("second_factor.reset", "member", id);
        Ok::<_, SecondFactorError>(Done::new(record, Answer::no_content()))
    })
    .await
}
