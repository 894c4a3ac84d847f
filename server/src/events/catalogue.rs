//! The catalogue of events: what is told, of which change, and to whom.

use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{Permission, ReadEvents, ReadItems, ReadJobs, ReadMembers, ReadSettings};

/// What an event is about; who follows a topic must hold its permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The catalogue.
    Items,
    /// Price files, and how far they have come.
    Imports,
    /// Background work.
    Jobs,
    /// People and what they may do.
    Team,
    /// Settings, webhooks.
    Settings,
    /// What one member is told.
    Notifications,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Items,
        Self::Imports,
        Self::Jobs,
        Self::Team,
        Self::Settings,
        Self::Notifications,
    ];

    /// As it is stored and asked for.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Imports => "imports",
            Self::Jobs => "jobs",
            Self::Team => "team",
            Self::Settings => "settings",
            Self::Notifications => "notifications",
        }
    }

    /// The topic of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }

    /// The permission that one needs, besides `event.read`, to hear of it.
    pub const fn permission(self) -> &'static str {
        match self {
            Self::Items | Self::Imports => ReadItems::NAME,
            Self::Jobs => ReadJobs::NAME,
            Self::Team => ReadMembers::NAME,
            Self::Settings => ReadSettings::NAME,
            Self::Notifications => ReadEvents::NAME,
        }
    }
}

/// One kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind {
    /// Such as `item.created`.
    pub name: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// The action on record that it tells of; none for what is told without one.
    pub action: Option<&'static str>,
    /// What it means, for people.
    pub title: &'static str,
}

const fn told(
    name: &'static str,
    topic: Topic,
    action: &'static str,
    title: &'static str,
) -> EventKind {
    EventKind {
        name,
        topic,
        action: Some(action),
        title,
    }
}

/// All kinds of events.
pub const CATALOGUE: &[EventKind] = &[
    told(
        "item.created",
        Topic::Items,
        "item.create",
        "An item is new",
    ),
    told(
        "item.updated",
        Topic::Items,
        "item.change",
        "An item is different",
    ),
    told(
        "item.retired",
        Topic::Items,
        "item.retire",
        "An item is sold no more",
    ),
    told(
        "item.restored",
        Topic::Items,
        "item.restore",
        "An item is sold again",
    ),
    NOTIFICATION_CREATED,
];

/// A member was told of something: what, they read at `/me/notifications`.
pub const NOTIFICATION_CREATED: EventKind = EventKind {
    name: "notification.created",
    topic: Topic::Notifications,
    action: None,
    title: "You were told of something",
};

/// The kind that tells of an action, if any does.
pub fn kind_of_action(action: &str) -> Option<&'static EventKind> {
    CATALOGUE.iter().find(|kind| kind.action == Some(action))
}
