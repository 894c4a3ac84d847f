//! `/audit-records`.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::AuditError;
use super::export::{Export, told};
use super::model::Viewer;
use super::wire::{AuditRecordOut, Costs, ExportQuery, RecordsQuery};
use super::{service, store};
use crate::audit::Change;
use crate::auth::{ExportAudit, Permission, Principal, ReadAudit, ReadCosts};
use crate::http::{
    Code, Fields, FieldsQuery, Listing, Member, PageOut, Problem, ProblemOut, page_limit,
    put_on_record,
};
use crate::kernel::Page;
use crate::state::AppState;

/// The routes of the trail.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    // Before the one that takes an id.
    cfg.service(export).service(list).service(read);
}

/// Search the audit trail
///
/// What was done, the latest first. Whoever may see their own only sees what they did, or those
/// whom they reach over.
#[utoipa::path(tag = "audit", operation_id = "list_audit_records", params(RecordsQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<AuditRecordOut>)))]
#[get("/audit-records")]
async fn list(
    req: HttpRequest,
    who: Member<ReadAudit>,
    query: web::Query<RecordsQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (
        page_limit(query.limit)?,
        list.open(query.cursor.as_deref())?,
    );
    let fields = Fields::parse::<AuditRecordOut>(query.fields.as_deref())?;
    let (filter, viewer) = (query.filter()?, viewer(&who));
    let work = async |tx: &_| service::list(tx, viewer, &filter, limit, cursor.clone()).await;
    let page = who.db.read(work).await?;
    let costs = costs(&who.principal);
    let shown = page.data.iter().map(|row| AuditRecordOut::of(row, costs));
    let page = Page {
        data: shown.collect::<Result<Vec<_>, _>>()?,
        next: page.next,
    };
    list.answer::<AuditRecordOut>(page, &fields)
}

/// Read one record
#[utoipa::path(tag = "audit", operation_id = "read_audit_record",
    params(("id" = Uuid, Path), FieldsQuery),
    security(("bearer" = [])), responses(
    (status = 200, body = AuditRecordOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/audit-records/{id}")]
async fn read(
    who: Member<ReadAudit>,
    id: web::Path<Uuid>,
    query: web::Query<FieldsQuery>,
) -> Result<HttpResponse, Problem> {
    let fields = Fields::parse::<AuditRecordOut>(query.fields.as_deref())?;
    let viewer = viewer(&who);
    let found = who
        .db
        .read(async |tx| service::find(tx, viewer, *id).await)
        .await?;
    let shown = AuditRecordOut::of(&found, costs(&who.principal))?;
    Ok(HttpResponse::Ok().json(fields.of(shown)?))
}

/// Take out the audit trail
///
/// From its beginning to the moment of the request, in the order of the chain. That it was taken
/// out is itself on record.
#[utoipa::path(tag = "audit", operation_id = "export_audit_records", params(ExportQuery),
    security(("bearer" = [])), responses((status = 200, description = "The records",
        content((String = "application/x-ndjson"), (String = "text/csv")))))]
#[get("/audit-records/export")]
async fn export(
    req: HttpRequest,
    who: Member<ExportAudit>,
    query: web::Query<ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let (filter, format) = (query.filter()?, query.format.unwrap_or_default());
    let last = who.db.read(async |tx| store::last_seq(tx).await).await?;
    let change = Change::of_all("audit.export", "audit_record").after(&told(format, &filter));
    // A dealer that is closing may take out its trail, and that too goes on record.
    let record = AppState::of(&req)
        .directory
        .enter_to_record(who.db.tenant())?;
    put_on_record(&req, &record, who.principal.actor(), &change).await?;
    let export = Export {
        db: who.db.clone(),
        filter,
        format,
        costs: costs(&who.principal),
        last,
    };
    let name = format!("attachment; filename=\"{}\"", export.file_name());
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, export.content_type()))
        .insert_header((CONTENT_DISPOSITION, name))
        .streaming(export.pages()))
}

fn viewer(who: &Member<ReadAudit>) -> Viewer<'_> {
    Viewer {
        person: who.person(),
        scope: who.scope,
    }
}

fn costs(principal: &Principal) -> Costs {
    match principal.grants.allow(ReadCosts::NAME) {
        true => Costs::Shown,
        false => Costs::Hidden,
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::NotFound => Self::new(Code::AuditRecordNotFound),
            AuditError::Cursor(error) => error.into(),
            AuditError::Db(error) => Self::database(&error),
        }
    }
}
