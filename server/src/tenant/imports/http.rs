//! `/imports`.

use std::cell::Cell;

use actix_multipart::Multipart;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, get, post, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::ImportError;
use super::model::{Kind, Status};
use super::profiles;
use super::rejected::RejectedRows;
use super::service::{self, NewImport};
use super::store::Import;
use super::upload::{self, Upload, Wishes};
use super::wire::{AcceptedOut, ImportForm, ImportListedOut, ImportOut, RowOut, RowsQuery};
use crate::audit::Change;
use crate::auth::{RunImports, UndoImports};
use crate::http::{
    Answer, BodyDigest, Done, ETag, Fields, Listing, Member, PageOut, PageQuery, Problem,
    ProblemOut, page_limit,
};
use crate::state::AppState;
use crate::storage::{Shelf, StorageKey};

/// The routes of this domain.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(rows)
        .service(rejected)
        .service(apply)
        .service(cancel)
        .service(undo)
        .configure(profiles::routes);
}

/// List imports
///
/// The newest first.
#[utoipa::path(tag = "imports", operation_id = "list_imports", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<ImportListedOut>)))]
#[get("/imports")]
async fn list(
    req: HttpRequest,
    who: Member<RunImports>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<ImportListedOut>(page.fields.as_deref())?;
    let work = async |tx: &_| service::list(tx, limit, cursor.clone()).await;
    list.answer::<ImportListedOut>(who.db.read(work).await?, &fields)
}

/// Load a price file
///
/// The file is taken in, and read in the background: ask for the import, or follow the events of the
/// topic `imports`. First it is said what the file would do; it is applied when that is asked for, now
/// or later. Of a file that can't be read the import tells why.
#[utoipa::path(tag = "imports", operation_id = "import_price_file", params(Wishes),
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    security(("bearer" = [])), responses(
    (status = 202, body = AcceptedOut),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
    (status = 413, body = ProblemOut, content_type = "application/problem+json"),
    (status = 507, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/imports")]
async fn create(
    req: HttpRequest,
    who: Member<RunImports>,
    wishes: web::Query<Wishes>,
    form: Multipart,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let id = Uuid::now_v7();
    let key = StorageKey::of(who.db.tenant().key(), Shelf::Imports, id);
    let limit = state.config.imports.max_mib * 1024 * 1024;
    let place = (&state.storage, &key, id);
    let is_ours = Cell::new(false);
    let taken = match upload::receive(form, wishes.into_inner(), place, limit).await {
        Ok(upload) => take_in(&req, &who, upload, &is_ours).await,
        Err(error) => Err(error.into()),
    };
    // It was refused, or the same request was done before with a file of its own.
    if taken.is_err() || !is_ours.get() {
        drop_file(state, &key).await;
    }
    taken
}

/// Has a file read that has arrived.
async fn take_in(
    req: &HttpRequest,
    who: &Member<RunImports>,
    upload: Upload,
    is_ours: &Cell<bool>,
) -> Result<HttpResponse, Problem> {
    let now = AppState::of(req).clock.now();
    let Upload {
        arrived,
        mapping,
        wishes,
        digest,
    } = upload;
    req.extensions_mut().insert(BodyDigest(digest));
    let (by, mapping) = (who.person().id, mapping.as_ref().map(upload::kept));
    who.write(async |tx| {
        let profile = profiles::chosen(tx, wishes.profile).await?;
        let said = profile.as_ref().map(|profile| &profile.options);
        let new = NewImport {
            arrived: arrived.clone(),
            profile: wishes.profile,
            options: wishes.over(said)?,
            mapping: mapping
                .clone()
                .or_else(|| profile.as_ref().map(|profile| profile.row.mapping.clone())),
            by,
        };
        let import = service::create(tx, &new, now).await?;
        is_ours.set(true);
        let out = AcceptedOut::from(&import);
        let record = Change::new("import.create", "import", out.id).after(&out);
        Ok::<_, ImportError>(Done::new(record, accepted(&import, &out)))
    })
    .await
}

/// Read an import
#[utoipa::path(tag = "imports", operation_id = "read_import", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses((status = 200, body = ImportOut)))]
#[get("/imports/{id}")]
async fn read(who: Member<RunImports>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let import = who.db.read(async |tx| service::find(tx, *id).await).await?;
    let out = ImportOut::from(import);
    Ok(HttpResponse::Ok()
        .insert_header(ETag(out.version))
        .json(out))
}

/// List rows of an import
///
/// Those that were rejected, replaced, or taken with a warning, and items that an undo left alone.
#[utoipa::path(tag = "imports", operation_id = "list_import_rows",
    params(("id" = Uuid, Path), RowsQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<RowOut>),
    (status = 410, body = ProblemOut, content_type = "application/problem+json")))]
#[get("/imports/{id}/rows")]
async fn rows(
    req: HttpRequest,
    who: Member<RunImports>,
    id: web::Path<Uuid>,
    wanted: web::Query<RowsQuery>,
) -> Result<HttpResponse, Problem> {
    let listing = Listing::of(&req);
    let limit = page_limit(wanted.limit)?;
    let cursor = listing.open(wanted.cursor.as_deref())?;
    let fields = Fields::parse::<RowOut>(wanted.fields.as_deref())?;
    let kind = wanted.kind.unwrap_or(Kind::Rejected);
    let work = async |tx: &_| service::rows(tx, *id, kind, limit, cursor.clone()).await;
    listing.answer::<RowOut>(who.db.read(work).await?, &fields)
}

/// Download rejected rows
///
/// As the file has them, with a last column that says what is wrong with each. Mend them and send the
/// file: that column is passed over.
#[utoipa::path(tag = "imports", operation_id = "download_rejected_rows", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 200, body = String, content_type = "text/csv"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    (status = 410, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/imports/{id}/rejected.csv")]
async fn rejected(who: Member<RunImports>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let import = who.db.read(async |tx| service::find(tx, *id).await).await?;
    let status = import.status;
    if !import.has_details() {
        return Err(ImportError::Forgotten.into());
    }
    let Some(plan) = import.plan() else {
        return Err(ImportError::StatusWrong(status).into());
    };
    let asked = import.row.mapping.as_ref();
    let header_line = asked.and_then(|mapping| mapping["header_line"].as_u64());
    let file = RejectedRows {
        db: who.db.clone(),
        import: *id,
        plan,
        header_line,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((
            "content-disposition",
            "attachment; filename=\"rejected.csv\"",
        ))
        .streaming(file.pages()))
}

/// Apply an import
///
/// It was read, and nothing is in its way. Some rows at a time: others see the first ones before the
/// last. What is cancelled or fails half-way is taken back.
#[utoipa::path(tag = "imports", operation_id = "apply_import", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 202, body = AcceptedOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/imports/{id}/apply")]
async fn apply(
    req: HttpRequest,
    who: Member<RunImports>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let now = AppState::of(&req).clock.now();
    who.write(async |tx| {
        let turned = service::apply(tx, *id, now).await?;
        Ok::<_, ImportError>(turn("import.start", &turned))
    })
    .await
}

/// Cancel an import
///
/// What it has done already is taken back.
#[utoipa::path(tag = "imports", operation_id = "cancel_import", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 202, body = AcceptedOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/imports/{id}/cancel")]
async fn cancel(
    req: HttpRequest,
    who: Member<RunImports>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (now, is_over) = (state.clock.now(), Cell::new(false));
    let answer = who
        .write(async |tx| {
            let turned = service::cancel(tx, *id, now).await?;
            is_over.set(turned.1.status == Status::Cancelled);
            Ok::<_, ImportError>(turn("import.cancel", &turned))
        })
        .await?;
    if is_over.get() {
        let key = StorageKey::of(who.db.tenant().key(), Shelf::Imports, *id);
        drop_file(state, &key).await;
    }
    Ok(answer)
}

/// Undo an import
///
/// The one that was applied last. Every item is what it was before, but those that somebody has changed
/// since: they are left alone and listed among the import's rows. Units and groups stay. Some time after
/// its end an import can't be undone any more. One that failed and says `import_left_behind` can be undone
/// as well.
#[utoipa::path(tag = "imports", operation_id = "undo_import", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses(
    (status = 202, body = AcceptedOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    (status = 410, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/imports/{id}/undo")]
async fn undo(
    req: HttpRequest,
    who: Member<UndoImports>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let now = AppState::of(&req).clock.now();
    who.write(async |tx| {
        let turned = service::undo(tx, *id, now).await?;
        Ok::<_, ImportError>(turn("import.undo", &turned))
    })
    .await
}

fn turn(action: &'static str, (before, after): &(Import, Import)) -> Done {
    let (was, is) = (AcceptedOut::from(before), AcceptedOut::from(after));
    let record = Change::new(action, "import", is.id).from_to(&was, &is);
    Done::new(record, accepted(after, &is))
}

fn accepted(import: &Import, out: &AcceptedOut) -> Answer {
    let address = format!("/api/v1/imports/{}", out.id);
    let location = HeaderValue::from_str(&address).expect("an address of ours is plain ASCII");
    let answer = Answer::accepted(out).version(import.row.version);
    answer.header(LOCATION, location)
}

/// What is left behind is only in the way.
async fn drop_file(state: &AppState, key: &StorageKey) {
    if let Err(error) = state.storage.delete(key).await {
        tracing::warn!(error = ?error, "an import's file is left in storage");
    }
}
