//! `/me/notifications` and `/me/notification-preferences`.

use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::error::NotificationError;
use super::service::{self, NewPreferences, Which};
use super::wire::{
    NotificationOut, NotificationsQuery, PreferencesIn, PreferencesOut, ReadAllOut, UnreadOut,
};
use crate::audit::Change;
use crate::db::TenantTx;
use crate::http::{
    Answer, Body, Caller, Code, Done, ETag, Fields, IfMatch, Listing, PageOut, Problem, ProblemOut,
    page_limit,
};
use crate::kernel::Page;
use crate::mail::{Correspondence, Language};
use crate::state::AppState;

/// The routes of this domain.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    // Before the one that takes an id.
    cfg.service(read_all)
        .service(count)
        .service(list)
        .service(read)
        .service(preferences)
        .service(replace_preferences);
}

/// List your notifications
///
/// What you were told, the latest first. They are kept for 90 days.
#[utoipa::path(tag = "notifications", operation_id = "list_my_notifications",
    params(NotificationsQuery), security(("bearer" = [])),
    responses((status = 200, body = PageOut<NotificationOut>)))]
#[get("/me/notifications")]
async fn list(
    req: HttpRequest,
    who: Caller,
    query: web::Query<NotificationsQuery>,
) -> Result<HttpResponse, Problem> {
    who.session_id()?;
    let list = Listing::of(&req);
    let (limit, cursor) = (
        page_limit(query.limit)?,
        list.open(query.cursor.as_deref())?,
    );
    let fields = Fields::parse::<NotificationOut>(query.fields.as_deref())?;
    let which = if query.unread {
        Which::Unread
    } else {
        Which::All
    };
    let id = who.principal.person.id;
    let (page, language) = who
        .db
        .read(async |tx| {
            let page = service::list(tx, id, which, limit, cursor.clone()).await?;
            Ok::<_, NotificationError>((page, language(tx, id).await?))
        })
        .await?;
    let shown = page.data.into_iter();
    let page = Page {
        data: shown
            .map(|row| NotificationOut::of(row, language))
            .collect(),
        next: page.next,
    };
    list.answer::<NotificationOut>(page, &fields)
}

/// Count what you have not read
#[utoipa::path(tag = "notifications", operation_id = "count_my_notifications",
    security(("bearer" = [])), responses((status = 200, body = UnreadOut)))]
#[get("/me/notifications/unread")]
async fn count(who: Caller) -> Result<web::Json<UnreadOut>, Problem> {
    who.session_id()?;
    let id = who.principal.person.id;
    let unread = who
        .db
        .read(async |tx| service::unread(tx, id).await)
        .await?;
    Ok(web::Json(UnreadOut { unread }))
}

/// Mark a notification as read
#[utoipa::path(tag = "notifications", operation_id = "read_my_notification",
    params(("id" = Uuid, Path)), security(("bearer" = [])), responses(
    (status = 200, body = NotificationOut),
    (status = 404, body = ProblemOut, content_type = "application/problem+json"),
))]
#[post("/me/notifications/{id}/read")]
async fn read(req: HttpRequest, who: Caller, id: web::Path<Uuid>) -> Result<HttpResponse, Problem> {
    who.session_id()?;
    let (member, now) = (who.principal.person.id, AppState::of(&req).clock.now());
    who.gate
        .write(async |tx| {
            let row = service::read(tx, (member, *id), now).await?;
            let shown = NotificationOut::of(row, language(tx, member).await?);
            let record = Change::new("notification.read", "notification", *id);
            Ok::<_, NotificationError>(Done::new(record, Answer::ok(&shown)))
        })
        .await
}

/// Mark all your notifications as read
#[utoipa::path(tag = "notifications", operation_id = "read_all_my_notifications",
    security(("bearer" = [])), responses((status = 200, body = ReadAllOut)))]
#[post("/me/notifications/read-all")]
async fn read_all(req: HttpRequest, who: Caller) -> Result<HttpResponse, Problem> {
    who.session_id()?;
    let (member, now) = (who.principal.person.id, AppState::of(&req).clock.now());
    who.gate
        .write(async |tx| {
            let how_many = service::read_all(tx, member, now).await?;
            let record = Change::of_all("notification.read_all", "notification");
            let answer = Answer::ok(&ReadAllOut { read: how_many });
            Ok::<_, NotificationError>(Done::new(record, answer))
        })
        .await
}

/// Read how you are told
#[utoipa::path(tag = "notifications", operation_id = "read_my_notification_preferences",
    security(("bearer" = [])), responses((status = 200, body = PreferencesOut)))]
#[get("/me/notification-preferences")]
async fn preferences(who: Caller) -> Result<HttpResponse, Problem> {
    who.session_id()?;
    let id = who.principal.person.id;
    let shown = who
        .db
        .read(async |tx| {
            let preferences = service::preferences(tx, id).await?;
            let dealers = dealers_language(tx).await?;
            Ok::<_, NotificationError>(PreferencesOut::of(&preferences, dealers))
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(ETag(shown.version))
        .json(shown))
}

/// Choose how you are told
///
/// In the app or not; by mail when it happens, once a day with all else, or not at all. What is about
/// the safety of your account is always told.
#[utoipa::path(tag = "notifications", operation_id = "replace_my_notification_preferences",
    request_body = PreferencesIn, params(("If-Match" = String, Header)),
    security(("bearer" = [])), responses(
    (status = 200, body = PreferencesOut),
    (status = 412, body = ProblemOut, content_type = "application/problem+json"),
    (status = 422, body = ProblemOut, content_type = "application/problem+json"),
    (status = 428, body = ProblemOut, content_type = "application/problem+json"),
))]
#[put("/me/notification-preferences")]
async fn replace_preferences(
    req: HttpRequest,
    who: Caller,
    based_on: IfMatch,
    body: Body<PreferencesIn>,
) -> Result<HttpResponse, Problem> {
    who.session_id()?;
    let new = NewPreferences::try_from(body.0)?;
    let (id, now) = (who.principal.person.id, AppState::of(&req).clock.now());
    let which = (id, based_on.version());
    who.gate
        .write(async |tx| {
            let (before, after) = service::replace_preferences(tx, which, &new, now).await?;
            let dealers = dealers_language(tx).await?;
            let before = PreferencesOut::of(&before, dealers);
            let after = PreferencesOut::of(&after, dealers);
            let record = Change::new("notification_preference.change", "member", id)
                .from_to(&before, &after);
            let answer = Answer::ok(&after).version(after.version);
            Ok::<_, NotificationError>(Done::new(record, answer))
        })
        .await
}

async fn language(tx: &TenantTx, member: Uuid) -> Result<Language, NotificationError> {
    match service::preferences(tx, member).await?.language {
        Some(language) => Ok(language),
        None => dealers_language(tx).await,
    }
}

async fn dealers_language(tx: &TenantTx) -> Result<Language, NotificationError> {
    Ok(Correspondence::of(tx).await?.language.unwrap_or_default())
}

impl From<NotificationError> for Problem {
    fn from(error: NotificationError) -> Self {
        match &error {
            NotificationError::NotFound => Self::new(Code::NotificationNotFound),
            NotificationError::Changed(_) | NotificationError::Overtaken => {
                Self::new(Code::PreconditionFailed).detail(error)
            }
            NotificationError::UnknownKind(pointer) => Self::field(pointer, "unknown", &error),
            NotificationError::Fixed(pointer) => Self::field(pointer, "fixed", &error),
            NotificationError::Twice(pointer) => Self::field(pointer, "twice", &error),
            NotificationError::Cursor(_) => Self::new(Code::CursorInvalid).detail(error),
            NotificationError::Db(error) => Self::database(error),
        }
    }
}
