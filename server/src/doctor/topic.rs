//! What is looked at: one line of the report each.

/// One line of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    Platform,
    Nodes,
    Fence,
    Grants,
    Lanes,
    LaneLogins,
    LaneMemberships,
    LaneTenants,
    LaneWalls,
    Sessions,
    Connections,
    Locks,
    Statements,
    Clock,
    Notifications,
    Tenants,
}

impl Topic {
    /// All of them, in the order of the report.
    pub(super) const ALL: [Self; 16] = [
        Self::Platform,
        Self::Nodes,
        Self::Fence,
        Self::Grants,
        Self::Lanes,
        Self::LaneLogins,
        Self::LaneMemberships,
        Self::LaneTenants,
        Self::LaneWalls,
        Self::Sessions,
        Self::Connections,
        Self::Locks,
        Self::Statements,
        Self::Clock,
        Self::Notifications,
        Self::Tenants,
    ];

    /// Its name for programs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Nodes => "nodes",
            Self::Fence => "fence",
            Self::Grants => "grants",
            Self::Lanes => "lanes",
            Self::LaneLogins => "lane_logins",
            Self::LaneMemberships => "lane_memberships",
            Self::LaneTenants => "lane_tenants",
            Self::LaneWalls => "lane_walls",
            Self::Sessions => "sessions",
            Self::Connections => "connections",
            Self::Locks => "locks",
            Self::Statements => "statements",
            Self::Clock => "clock",
            Self::Notifications => "notifications",
            Self::Tenants => "tenants",
        }
    }

    /// Whether dealers are no longer apart when it fails.
    pub(super) fn is_isolation(self) -> bool {
        matches!(
            self,
            Self::Fence
                | Self::Grants
                | Self::LaneLogins
                | Self::LaneMemberships
                | Self::LaneWalls
                | Self::Sessions
        )
    }

    /// Whether a server that starts refuses to serve when it fails: dealers must be apart, and a
    /// server that will run out of connections had better say so before its first request.
    pub(super) fn keeps_from_serving(self) -> bool {
        self.is_isolation() || self == Self::Connections
    }

    /// What it says when nothing was found.
    pub(super) fn fine(self) -> &'static str {
        match self {
            Self::Platform => "the platform answers and has the tables that this build reads",
            Self::Nodes => "every node has a Postgres and the extensions that are needed",
            Self::Fence => "PUBLIC has no right that lets dealers disturb or watch each other",
            Self::Grants => "no dealer's role and no schema is open to anybody else",
            Self::Lanes => "all lanes were reached",
            Self::LaneLogins => "no lane's login may do more than take a dealer's role",
            Self::LaneMemberships => "no lane may take a role that isn't one of its dealers'",
            Self::LaneTenants => "every lane may take the role of each of its dealers",
            Self::LaneWalls => "statements across the walls are refused by the database",
            Self::Sessions => "nothing of a dealer's transaction outlives it",
            Self::Connections => "all connections fit",
            Self::Locks => "there are locks enough",
            Self::Statements => "prepared statements are bounded",
            Self::Clock => "database and server agree about the time",
            Self::Notifications => "changes of the directory are heard at once",
            Self::Tenants => "every dealer's schema can be served by this build",
        }
    }
}
