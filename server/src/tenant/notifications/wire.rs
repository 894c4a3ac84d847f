//! Notifications and preferences on the wire.

use std::collections::BTreeMap;

use ::entity::tenant::notification::Model;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::error::NotificationError;
use super::kind::{ByMail, Choice, Kind};
use super::service::NewPreferences;
use super::store::Preferences;
use crate::mail::Language;

/// Something that you were told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NotificationOut {
    id: Uuid,
    #[schema(example = "import.applied")]
    kind: String,
    /// For people, in your language.
    #[schema(example = "A price file was applied: spring.csv")]
    title: String,
    /// What belongs to it.
    #[schema(value_type = Object)]
    data: Value,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Null until you have read it.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    read_at: Option<OffsetDateTime>,
}

/// How many you have not read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UnreadOut {
    #[schema(example = 3)]
    pub(super) unread: u64,
}

/// How many you had not read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReadAllOut {
    #[schema(example = 3)]
    pub(super) read: u64,
}

/// Which page of your notifications is wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NotificationsQuery {
    /// Only those that you have not read.
    #[serde(default)]
    pub(super) unread: bool,
    /// Rows of the page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub(super) limit: Option<u64>,
    /// The `next` of the page before.
    pub(super) cursor: Option<String>,
    /// Only these fields of each row, with commas between.
    pub(super) fields: Option<String>,
}

/// How you want to be told of one kind of thing.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChoiceIn {
    #[schema(example = "import.applied")]
    kind: String,
    in_app: bool,
    mail: ByMail,
}

/// How you want to be told.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreferencesIn {
    /// What you are written to in; your dealer's language when null or absent.
    language: Option<Language>,
    /// Kinds that are not in it are told as usual.
    #[validate(length(max = 100))]
    #[schema(max_items = 100)]
    choices: Vec<ChoiceIn>,
}

/// How you are told of one kind of thing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChoiceOut {
    #[schema(example = "import.applied")]
    kind: &'static str,
    /// For people, in your language.
    title: &'static str,
    in_app: bool,
    mail: ByMail,
    /// Whether it is about the safety of your account, and nobody can switch it off.
    is_fixed: bool,
}

/// How you are told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreferencesOut {
    /// Null where it is your dealer's.
    #[schema(required)]
    language: Option<Language>,
    /// All kinds.
    choices: Vec<ChoiceOut>,
    /// The ETag's number; 0 where nothing was chosen yet.
    pub(super) version: i64,
}

impl NotificationOut {
    pub(super) fn of(row: Model, language: Language) -> Self {
        // A kind that this build doesn't know any more was told by an older one.
        let title = match Kind::named(&row.kind) {
            Some(kind) => kind.told(language, &row.data),
            None => row.kind.clone(),
        };
        Self {
            id: row.id,
            kind: row.kind,
            title,
            data: row.data,
            created_at: row.created_at,
            read_at: row.read_at,
        }
    }
}

impl PreferencesOut {
    pub(super) fn of(preferences: &Preferences, dealers: Language) -> Self {
        let language = preferences.language.unwrap_or(dealers);
        let choices = Kind::ALL.iter().map(|kind| {
            let choice = preferences.choice(*kind);
            ChoiceOut {
                kind: kind.name(),
                title: kind.title(language),
                in_app: choice.in_app,
                mail: choice.mail,
                is_fixed: kind.is_fixed(),
            }
        });
        Self {
            language: preferences.language,
            choices: choices.collect(),
            version: preferences.version,
        }
    }
}

impl TryFrom<PreferencesIn> for NewPreferences {
    type Error = NotificationError;

    fn try_from(body: PreferencesIn) -> Result<Self, NotificationError> {
        let mut choices = BTreeMap::new();
        for (place, one) in body.choices.iter().enumerate() {
            let pointer = format!("/choices/{place}/kind");
            let Some(kind) = Kind::named(&one.kind) else {
                return Err(NotificationError::UnknownKind(pointer));
            };
            let choice = Choice {
                in_app: one.in_app,
                mail: one.mail,
            };
            // What was read may be sent back as it is.
            if kind.is_fixed() && choice != kind.usual() {
                return Err(NotificationError::Fixed(pointer));
            }
            if choices.insert(kind.name().to_owned(), choice).is_some() {
                return Err(NotificationError::Twice(pointer));
            }
        }
        Ok(Self {
            language: body.language,
            choices,
        })
    }
}
