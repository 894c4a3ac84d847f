//! `/units`.

use ::entity::tenant::unit::Model;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

use super::service::{self, NewUnit, UnitChange};
use crate::audit::Change;
use crate::auth::{ReadItems, WriteItems};
use crate::http::{
    Answer, Body, Done, ETag, Fields, FieldsQuery, IfMatch, Listing, Member, PageOut, PageQuery,
    Problem, ProblemOut,
};
use crate::kernel::{Patch, never_null};
use crate::state::AppState;
use crate::tenant::catalog::CatalogError;
use crate::tenant::catalog::text::one_line;

/// The routes of units.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(remove);
}

/// A new unit.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct UnitIn {
    /// Lower-case letters, digits and underscores; never changes.
    #[validate(custom(function = code))]
    #[schema(example = "m2")]
    code: String,
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(example = "Square metre")]
    name: String,
    /// Printed after quantities.
    #[validate(length(max = 20), custom(function = one_line))]
    #[schema(example = "m²")]
    symbol: String,
    /// Code of UN/ECE Recommendation 20 or 21.
    #[validate(length(max = 3), custom(function = one_line))]
    #[schema(example = "MTK")]
    un_ece: Option<String>,
    /// Decimal places a quantity may have, 0 to 6.
    #[validate(range(min = 0, max = 6))]
    decimals: i16,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct UnitPatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 20), custom(function = one_line))]
    #[schema(nullable = false)]
    symbol: Option<String>,
    /// Null clears it.
    #[serde(default)]
    #[validate(custom(function = un_ece_patch))]
    #[schema(value_type = Option<String>)]
    un_ece: Patch<String>,
    #[serde(default, deserialize_with = "never_null")]
    #[validate(range(min = 0, max = 6))]
    #[schema(nullable = false)]
    decimals: Option<i16>,
}

/// A unit of measure.
#[derive(Serialize, ToSchema)]
struct UnitOut {
    #[schema(example = "m2")]
    code: String,
    name: String,
    symbol: String,
    #[schema(required)]
    un_ece: Option<String>,
    decimals: i16,
    /// The ETag's number.
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// List units
#[utoipa::path(tag = "units", operation_id = "list_units", params(PageQuery),
    security(("bearer" = [])), responses((status = 200, body = PageOut<UnitOut>)))]
#[get("/units")]
async fn list(
    req: HttpRequest,
    who: Member<ReadItems>,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let list = Listing::of(&req);
    let (limit, cursor) = (page.limit()?, list.open(page.cursor.as_deref())?);
    let fields = Fields::parse::<UnitOut>(page.fields.as_deref())?;
    let page = who
        .db
        .read(async |tx| service::list(tx, limit, cursor.clone()).await)
        .await?;
    list.answer::<UnitOut>(page, &fields)
}

/// Create a unit
#[utoipa::path(tag = "units", operation_id = "create_unit", request_body = UnitIn, security(("bearer" = [])), responses(
    (status = 201, body = UnitOut),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/units")]
async fn create(
    req: HttpRequest,
    who: Member<WriteItems>,
    body: Body<UnitIn>,
) -> Result<HttpResponse, Problem> {
    let (new, now) = (NewUnit::from(body.0), AppState::of(&req).clock.now());
    who.write(async |tx| {
        let unit = UnitOut::from(service::create(tx, &new, now).await?);
        let address = format!("/api/v1/units/{}", unit.code);
        let answer = Answer::created(&address, &unit).version(unit.version);
        let record = Change::new("unit.create", "unit", &unit.code).after(&unit);
        Ok::<_, CatalogError>(Done::new(record, answer))
    })
    .await
}

/// Read a unit
#[utoipa::path(tag = "units", operation_id = "read_unit", params(("code" = String, Path), FieldsQuery),
    security(("bearer" = [])), responses(
    (status = 200, body = UnitOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[get("/units/{code}")]
async fn read(
    who: Member<ReadItems>,
    code: web::Path<String>,
    query: web::Query<FieldsQuery>,
) -> Result<HttpResponse, Problem> {
    let fields = Fields::parse::<UnitOut>(query.fields.as_deref())?;
    let unit = who
        .db
        .read(async |tx| service::find(tx, &code).await)
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(unit.version))
        .json(fields.of(UnitOut::from(unit))?))
}

/// Change a unit
#[utoipa::path(tag = "units", operation_id = "change_unit", request_body = UnitPatch,
    params(("code" = String, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = UnitOut),
    (status = 412, body = ProblemOut, content_type = "application/problem+json"),
    (status = 428, body = ProblemOut, content_type = "application/problem+json"),
))]
#[patch("/units/{code}")]
async fn change(
    req: HttpRequest,
    who: Member<WriteItems>,
    code: web::Path<String>,
    based_on: IfMatch,
    body: Body<UnitPatch>,
) -> Result<HttpResponse, Problem> {
    let (change, now) = (UnitChange::from(body.0), AppState::of(&req).clock.now());
    let expected = based_on.version();
    who.write(async |tx| {
        let unit = service::change(tx, &code, expected, &change, now).await?;
        let (before, after) = (UnitOut::from(unit.before), UnitOut::from(unit.after));
        let answer = Answer::ok(&after).version(after.version);
        let record = Change::new("unit.change", "unit", &after.code).from_to(&before, &after);
        Ok::<_, CatalogError>(Done::new(record, answer))
    })
    .await
}

/// Remove a unit that no item uses
#[utoipa::path(tag = "units", operation_id = "remove_unit",
    params(("code" = String, Path), ("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 204),
    (status = 409, body = ProblemOut, content_type = "application/problem+json"),
))]
#[delete("/units/{code}")]
async fn remove(
    who: Member<WriteItems>,
    code: web::Path<String>,
    based_on: IfMatch,
) -> Result<HttpResponse, Problem> {
    who.write(async |tx| {
        let removed = UnitOut::from(service::delete(tx, &code, based_on.version()).await?);
        let record = Change::new("unit.remove", "unit", &removed.code).before(&removed);
        Ok::<_, CatalogError>(Done::new(record, Answer::no_content()))
    })
    .await
}

fn code(code: &str) -> Result<(), ValidationError> {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let begins_well = code.bytes().next().is_some_and(is_plain);
    if begins_well && code.len() <= 32 && code.bytes().all(|b| is_plain(b) || b == b'_') {
        return Ok(());
    }
    Err(ValidationError::new("unit_code").with_message(
        "it must be 1 to 32 lower-case letters, digits or underscores, as in m2".into(),
    ))
}

fn un_ece_patch(un_ece: &Patch<String>) -> Result<(), ValidationError> {
    match un_ece.as_set() {
        Some(code) if code.chars().count() > 3 => {
            Err(ValidationError::new("length").with_message("it must be 1 to 3 characters".into()))
        }
        Some(code) => one_line(code),
        None => Ok(()),
    }
}

impl From<UnitIn> for NewUnit {
    fn from(body: UnitIn) -> Self {
        Self {
            code: body.code,
            name: body.name.trim().to_owned(),
            symbol: body.symbol.trim().to_owned(),
            un_ece: body.un_ece,
            decimals: body.decimals,
        }
    }
}

impl From<UnitPatch> for UnitChange {
    fn from(body: UnitPatch) -> Self {
        Self {
            name: body.name.map(|name| name.trim().to_owned()),
            symbol: body.symbol.map(|symbol| symbol.trim().to_owned()),
            un_ece: body.un_ece,
            decimals: body.decimals,
        }
    }
}

impl From<Model> for UnitOut {
    fn from(unit: Model) -> Self {
        Self {
            code: unit.code,
            name: unit.name,
            symbol: unit.symbol,
            un_ece: unit.un_ece,
            decimals: unit.decimals,
            version: unit.version,
            created_at: unit.created_at,
            updated_at: unit.updated_at,
        }
    }
}
