//! The catalogue of events: what is told, and of which change.

use super::topic::Topic;

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

const fn heard(name: &'static str, topic: Topic, title: &'static str) -> EventKind {
    EventKind {
        name,
        topic,
        action: None,
        title,
    }
}
/// A member was told of something: what, they read at `/me/notifications`.
pub const NOTIFICATION_CREATED: EventKind = EventKind {
    name: "notification.created",
    topic: Topic::Notifications,
    action: None,
    title: "You were told of something",
};

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
    told(
        "export.ready",
        Topic::Items,
        "export.finish",
        "The file of an export is there",
    ),
    heard("export.failed", Topic::Items, "An export came to nothing"),
    told(
        "item_group.created",
        Topic::Items,
        "item_group.create",
        "A group of items is new",
    ),
    told(
        "item_group.updated",
        Topic::Items,
        "item_group.change",
        "A group of items is different",
    ),
    told(
        "item_group.removed",
        Topic::Items,
        "item_group.remove",
        "A group of items is gone",
    ),
    told("unit.created", Topic::Items, "unit.create", "A unit is new"),
    told(
        "unit.updated",
        Topic::Items,
        "unit.change",
        "A unit is different",
    ),
    told(
        "unit.removed",
        Topic::Items,
        "unit.remove",
        "A unit is gone",
    ),
    told(
        "member.provisioned",
        Topic::Team,
        "member.provision",
        "An identity provider brought a new member",
    ),
    told(
        "member.updated",
        Topic::Team,
        "member.change",
        "A member is different",
    ),
    told(
        "member.deactivated",
        Topic::Team,
        "member.deactivate",
        "A member may not sign in any more",
    ),
    told(
        "member.reactivated",
        Topic::Team,
        "member.reactivate",
        "A member may sign in again",
    ),
    told(
        "invitation.created",
        Topic::Team,
        "invitation.create",
        "Somebody is invited",
    ),
    told(
        "invitation.resent",
        Topic::Team,
        "invitation.resend",
        "An invitation was sent again",
    ),
    told(
        "invitation.revoked",
        Topic::Team,
        "invitation.revoke",
        "An invitation is void",
    ),
    told(
        "invitation.accepted",
        Topic::Team,
        "invitation.accept",
        "Somebody has joined the team",
    ),
    told(
        "branch.created",
        Topic::Team,
        "branch.create",
        "A branch is new",
    ),
    told(
        "branch.updated",
        Topic::Team,
        "branch.change",
        "A branch is different",
    ),
    told(
        "branch.removed",
        Topic::Team,
        "branch.remove",
        "A branch is gone",
    ),
    told("team.created", Topic::Team, "team.create", "A team is new"),
    told(
        "team.updated",
        Topic::Team,
        "team.change",
        "A team is different",
    ),
    told("team.removed", Topic::Team, "team.remove", "A team is gone"),
    told(
        "team.member_added",
        Topic::Team,
        "team.take_in",
        "A member is in a team",
    ),
    told(
        "team.member_removed",
        Topic::Team,
        "team.take_out",
        "A member is in a team no more",
    ),
    told("role.created", Topic::Team, "role.create", "A role is new"),
    told(
        "role.updated",
        Topic::Team,
        "role.change",
        "A role allows something else",
    ),
    told("role.removed", Topic::Team, "role.remove", "A role is gone"),
    told(
        "setting.updated",
        Topic::Settings,
        "setting.change",
        "A setting is different",
    ),
    told(
        "job.retried",
        Topic::Jobs,
        "job.retry",
        "Background work gets another attempt",
    ),
    told(
        "job.discarded",
        Topic::Jobs,
        "job.discard",
        "Background work was given up",
    ),
    heard(
        "job.dead",
        Topic::Jobs,
        "Background work has failed for good",
    ),
    told(
        "api_key.created",
        Topic::Settings,
        "api_key.create",
        "An API key is new",
    ),
    told(
        "api_key.updated",
        Topic::Settings,
        "api_key.change",
        "An API key is different",
    ),
    told(
        "api_key.rotated",
        Topic::Settings,
        "api_key.rotate",
        "An API key has a new secret",
    ),
    told(
        "api_key.revoked",
        Topic::Settings,
        "api_key.revoke",
        "An API key is void",
    ),
    told(
        "sso_connection.created",
        Topic::Settings,
        "sso_connection.create",
        "An identity provider is new",
    ),
    told(
        "sso_connection.updated",
        Topic::Settings,
        "sso_connection.change",
        "An identity provider is different",
    ),
    told(
        "sso_connection.removed",
        Topic::Settings,
        "sso_connection.remove",
        "An identity provider is gone",
    ),
    told(
        "sso_domain.claimed",
        Topic::Settings,
        "sso_domain.claim",
        "A domain is claimed for an identity provider",
    ),
    told(
        "sso_domain.verified",
        Topic::Settings,
        "sso_domain.verify",
        "A domain is an identity provider's",
    ),
    told(
        "sso_domain.removed",
        Topic::Settings,
        "sso_domain.remove",
        "A domain is an identity provider's no more",
    ),
    told(
        "token.voided",
        Topic::Settings,
        "token.void_all",
        "Everybody must sign in again",
    ),
    heard(
        "import.progress",
        Topic::Imports,
        "A price file has come a bit further",
    ),
    heard(
        "import.ready",
        Topic::Imports,
        "It is known what a price file would do",
    ),
    told(
        "import.applied",
        Topic::Imports,
        "import.apply",
        "A price file is in the catalogue",
    ),
    heard(
        "import.failed",
        Topic::Imports,
        "A price file came to nothing",
    ),
    heard(
        "import.cancelled",
        Topic::Imports,
        "Somebody stopped a price file",
    ),
    heard(
        "import.undone",
        Topic::Imports,
        "What a price file did was taken back",
    ),
    told(
        "import_profile.created",
        Topic::Imports,
        "import_profile.create",
        "A supplier's way to write price files is new",
    ),
    told(
        "import_profile.updated",
        Topic::Imports,
        "import_profile.change",
        "A supplier's way to write price files is different",
    ),
    told(
        "import_profile.removed",
        Topic::Imports,
        "import_profile.remove",
        "A supplier's way to write price files is gone",
    ),
    NOTIFICATION_CREATED,
    told(
        "webhook_endpoint.disabled",
        Topic::Settings,
        "webhook_endpoint.disable",
        "An endpoint is sent nothing any more, for it failed too long",
    ),
    // Sent to the one endpoint that is tried, and told to nobody else.
    EventKind {
        name: "webhook.test",
        topic: Topic::Settings,
        action: None,
        title: "An endpoint is tried",
    },
];

/// The kind of that name.
pub fn kind_named(name: &str) -> Option<&'static EventKind> {
    CATALOGUE.iter().find(|kind| kind.name == name)
}

/// The kind that tells of an action, if any does.
pub fn kind_of_action(action: &str) -> Option<&'static EventKind> {
    CATALOGUE.iter().find(|kind| kind.action == Some(action))
}
