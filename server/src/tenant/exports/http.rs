//! `/exports`.

use actix_web::body::SizedStream;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use time::Duration;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::column::Column;
use super::error::ExportError;
use super::jobs::file_of;
use super::service::{self, Asked};
use super::wire::{ExportIn, ExportOut, FormatIn};
use crate::audit::Change;
use crate::auth::{Permission, ReadCosts, RunExports};
use crate::http::{
    Answer, Body, Done, Fields, Listing, Member, PageOut, PageQuery, Problem, ProblemOut, RequestId,
};
use crate::state::AppState;

/// The routes of exports.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(fetch);
}

/// List exports
///
/// The newest first, until they expire.
#[utoipa::path(tag = "exports", operation_id = "list_exports", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<ExportOut>)))]
#[get("/exports")]
async fn list(
    req: HttpRequest,
    who: Member<RunExports>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<ExportOut>(page.fields.as_deref())?;
    let work = async |tx: &_| service::list(tx, limit, cursor.clone()).await;
    list.answer::<ExportOut>(who.db.read(work).await?, &fields)
}

/// Take items out as a file
///
/// The file is written in the background: follow the event `export.ready`, or ask again, and fetch it
/// from `/exports/{id}/file`. Items that change meanwhile are in it as they were before or after. No
/// cell is a formula, and an import reads the file back.
#[utoipa::path(tag = "exports", operation_id = "create_export", request_body = ExportIn,
    security(("bearer" = [])), responses(
    (status = 202, body = ExportOut),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/exports")]
async fn create(
    req: HttpRequest,
    who: Member<RunExports>,
    body: Body<ExportIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (new, now) = (
        body.0.into_command(&who.principal.grants)?,
        state.clock.now(),
    );
    let asked = Asked {
        member_id: who.person().id,
        kept: Duration::hours(state.config.exports.kept_hours.into()),
        trace: RequestId::of(&req).map(|id| id.to_string()),
    };
    who.write(async |tx| {
        let export = ExportOut::from(service::create(tx, &new, &asked, now).await?);
        let record = Change::new("export.create", "export", export.id).after(&export);
        Ok::<_, ExportError>(Done::new(record, Answer::accepted(&export)))
    })
    .await
}

/// Read an export
#[utoipa::path(tag = "exports", operation_id = "read_export", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = ExportOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/exports/{id}")]
async fn read(who: Member<RunExports>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let export = who.db.read(async |tx| service::find(tx, *id).await).await?;
    Ok(HttpResponse::Ok().json(ExportOut::from(export)))
}

/// Fetch the file of an export
///
/// One that tells costs is for those who may see them.
#[utoipa::path(tag = "exports", operation_id = "fetch_export", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, description = "The file", content((String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/exports/{id}/file")]
async fn fetch(
    req: HttpRequest,
    who: Member<RunExports>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (state, now) = (AppState::of(&req), AppState::of(&req).clock.now());
    let work = async |tx: &_| service::find_file(tx, *id, now).await;
    let export = who.db.read(work).await?;
    let has_costs = export.columns.iter().any(|it| it == Column::Cost.as_str());
    if has_costs && !who.principal.grants.allow(ReadCosts::NAME) {
        return Err(Problem::permission_denied(ReadCosts::NAME));
    }
    let key = file_of(who.db.tenant().key(), export.id);
    let file = state.storage.open_file(&key).await;
    let file = file.map_err(ExportError::from)?;
    let format = FormatIn::named(&export.format);
    let name = format!(
        "attachment; filename=\"items-{}.{}\"",
        export.created_at.date(),
        format.as_str()
    );
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, format.content_type()))
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .body(SizedStream::new(file.bytes, file.pieces)))
}
