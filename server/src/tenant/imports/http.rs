//! `/imports`.

use std::io::Read;

use actix_multipart::Multipart;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, post, web};
use futures_util::{Stream, stream};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::error::ImportError;
use super::pricefile::{Duplicates, FileError, Mapping};
use super::report::{Counts, Finding, Report};
use super::run::{ImportOptions, Mode, Ran, record, run};
use super::upload::{self, Upload, Wishes};
use crate::auth::RunImports;
use crate::http::{Answer, BodyDigest, Code, Member, Passage, Problem, ProblemOut};
use crate::state::AppState;

/// Bytes of a report sent at a time.
const CHUNK: usize = 64 * 1024;

/// The routes of this domain.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(import);
}

/// A form with a price file.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form, which is read field by field")]
struct ImportForm {
    /// CSV or the like: comma, semicolon, tab or bar; UTF-8, UTF-16, Windows-1252 or CP850. Or a
    /// workbook (.xlsx).
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// How the file is to be read: a `PriceFileMapping` as JSON. What is left out is found by headers and
    /// contents; the answer tells all of it.
    // Text, as in every form: generators make nothing good of an object in one. And a form can
    // leave a field out, but has no null.
    #[schema(value_type = String, required = false, content_media_type = "application/json",
        example = json!("{\"delimiter\":\";\",\"decimal\":\",\"}"))]
    mapping: Option<Mapping>,
    /// Only say what would be done. Wins over the query.
    #[schema(nullable = false)]
    dry_run: Option<bool>,
    #[schema(inline, nullable = false)]
    duplicates: Option<Duplicates>,
}

/// What became of an import.
#[derive(Serialize, ToSchema)]
struct ImportOut<'a> {
    /// Whether nothing was written, on purpose.
    dry_run: bool,
    #[schema(inline)]
    #[serde(flatten)]
    counts: Counts,
    /// Codes of units that the dealer didn't have.
    units_created: &'a [String],
    /// How many groups the dealer didn't have.
    groups_created: u64,
    /// How the file was read; give it back with the next file of this kind.
    mapping: &'a Mapping,
}

/// What became of an import, row by row.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the answer, whose lists are streamed")]
struct ImportReportOut {
    #[schema(inline)]
    #[serde(flatten)]
    import: ImportOut<'static>,
    /// Rows that were not taken, and why.
    rejected_rows: Vec<Finding>,
    /// Rows that a later row with the same code replaced.
    superseded_rows: Vec<Finding>,
    /// Things worth knowing about rows that were taken.
    warnings: Vec<Finding>,
}

/// Load a price file
///
/// All or nothing as far as the file can be read at all; within it good rows are taken and bad
/// ones reported. Only what differs is written.
#[utoipa::path(tag = "imports", operation_id = "import_price_file", params(Wishes),
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    security(("bearer" = [])), responses(
    (status = 200, body = ImportReportOut),
    (status = 400, body = ProblemOut, content_type = "application/problem+json"),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
    (status = 413, body = ProblemOut, content_type = "application/problem+json"),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/imports")]
async fn import(
    req: HttpRequest,
    who: Member<RunImports>,
    wishes: web::Query<Wishes>,
    form: Multipart,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let limits = &state.config.imports;
    let upload = upload::receive(form, wishes.into_inner(), limits.max_mib * 1024 * 1024).await?;
    let Upload {
        file,
        mapping,
        wishes,
        digest,
    } = upload;
    req.extensions_mut().insert(BodyDigest(digest));
    let options = ImportOptions {
        mapping,
        duplicates: wishes.duplicates.unwrap_or_default(),
        mode: if wishes.dry_run.unwrap_or_default() {
            Mode::DryRun
        } else {
            Mode::Apply
        },
        max_rows: limits.max_rows,
    };
    let now = state.clock.now();
    match run((&who.db, who.gate()), file, options, now).await? {
        Ran::Dry(report) => streamed(body(*report)?),
        Ran::Loaded(report, passage) => loaded(*report, *passage).await,
        Ran::Before(answer) => Ok(answer),
    }
}

/// Commits and answers. An answer that is to be kept is made first, and as a whole.
async fn loaded(report: Report, passage: Passage) -> Result<HttpResponse, Problem> {
    let (change, mut body) = (record(&report), body(report)?);
    if !passage.keeps_the_answer() {
        passage.leave(&change, None).await?;
        return streamed(body);
    }
    let whole = web::block(move || {
        let mut whole = Vec::new();
        body.read_to_end(&mut whole).map(|_| whole)
    });
    let whole = whole.await.map_err(Problem::internal)?;
    let answer = Answer::json(whole.map_err(Problem::internal)?);
    passage.leave(&change, Some(&answer)).await?;
    Ok(answer.into_response())
}

fn streamed(body: impl Read + Send + 'static) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .streaming(chunks(body)))
}

/// The numbers first, then the rows from wherever they wait.
fn body(report: Report) -> Result<impl Read + Send + 'static, Problem> {
    let head = serde_json::to_string(&ImportOut {
        dry_run: report.dry_run,
        counts: report.counts,
        units_created: &report.units_created,
        groups_created: report.groups_created,
        mapping: &report.mapping,
    })
    .map_err(Problem::internal)?;
    let open = head.strip_suffix('}').unwrap_or(&head);
    Ok(text(format!("{open},\"rejected_rows\":["))
        .chain(report.rejected.into_reader().map_err(Problem::internal)?)
        .chain(text("],\"superseded_rows\":[".to_owned()))
        .chain(report.superseded.into_reader().map_err(Problem::internal)?)
        .chain(text("],\"warnings\":[".to_owned()))
        .chain(report.warnings.into_reader().map_err(Problem::internal)?)
        .chain(text("]}".to_owned())))
}

fn text(text: String) -> std::io::Cursor<Vec<u8>> {
    std::io::Cursor::new(text.into_bytes())
}

fn chunks<R: Read + Send + 'static>(body: R) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(body, |mut body| async {
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK];
            let length = body.read(&mut chunk)?;
            chunk.truncate(length);
            Ok::<_, std::io::Error>((chunk, body))
        });
        let (chunk, body) = read.await.map_err(std::io::Error::other)??;
        Ok((!chunk.is_empty()).then(|| (Bytes::from(chunk), body)))
    })
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::File(error) => of_file(&error),
            ImportError::Upload(reason) => Self::new(Code::UploadInvalid).detail(reason),
            ImportError::TooLarge(_) => Self::new(Code::BodyTooLarge).detail(error),
            ImportError::Refused(problem) => problem,
            ImportError::Running => Self::new(Code::ImportRunning),
            ImportError::Raced => Self::new(Code::Conflict).detail(error),
            ImportError::Storage(cause) if is_full(&cause) => {
                Self::new(Code::Unavailable).because(format!("no room for an upload: {cause}"))
            }
            ImportError::Storage(cause) => Self::internal(cause),
            ImportError::Catalog(error) => error.into(),
            ImportError::Db(error) => Self::database(&error),
        }
    }
}

fn of_file(error: &FileError) -> Problem {
    let code = match error {
        FileError::Io(cause) => return Problem::internal(cause),
        FileError::ColumnNotFound { .. }
        | FileError::SheetNotFound { .. }
        | FileError::InvalidMapping { .. } => Code::MappingInvalid,
        _ => Code::FileUnreadable,
    };
    Problem::new(code)
        .detail(error)
        .about_line(error.line(), error.code())
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
    )
}
