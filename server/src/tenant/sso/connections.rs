//! `/sso-connections`.

use ::entity::tenant::member::Role;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use sea_orm::ActiveEnum;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::domains::SsoDomainOut;
use super::error::SsoError;
use super::http::{keeper, redirect_uri};
use super::service::{self, Connection, Wanted};
use crate::audit::Change;
use crate::auth::ManageSso;
use crate::http::{Answer, Body, Done, IfMatch, Member, PageOut, Problem, ProblemOut};
use crate::kernel::never_null;
use crate::state::AppState;

pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list)
        .service(create)
        .service(read)
        .service(change)
        .service(remove);
}

/// An identity provider that speaks OpenID Connect.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SsoConnectionIn {
    /// For people; unique.
    #[validate(length(max = 200), custom(function = one_line))]
    #[schema(example = "Head office")]
    name: String,
    /// Its issuer, to the letter, as in its discovery document.
    #[validate(length(max = 500))]
    #[schema(example = "https://login.acme.example")]
    issuer: String,
    /// What it calls this dealer.
    #[validate(length(max = 500), custom(function = one_line))]
    #[schema(example = "tubex")]
    client_id: String,
    /// What proves it. It is never told.
    #[schema(value_type = String, format = Password)]
    client_secret: SecretString,
    /// Built-in role of whoever becomes a member by signing in; never `owner`.
    #[validate(custom(function = lesser_role))]
    #[schema(example = "viewer")]
    default_role: String,
    /// Whether people become members by signing in; they do when absent.
    provisions: Option<bool>,
    /// Whether people of its domains must sign in with it; needs a proven domain and an owner with a
    /// second factor.
    #[serde(default)]
    is_enforced: bool,
    /// Whether it is asked at all; it is when absent.
    is_enabled: Option<bool>,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SsoConnectionPatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 200), custom(function = one_line))]
    #[schema(nullable = false)]
    name: Option<String>,
    /// With another issuer, who was who is forgotten.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 500))]
    #[schema(nullable = false)]
    issuer: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 500), custom(function = one_line))]
    #[schema(nullable = false)]
    client_id: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    #[schema(value_type = Option<String>, format = Password, nullable = false)]
    client_secret: Option<SecretString>,
    #[serde(default, deserialize_with = "never_null")]
    #[validate(custom(function = lesser_role))]
    #[schema(nullable = false)]
    default_role: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    #[schema(nullable = false)]
    provisions: Option<bool>,
    #[serde(default, deserialize_with = "never_null")]
    #[schema(nullable = false)]
    is_enforced: Option<bool>,
    #[serde(default, deserialize_with = "never_null")]
    #[schema(nullable = false)]
    is_enabled: Option<bool>,
}

/// An identity provider.
#[derive(Clone, Serialize, ToSchema)]
struct SsoConnectionOut {
    id: Uuid,
    name: String,
    issuer: String,
    client_id: String,
    /// Built-in role of whoever becomes a member by signing in.
    default_role: String,
    provisions: bool,
    is_enforced: bool,
    is_enabled: bool,
    /// For whose people it speaks.
    domains: Vec<SsoDomainOut>,
    /// To be registered at the provider: where it sends people back to, at this host.
    redirect_uri: String,
    /// The ETag's number.
    version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// List identity providers
///
/// All of them: a dealer has a few.
#[utoipa::path(tag = "sso", operation_id = "list_sso_connections", security(("bearer" = [])),
    responses((status = 200, body = PageOut<SsoConnectionOut>)))]
#[get("/sso-connections")]
async fn list(
    req: HttpRequest,
    who: Member<ManageSso>,
) -> Result<web::Json<PageOut<SsoConnectionOut>>, Problem> {
    let all = who.db.read(async |tx| service::list(tx).await).await?;
    let data = all.into_iter().map(|it| SsoConnectionOut::of(it, &req));
    Ok(web::Json(PageOut {
        data: data.collect(),
        next: None,
    }))
}

/// Trust an identity provider
///
/// It is not asked before somebody signs in with it.
#[utoipa::path(tag = "sso", operation_id = "create_sso_connection", request_body = SsoConnectionIn,
    security(("bearer" = [])), responses((status = 201, body = SsoConnectionOut),
        (status = 409, body = ProblemOut, content_type = "application/problem+json")))]
#[post("/sso-connections")]
async fn create(
    req: HttpRequest,
    who: Member<ManageSso>,
    body: Body<SsoConnectionIn>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let wanted = Wanted::from(body.0);
    must_be_complete(state, &wanted)?;
    let (keeper, now) = (keeper(state, &who.db), state.clock.now());
    who.write(async |tx| {
        let made = service::create(tx, keeper, &wanted, now).await?;
        let made = SsoConnectionOut::of(made, &req);
        let address = format!("/api/v1/sso-connections/{}", made.id);
        let answer = Answer::created(&address, &made).version(made.version);
        let record = Change::new("sso_connection.create", "sso_connection", made.id);
        Ok::<_, SsoError>(Done::new(record.after(&made), answer))
    })
    .await
}

/// Read an identity provider
#[utoipa::path(tag = "sso", operation_id = "read_sso_connection",
    params(("id" = Uuid, Path, description = "The identity provider")),
    security(("bearer" = [])), responses((status = 200, body = SsoConnectionOut),
        (status = 404, body = ProblemOut, content_type = "application/problem+json")))]
#[get("/sso-connections/{id}")]
async fn read(
    req: HttpRequest,
    who: Member<ManageSso>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let found = who.db.read(async |tx| service::find(tx, *id).await).await?;
    let found = SsoConnectionOut::of(found, &req);
    Answer::ok(&found).version(found.version).into()
}

/// Change an identity provider
#[utoipa::path(tag = "sso", operation_id = "change_sso_connection",
    request_body = SsoConnectionPatch,
    params(("id" = Uuid, Path, description = "The identity provider"),
        ("If-Match" = String, Header, description = "The ETag that the change is based on")),
    security(("bearer" = [])), responses((status = 200, body = SsoConnectionOut),
        (status = 404, body = ProblemOut, content_type = "application/problem+json"),
        (status = 409, body = ProblemOut, content_type = "application/problem+json"),
        (status = 412, body = ProblemOut, content_type = "application/problem+json"),
        (status = 428, body = ProblemOut, content_type = "application/problem+json")))]
#[patch("/sso-connections/{id}")]
async fn change(
    req: HttpRequest,
    who: Member<ManageSso>,
    id: web::Path<Uuid>,
    expected: IfMatch,
    body: Body<SsoConnectionPatch>,
) -> Result<HttpResponse, Problem> {
    let state = AppState::of(&req);
    let wanted = Wanted::from(body.0);
    must_be_complete(state, &wanted)?;
    let (keeper, now) = (keeper(state, &who.db), state.clock.now());
    let which = (*id, expected.version());
    who.write(async |tx| {
        let (before, after) = service::change(tx, keeper, which, &wanted, now).await?;
        let before = SsoConnectionOut::of(before, &req);
        let after = SsoConnectionOut::of(after, &req);
        let answer = Answer::ok(&after).version(after.version);
        let record = Change::new("sso_connection.change", "sso_connection", after.id);
        Ok::<_, SsoError>(Done::new(record.from_to(&before, &after), answer))
    })
    .await
}

/// Trust an identity provider no more
///
/// Its domains go with it, and who was who there.
#[utoipa::path(tag = "sso", operation_id = "remove_sso_connection",
    params(("id" = Uuid, Path, description = "The identity provider"),
        ("If-Match" = String, Header, description = "The ETag that the removal is based on")),
    security(("bearer" = [])), responses((status = 204),
        (status = 404, body = ProblemOut, content_type = "application/problem+json"),
        (status = 412, body = ProblemOut, content_type = "application/problem+json"),
        (status = 428, body = ProblemOut, content_type = "application/problem+json")))]
#[delete("/sso-connections/{id}")]
async fn remove(
    req: HttpRequest,
    who: Member<ManageSso>,
    id: web::Path<Uuid>,
    expected: IfMatch,
) -> Result<HttpResponse, Problem> {
    who.write(async |tx| {
        let removed = service::delete(tx, *id, expected.version()).await?;
        let removed = SsoConnectionOut::of(removed, &req);
        let record = Change::new("sso_connection.remove", "sso_connection", removed.id);
        Ok::<_, SsoError>(Done::new(record.before(&removed), Answer::no_content()))
    })
    .await
}

/// What only this server's configuration can tell, and what no rule of a field can see.
fn must_be_complete(state: &AppState, wanted: &Wanted) -> Result<(), Problem> {
    if let Some(issuer) = &wanted.issuer {
        let may_be_insecure = state.config.sso.allow_insecure_issuers;
        let is_fine = Url::parse(issuer).is_ok_and(|url| {
            (url.scheme() == "https" || (may_be_insecure && url.scheme() == "http"))
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if !is_fine {
            let message = "it must be an address with https, without query and fragment";
            return Err(Problem::field("/issuer", "issuer", message));
        }
    }
    let secret = wanted.client_secret.as_ref();
    let length = secret.map_or(1, |secret| secret.expose_secret().len());
    if !(1..=1000).contains(&length) {
        let message = "its length must be between 1 and 1000";
        return Err(Problem::field("/client_secret", "length", message));
    }
    Ok(())
}

fn one_line(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        let message = "it must be one line, and not blank";
        return Err(ValidationError::new("one_line").with_message(message.into()));
    }
    Ok(())
}

fn lesser_role(name: &str) -> Result<(), ValidationError> {
    match role(name) {
        Some(_) => Ok(()),
        None => {
            let message = "it must be a built-in role other than owner, such as viewer";
            Err(ValidationError::new("role").with_message(message.into()))
        }
    }
}

fn role(name: &str) -> Option<Role> {
    let role = Role::try_from_value(&name.to_owned()).ok();
    role.filter(|role| *role != Role::Owner)
}

impl From<SsoConnectionIn> for Wanted {
    fn from(new: SsoConnectionIn) -> Self {
        Self {
            name: Some(new.name.trim().to_owned()),
            issuer: Some(new.issuer),
            client_id: Some(new.client_id),
            client_secret: Some(new.client_secret),
            default_role: role(&new.default_role),
            provisions: new.provisions,
            is_enforced: Some(new.is_enforced),
            is_enabled: new.is_enabled,
        }
    }
}

impl From<SsoConnectionPatch> for Wanted {
    fn from(patch: SsoConnectionPatch) -> Self {
        Self {
            name: patch.name.map(|name| name.trim().to_owned()),
            issuer: patch.issuer,
            client_id: patch.client_id,
            client_secret: patch.client_secret,
            default_role: patch.default_role.as_deref().and_then(role),
            provisions: patch.provisions,
            is_enforced: patch.is_enforced,
            is_enabled: patch.is_enabled,
        }
    }
}

impl SsoConnectionOut {
    fn of(connection: Connection, req: &HttpRequest) -> Self {
        let Connection { row, domains } = connection;
        Self {
            id: row.id,
            name: row.name,
            issuer: row.issuer,
            client_id: row.client_id,
            default_role: row.default_role.to_value(),
            provisions: row.provisions,
            is_enforced: row.is_enforced,
            is_enabled: row.is_enabled,
            domains: domains.into_iter().map(Into::into).collect(),
            redirect_uri: redirect_uri(req),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
