//! What events are about, and who may hear of it.

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
