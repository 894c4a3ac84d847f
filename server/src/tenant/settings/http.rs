//! `/settings/cors`.

use std::collections::HashSet;

use actix_web::{HttpRequest, HttpResponse, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

use super::error::SettingError;
use super::service::{self, OriginList};
use crate::audit::Change;
use crate::auth::{ManageSettings, ReadSettings};
use crate::http::{Answer, Body, Code, Done, ETag, IfMatch, Member, Problem, ProblemOut};
use crate::origins;
use crate::state::AppState;

/// Origins that a dealer may name.
const MOST: usize = 50;

/// The routes of this domain.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read).service(replace);
    super::correspondence::routes(cfg);
}

/// The origins from which web pages may ask this API.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CorsOriginsIn {
    /// At most 50, each exactly as browsers send it: scheme, host, and a port that isn't the
    /// scheme's own.
    #[validate(custom(function = exact_origins))]
    #[schema(example = json!(["https://shop.example"]), max_items = 50)]
    origins: Vec<String>,
}

/// The origins from which web pages may ask this API.
#[derive(Serialize, ToSchema)]
struct CorsOriginsOut {
    #[schema(example = json!(["https://shop.example"]))]
    origins: Vec<String>,
    /// The ETag's number; 0 where nothing was set yet.
    version: i64,
}

/// Read which web pages may ask this API
#[utoipa::path(tag = "settings", operation_id = "read_cors_origins",
    security(("bearer" = [])), responses((status = 200, body = CorsOriginsOut)))]
#[get("/settings/cors")]
async fn read(who: Member<ReadSettings>) -> Result<HttpResponse, Problem> {
    let list = who.db.read(async |tx| service::origins(tx).await).await?;
    let version = ETag(list.version);
    Ok(HttpResponse::Ok()
        .insert_header(version)
        .json(CorsOriginsOut::from(list)))
}

/// Replace which web pages may ask this API
///
/// All servers know it within a second.
#[utoipa::path(tag = "settings", operation_id = "replace_cors_origins",
    request_body = CorsOriginsIn, params(("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = CorsOriginsOut),
    (status = 412, body = ProblemOut, content_type = "application/problem+json"),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
    (status = 428, body = ProblemOut, content_type = "application/problem+json"),
))]
#[put("/settings/cors")]
async fn replace(
    req: HttpRequest,
    who: Member<ManageSettings>,
    based_on: IfMatch,
    body: Body<CorsOriginsIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let (expected, now) = (based_on.version(), state.clock.now());
    let replace = who.write(async |tx| {
        let (before, after) = service::replace_origins(tx, &body.0.origins, expected, now).await?;
        let (before, after) = (CorsOriginsOut::from(before), CorsOriginsOut::from(after));
        let record = Change::new("setting.change", "setting", origins::CORS_ORIGINS);
        let answer = Answer::ok(&after).version(after.version);
        Ok::<_, SettingError>(Done::new(record.from_to(&before, &after), answer))
    });
    let answered = replace.await;
    state.access.forget(&who.db);
    answered
}

fn exact_origins(list: &[String]) -> Result<(), ValidationError> {
    if list.len() > MOST {
        return Err(ValidationError::new("length").with_message("at most 50".into()));
    }
    let mut seen = HashSet::new();
    if list
        .iter()
        .all(|one| origins::is_exact(one) && seen.insert(one))
    {
        return Ok(());
    }
    Err(ValidationError::new("origin").with_message(
        "each must be an origin as browsers send it, as in https://shop.example, and stand there \
         once; a wildcard is none"
            .into(),
    ))
}

impl From<OriginList> for CorsOriginsOut {
    fn from(list: OriginList) -> Self {
        Self {
            origins: list.origins,
            version: list.version,
        }
    }
}

impl From<SettingError> for Problem {
    fn from(error: SettingError) -> Self {
        match &error {
            SettingError::Changed(_) | SettingError::Overtaken => {
                Self::new(Code::PreconditionFailed).detail(error)
            }
            SettingError::Db(error) => Self::database(error),
        }
    }
}
