//! `/settings/correspondence`.

use actix_web::{HttpRequest, HttpResponse, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

use super::error::SettingError;
use super::service;
use crate::audit::Change;
use crate::auth::{ManageSettings, ReadSettings};
use crate::http::{Answer, Body, Done, ETag, IfMatch, Member, Problem, ProblemOut};
use crate::kernel::Color;
use crate::mail::{CORRESPONDENCE, Correspondence, Language};
use crate::state::AppState;

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read).service(replace);
}

/// How you write to your people.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CorrespondenceIn {
    /// What members are written to in who have chosen no other; English when null or absent.
    language: Option<Language>,
    /// What buttons in messages are drawn in; the words on them are black or white, whichever is read
    /// better.
    #[validate(custom(function = is_color))]
    #[schema(example = "#b4532a", pattern = "^#[0-9A-Fa-f]{6}$")]
    brand_color: Option<String>,
}

/// How you write to your people.
#[derive(Serialize, ToSchema)]
struct CorrespondenceOut {
    #[schema(required)]
    language: Option<Language>,
    #[schema(required, example = "#b4532a")]
    brand_color: Option<String>,
    /// The ETag's number; 0 where nothing was set yet.
    version: i64,
}

/// Read how you write to your people
#[utoipa::path(tag = "settings", operation_id = "read_correspondence",
    security(("bearer" = [])), responses((status = 200, body = CorrespondenceOut)))]
#[get("/settings/correspondence")]
async fn read(who: Member<ReadSettings>) -> Result<HttpResponse, Problem> {
    let found = who.db.read(async |tx| service::correspondence(tx).await);
    let shown = CorrespondenceOut::from(found.await?);
    Ok(HttpResponse::Ok()
        .insert_header(ETag(shown.version))
        .json(shown))
}

/// Replace how you write to your people
#[utoipa::path(tag = "settings", operation_id = "replace_correspondence",
    request_body = CorrespondenceIn, params(("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = CorrespondenceOut),
    (status = 412, body = ProblemOut, content_type = "application/problem+json"),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
    (status = 428, body = ProblemOut, content_type = "application/problem+json"),
))]
#[put("/settings/correspondence")]
async fn replace(
    req: HttpRequest,
    who: Member<ManageSettings>,
    based_on: IfMatch,
    body: Body<CorrespondenceIn>,
) -> Result<HttpResponse, Problem> {
    let new = Correspondence::from(body.0);
    let (expected, now) = (based_on.version(), AppState::of(&req).clock.now());
    who.write(async |tx| {
        let both = service::replace_correspondence(tx, &new, expected, now).await?;
        let [before, after] = both.map(CorrespondenceOut::from);
        let record = Change::new("setting.change", "setting", CORRESPONDENCE);
        let answer = Answer::ok(&after).version(after.version);
        Ok::<_, SettingError>(Done::new(record.from_to(&before, &after), answer))
    })
    .await
}

fn is_color(text: &str) -> Result<(), ValidationError> {
    let parsed = text.parse::<Color>();
    parsed
        .map(drop)
        .map_err(|error| ValidationError::new("color").with_message(error.to_string().into()))
}

impl From<CorrespondenceIn> for Correspondence {
    fn from(body: CorrespondenceIn) -> Self {
        Self {
            language: body.language,
            brand_color: body.brand_color.and_then(|text| text.parse().ok()),
        }
    }
}

impl From<(Correspondence, i64)> for CorrespondenceOut {
    fn from((found, version): (Correspondence, i64)) -> Self {
        Self {
            language: found.language,
            brand_color: found.brand_color.map(|color| color.to_string()),
            version,
        }
    }
}
