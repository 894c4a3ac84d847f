//! `/import-profiles`.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::super::error::ImportError;
use super::super::model::{Missing, Mode, Options};
use super::super::pricefile::{Duplicates, Mapping};
use super::service::{self, Profile, ProfileChange};
use crate::audit::Change;
use crate::auth::RunImports;
use crate::http::{
    Answer, Body, Done, ETag, Fields, IfMatch, Listing, Member, PageOut, PageQuery, Problem,
    ProblemOut,
};
use crate::kernel::never_null;
use crate::state::AppState;
use crate::tenant::catalog::text::one_line;

/// The routes of import profiles.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(remove);
}

/// A new profile.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProfileIn {
    /// The supplier, unique per dealer.
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(example = "Brick works")]
    name: String,
    /// How its files are to be read; what is left out is found in each.
    #[serde(default)]
    mapping: Mapping,
    #[serde(default)]
    #[validate(nested)]
    options: OptionsIn,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProfilePatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Replaces all of it.
    #[serde(default, deserialize_with = "never_null")]
    #[schema(nullable = false)]
    mapping: Option<Mapping>,
    /// Replaces all of them.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(nested)]
    #[schema(nullable = false)]
    options: Option<OptionsIn>,
}

/// What is asked for where a request says nothing.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct OptionsIn {
    #[schema(inline)]
    mode: Mode,
    /// Rejected rows that are put up with; for `stop_after`.
    #[validate(range(max = 10000000))]
    max_rejected: Option<u64>,
    #[schema(inline)]
    duplicates: Duplicates,
    #[schema(inline)]
    missing: Missing,
    /// Point out prices that change by at least so much, percent.
    #[validate(range(min = 1, max = 10000))]
    price_change_percent: Option<u32>,
    /// Apply files at once after they were read.
    apply: bool,
}

/// How a supplier writes its price files.
#[derive(Serialize, ToSchema)]
struct ProfileOut {
    id: Uuid,
    name: String,
    mapping: Mapping,
    options: Options,
    /// The ETag's number.
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<Profile> for ProfileOut {
    fn from(profile: Profile) -> Self {
        Self {
            id: profile.row.id,
            name: profile.row.name,
            mapping: profile.mapping,
            options: profile.options,
            version: profile.row.version,
            created_at: profile.row.created_at,
            updated_at: profile.row.updated_at,
        }
    }
}

impl OptionsIn {
    fn into_options(self) -> Result<Options, Problem> {
        let options = Options {
            mode: self.mode,
            max_rejected: self.max_rejected,
            duplicates: self.duplicates,
            missing: self.missing,
            price_change_percent: self.price_change_percent,
            apply: self.apply,
        };
        let refused = |error| Problem::field("/options", "contradiction", error);
        options.checked(true).map_err(refused)
    }
}

/// List import profiles
#[utoipa::path(tag = "imports", operation_id = "list_import_profiles", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<ProfileOut>)))]
#[get("/import-profiles")]
async fn list(
    req: HttpRequest,
    who: Member<RunImports>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<ProfileOut>(page.fields.as_deref())?;
    let work = async |tx: &_| service::list(tx, limit, cursor.clone()).await;
    list.answer::<ProfileOut>(who.db.read(work).await?, &fields)
}

/// Create an import profile
#[utoipa::path(tag = "imports", operation_id = "create_import_profile", request_body = ProfileIn,
    security(("bearer" = [])), responses(
    (status = 201, body = ProfileOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/import-profiles")]
async fn create(
    req: HttpRequest,
    who: Member<RunImports>,
    body: Body<ProfileIn>,
) -> Result<HttpResponse, Problem> {
    let now = AppState::of(&req).clock.now();
    let ProfileIn {
        name,
        mapping,
        options,
    } = body.0;
    let (name, options) = (name.trim().to_owned(), options.into_options()?);
    who.write(async |tx| {
        let profile = service::create(tx, &name, &mapping, &options, now).await?;
        let profile = ProfileOut::from(profile);
        let address = format!("/api/v1/import-profiles/{}", profile.id);
        let answer = Answer::created(&address, &profile).version(profile.version);
        let record = Change::new("import_profile.create", "import_profile", profile.id);
        Ok::<_, ImportError>(Done::new(record.after(&profile), answer))
    })
    .await
}

/// Read an import profile
#[utoipa::path(tag = "imports", operation_id = "read_import_profile", params(("id" = Uuid, Path)),
    security(("bearer" = [])), responses((status = 200, body = ProfileOut)))]
#[get("/import-profiles/{id}")]
async fn read(who: Member<RunImports>, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    let profile = who.db.read(async |tx| service::find(tx, *id).await).await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(profile.row.version))
        .json(ProfileOut::from(profile)))
}

/// Change an import profile
#[utoipa::path(tag = "imports", operation_id = "change_import_profile", request_body = ProfilePatch,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = ProfileOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[patch("/import-profiles/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<RunImports>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
    body: Body<ProfilePatch>,
) -> Result<HttpResponse, Problem> {
    let (expected, now) = (based_on.version(), AppState::of(&req).clock.now());
    let options = body.0.options.map(OptionsIn::into_options).transpose()?;
    let change = ProfileChange {
        name: body.0.name.map(|name| name.trim().to_owned()),
        mapping: body.0.mapping,
        options,
    };
    who.write(async |tx| {
        let profile = service::change(tx, *id, expected, &change, now).await?;
        let before = ProfileOut::from(profile.before);
        let after = ProfileOut::from(profile.after);
        let answer = Answer::ok(&after).version(after.version);
        let record = Change::new("import_profile.change", "import_profile", after.id);
        Ok::<_, ImportError>(Done::new(record.from_to(&before, &after), answer))
    })
    .await
}

/// Remove an import profile
///
/// Its imports stay. Which items came with it is forgotten.
#[utoipa::path(tag = "imports", operation_id = "remove_import_profile",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses((status = 204)))]
#[delete("/import-profiles/{id}")]
async fn remove(
    who: Member<RunImports>,
    id: web::Path<Uuid>,
    based_on: IfMatch,
) -> Result<HttpResponse, Problem> {
    let expected = based_on.version();
    who.write(async |tx| {
        let profile = ProfileOut::from(service::remove(tx, *id, expected).await?);
        let record = Change::new("import_profile.remove", "import_profile", profile.id);
        let record = record.before(&profile);
        Ok::<_, ImportError>(Done::new(record, Answer::no_content()))
    })
    .await
}
