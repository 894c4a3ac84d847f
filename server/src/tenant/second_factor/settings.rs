//! `/settings/security`: what the dealer asks of whoever signs in.

use ::entity::tenant::member::Role;
use actix_web::{HttpRequest, HttpResponse, get, put};
use sea_orm::{ActiveEnum, ConnectionTrait, DbBackend, Statement};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

use super::error::SecondFactorError;
use crate::audit::Change;
use crate::auth::{
    ManageSecurity, ReadSettings, SECURITY_SETTING, SecurityPolicy, epoch, security_policy,
};
use crate::db::TenantTx;
use crate::http::{Answer, Body, Done, IfMatch, Member, Problem, ProblemOut};
use crate::state::AppState;

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read).service(change);
}

/// What the dealer asks of whoever signs in.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecurityIn {
    /// Built-in roles whose holders must have a second factor, such as `owner` and `admin`.
    #[validate(length(max = 10), custom(function = roles))]
    #[schema(example = json!(["owner", "admin"]))]
    second_factor_roles: Vec<String>,
    /// Whether it is asked for after single sign-on, too.
    #[serde(default)]
    second_factor_after_sso: bool,
}

/// What the dealer asks of whoever signs in.
#[derive(Serialize, ToSchema)]
struct SecurityOut {
    /// Built-in roles whose holders must have a second factor.
    second_factor_roles: Vec<String>,
    /// Whether it is asked for after single sign-on, too.
    second_factor_after_sso: bool,
    /// The ETag's number.
    version: i64,
}

/// What is asked of whoever signs in?
#[utoipa::path(tag = "settings", operation_id = "read_security_settings",
    security(("bearer" = [])), responses((status = 200, body = SecurityOut)))]
#[get("/settings/security")]
async fn read(who: Member<ReadSettings>) -> Result<HttpResponse, Problem> {
    let (policy, version) = who.db.read(async |tx| security_policy(tx).await).await?;
    Answer::ok(&SecurityOut::of(policy, version))
        .version(version)
        .into()
}

/// Say what is asked of whoever signs in
///
/// Holders of a role that asks for a second factor and have none can do nothing but set one up,
/// within a second. Mind that `If-Match` is `"0"` while nothing was ever said.
#[utoipa::path(tag = "settings", operation_id = "change_security_settings",
    request_body = SecurityIn,
    params(("If-Match" = String, Header, description = "The ETag that the change is based on")),
    security(("bearer" = [])),
    responses((status = 200, body = SecurityOut),
        (status = 412, body = ProblemOut, content_type = "application/problem+json"),
        (status = 428, body = ProblemOut, content_type = "application/problem+json")))]
#[put("/settings/security")]
async fn change(
    req: HttpRequest,
    who: Member<ManageSecurity>,
    expected: IfMatch,
    body: Body<SecurityIn>,
) -> Result<HttpResponse, Problem> {
    let now = AppState::of(&req).clock.now();
    let wanted = SecurityPolicy {
        second_factor_roles: body.0.second_factor_roles,
        second_factor_after_sso: body.0.second_factor_after_sso,
    };
    who.write(async |tx| {
        let (before, version) = put_policy(tx, &wanted, expected.version(), now).await?;
        let record = Change::new("setting.change", "setting", SECURITY_SETTING);
        let answer = Answer::ok(&SecurityOut::of(wanted.clone(), version)).version(version);
        Ok::<_, SecondFactorError>(Done::new(record.from_to(&before, &wanted), answer))
    })
    .await
}

/// Puts the policy in place of the one at a version; the answer is that one, and the new version.
async fn put_policy(
    tx: &TenantTx,
    wanted: &SecurityPolicy,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<(SecurityPolicy, i64), SecondFactorError> {
    let (before, version) = security_policy(tx).await?;
    if expected.is_some_and(|expected| expected != version) {
        return Err(SecondFactorError::Changed(version));
    }
    let value = serde_json::to_value(wanted);
    let value = value.map_err(|error| SecondFactorError::Broken(error.to_string()))?;
    // The version in the condition: whoever was faster has it changed, and is not undone.
    let sql = "INSERT INTO setting AS mine (key, value, version, updated_at)
        VALUES ($1, $2, 1, $3)
        ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, version = mine.version + 1,
            updated_at = EXCLUDED.updated_at
        WHERE mine.version = $4";
    let values = [
        SECURITY_SETTING.into(),
        value.into(),
        now.into(),
        version.into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    if tx.execute_raw(statement).await?.rows_affected() == 0 {
        return Err(SecondFactorError::Changed(version + 1));
    }
    epoch::bump(tx).await?;
    Ok((before, version + 1))
}

fn roles(names: &[String]) -> Result<(), ValidationError> {
    let unknown = names
        .iter()
        .find(|name| Role::try_from_value(name).is_err());
    match unknown {
        None => Ok(()),
        Some(_) => {
            let message = "each must be a built-in role, such as owner, admin or viewer";
            Err(ValidationError::new("role").with_message(message.into()))
        }
    }
}

impl SecurityOut {
    fn of(policy: SecurityPolicy, version: i64) -> Self {
        Self {
            second_factor_roles: policy.second_factor_roles,
            second_factor_after_sso: policy.second_factor_after_sso,
            version,
        }
    }
}
