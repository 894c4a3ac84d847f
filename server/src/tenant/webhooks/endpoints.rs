//! `/webhook-endpoints`: who else hears of what happened.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use time::Duration;
use url::Url;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::WebhookError;
use super::secret::Keeper;
use super::service::{self, EndpointChange, NewEndpoint};
use super::wire::{
    ReplayIn, ReplayedOut, RotateSecretIn, WebhookDeliveryOut, WebhookEndpointIn,
    WebhookEndpointMadeOut, WebhookEndpointOut, WebhookEndpointPatch,
};
use crate::audit::Change;
use crate::auth::{ManageWebhooks, ReadWebhooks};
use crate::http::{
    Answer, Body, Done, ETag, Fields, IfMatch, Listing, Member, PageOut, PageQuery, Problem,
    ProblemOut, RequestId,
};
use crate::state::AppState;

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(remove)
        .service(rotate)
        .service(test)
        .service(replay);
}

/// List webhook endpoints
///
/// The newest first.
#[utoipa::path(tag = "webhooks", operation_id = "list_webhook_endpoints", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<WebhookEndpointOut>)))]
#[get("/webhook-endpoints")]
async fn list(
    req: HttpRequest,
    who: Member<ReadWebhooks>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<WebhookEndpointOut>(page.fields.as_deref())?;
    let work = async |tx: &_| service::list(tx, limit, cursor.clone()).await;
    list.answer::<WebhookEndpointOut>(who.db.read(work).await?, &fields)
}

/// Create a webhook endpoint
///
/// From now on it is sent what happens, by the Standard Webhooks specification. The secret is in this
/// answer and in no other.
#[utoipa::path(tag = "webhooks", operation_id = "create_webhook_endpoint",
    request_body = WebhookEndpointIn, security(("bearer" = [])), responses(
    (status = 201, body = WebhookEndpointMadeOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/webhook-endpoints")]
async fn create(
    req: HttpRequest,
    who: Member<ManageWebhooks>,
    body: Body<WebhookEndpointIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (new, now) = (NewEndpoint::from(body.0), state.clock.now());
    must_lead_out(state, &new.url).await?;
    let (keeper, most) = (keeper(&who, state), state.config.webhooks.endpoints);
    who.write(async |tx| {
        let made = service::create(tx, &new, keeper, most, now).await?;
        let made = WebhookEndpointMadeOut::from(made);
        let endpoint = &made.endpoint;
        let record = Change::new("webhook_endpoint.create", "webhook_endpoint", endpoint.id);
        let place = format!("/api/v1/webhook-endpoints/{}", endpoint.id);
        let answer = Answer::created(&place, &made).version(endpoint.version);
        Ok::<_, WebhookError>(Done::new(record.after(endpoint), answer.secret()))
    })
    .await
}

/// Read a webhook endpoint
#[utoipa::path(tag = "webhooks", operation_id = "read_webhook_endpoint",
    params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 200, body = WebhookEndpointOut)))]
#[get("/webhook-endpoints/{id}")]
async fn read(who: Member<ReadWebhooks>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let found = who.db.read(async |tx| service::find(tx, *id).await).await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(found.version))
        .json(WebhookEndpointOut::from(found)))
}

/// Change a webhook endpoint
#[utoipa::path(tag = "webhooks", operation_id = "change_webhook_endpoint",
    request_body = WebhookEndpointPatch,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses((status = 200, body = WebhookEndpointOut)))]
#[patch("/webhook-endpoints/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<ManageWebhooks>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
    body: Body<WebhookEndpointPatch>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (change, now) = (EndpointChange::from(body.0), state.clock.now());
    if let Some(url) = &change.url {
        must_lead_out(state, url).await?;
    }
    let expected = based_on.version();
    who.write(async |tx| {
        let row = service::change(tx, *id, expected, &change, now).await?;
        let before = WebhookEndpointOut::from(row.before);
        let after = WebhookEndpointOut::from(row.after);
        let answer = Answer::ok(&after).version(after.version);
        let record = Change::new("webhook_endpoint.change", "webhook_endpoint", after.id);
        Ok::<_, WebhookError>(Done::new(record.from_to(&before, &after), answer))
    })
    .await
}

/// Remove a webhook endpoint
///
/// Nothing is sent to it any more, and what was delivered is forgotten.
#[utoipa::path(tag = "webhooks", operation_id = "remove_webhook_endpoint",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses((status = 204)))]
#[delete("/webhook-endpoints/{id}")]
async fn remove(
    who: Member<ManageWebhooks>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
) -> Result<HttpResponse, Problem> {
    let expected = based_on.version();
    who.write(async |tx| {
        let row = WebhookEndpointOut::from(service::remove(tx, *id, expected).await?);
        let record = Change::new("webhook_endpoint.remove", "webhook_endpoint", row.id);
        Ok::<_, WebhookError>(Done::new(record.before(&row), Answer::no_content()))
    })
    .await
}

/// Replace a webhook endpoint's secret
///
/// For a while what is sent is signed with both, so that the receiver can change over.
#[utoipa::path(tag = "webhooks", operation_id = "rotate_webhook_secret",
    request_body = RotateSecretIn, params(("id" = Uuid, Path)), security(("bearer" = [])),
    responses((status = 200, body = WebhookEndpointMadeOut)))]
#[post("/webhook-endpoints/{id}/rotate-secret")]
async fn rotate(
    req: HttpRequest,
    who: Member<ManageWebhooks>,
    id: web::Path<Uuid>,
    body: Body<RotateSecretIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (keeper, now) = (keeper(&who, state), state.clock.now());
    let overlap = Duration::hours(body.0.overlap_hours.into());
    let signing = body.0.signing.map(Into::into);
    who.write(async |tx| {
        let (before, made) = service::rotate(tx, *id, signing, overlap, keeper, now).await?;
        let (before, made) = (before.into(), WebhookEndpointMadeOut::from(made));
        let after: &WebhookEndpointOut = &made.endpoint;
        let record = Change::new("webhook_endpoint.rotate", "webhook_endpoint", after.id);
        let answer = Answer::ok(&made).version(after.version).secret();
        Ok::<_, WebhookError>(Done::new(record.from_to(&before, after), answer))
    })
    .await
}

/// Try a webhook endpoint
///
/// It is sent an event `webhook.test`, whatever it wants to hear of. What came of it is told of the
/// delivery.
#[utoipa::path(tag = "webhooks", operation_id = "test_webhook_endpoint",
    params(("id" = Uuid, Path)), security(("bearer" = [])), responses(
    (status = 202, body = WebhookDeliveryOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/webhook-endpoints/{id}/test")]
async fn test(
    req: HttpRequest,
    who: Member<ManageWebhooks>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let now = AppState::of(&req).clock.now();
    let trace = RequestId::of(&req).map(|id| id.to_string());
    who.write(async |tx| {
        let made = service::test(tx, *id, trace.as_deref(), now).await?;
        let made = WebhookDeliveryOut::from(made);
        let record = Change::new("webhook_endpoint.test", "webhook_endpoint", *id);
        Ok::<_, WebhookError>(Done::new(record.after(&made), Answer::accepted(&made)))
    })
    .await
}

/// Send anew what failed
///
/// All deliveries to an endpoint that failed since a time, under the same ids.
#[utoipa::path(tag = "webhooks", operation_id = "replay_webhook_endpoint",
    request_body = ReplayIn, params(("id" = Uuid, Path)), security(("bearer" = [])), responses(
    (status = 202, body = ReplayedOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/webhook-endpoints/{id}/replay")]
async fn replay(
    req: HttpRequest,
    who: Member<ManageWebhooks>,
    id: web::Path<Uuid>,
    body: Body<ReplayIn>,
) -> Result<HttpResponse, Problem> {
    let (since, now) = (body.0.since, AppState::of(&req).clock.now());
    who.write(async |tx| {
        let deliveries = service::replay_failed(tx, *id, since, now).await?;
        let told = ReplayedOut { deliveries };
        let record = Change::new("webhook_endpoint.replay", "webhook_endpoint", *id);
        Ok::<_, WebhookError>(Done::new(record.after(&told), Answer::accepted(&told)))
    })
    .await
}

/// Before any transaction: names are looked up.
async fn must_lead_out(state: &AppState, url: &str) -> Result<(), Problem> {
    let url: Url = url
        .parse()
        .map_err(|error| Problem::field("/url", "url", error))?;
    let judged = state.egress.judge(&url).await;
    Ok(judged.map_err(WebhookError::from)?)
}

fn keeper<'a>(who: &Member<ManageWebhooks>, state: &'a AppState) -> Keeper<'a> {
    Keeper {
        sealer: &state.sealer,
        tenant: who.db.tenant().key(),
    }
}
