//! `/webhook-deliveries`: what was sent, and what came of it.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::WebhookError;
use super::service;
use super::wire::{DeliveriesQuery, WebhookDeliveryOut, WebhookDeliveryReadOut};
use crate::audit::Change;
use crate::auth::{ManageWebhooks, ReadWebhooks};
use crate::http::{
    Answer, Done, Fields, Listing, Member, PageOut, Problem, ProblemOut, RequestId, page_limit,
};
use crate::state::AppState;

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list).service(read).service(replay);
}

/// List webhook deliveries
///
/// The newest first.
#[utoipa::path(tag = "webhooks", operation_id = "list_webhook_deliveries",
    params(DeliveriesQuery), security(("bearer" = [])),
    responses((status = 200, body = PageOut<WebhookDeliveryOut>)))]
#[get("/webhook-deliveries")]
async fn list(
    req: HttpRequest,
    who: Member<ReadWebhooks>,
    query: web::Query<DeliveriesQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let limit = page_limit(query.limit)?;
    let cursor = list.open(query.cursor.as_deref())?;
    let fields = Fields::parse::<WebhookDeliveryOut>(query.fields.as_deref())?;
    let filter = query.filter();
    let work = async |tx: &_| service::list_deliveries(tx, &filter, limit, cursor.clone()).await;
    list.answer::<WebhookDeliveryOut>(who.db.read(work).await?, &fields)
}

/// Read a webhook delivery
///
/// With what is sent, and all attempts.
#[utoipa::path(tag = "webhooks", operation_id = "read_webhook_delivery",
    params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 200, body = WebhookDeliveryReadOut)))]
#[get("/webhook-deliveries/{id}")]
async fn read(who: Member<ReadWebhooks>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let work = async |tx: &_| service::read_delivery(tx, *id).await;
    let (delivery, attempts) = who.db.read(work).await?;
    Ok(HttpResponse::Ok().json(WebhookDeliveryReadOut::of(delivery, attempts)?))
}

/// Send a webhook delivery anew
///
/// Whatever became of it: at once, under the same id, and from the beginning of the schedule.
#[utoipa::path(tag = "webhooks", operation_id = "replay_webhook_delivery",
    params(("id" = Uuid, Path)), security(("bearer" = [])), responses(
    (status = 202, body = WebhookDeliveryOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/webhook-deliveries/{id}/replay")]
async fn replay(
    req: HttpRequest,
    who: Member<ManageWebhooks>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let now = AppState::of(&req).clock.now();
    let trace = RequestId::of(&req).map(|id| id.to_string());
    who.write(async |tx| {
        let again = service::replay(tx, *id, trace.clone(), now).await?;
        let again = WebhookDeliveryOut::from(again);
        let record = Change::new("webhook_delivery.replay", "webhook_delivery", again.id);
        Ok::<_, WebhookError>(Done::new(record.after(&again), Answer::accepted(&again)))
    })
    .await
}
