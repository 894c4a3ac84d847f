//! The catalogue of what a member may do: permissions as types, each with its name and meaning.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that may be allowed or not. A handler names it in its signature.
pub trait Permission: 'static {
    /// Its name in the catalogue, such as `item.read`.
    const NAME: &'static str;
    /// Whether whoever uses it must have proven lately who they are.
    const NEEDS_PROOF: bool = false;
}

/// Over whose things a permission reaches; each reaches over those before it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One's own.
    Own,
    /// Those of one's teams.
    Team,
    /// Those of one's branch.
    Branch,
    /// All of the dealer's.
    All,
}

impl Scope {
    /// All of them, the narrowest first.
    const ALL: [Self; 4] = [Self::Own, Self::Team, Self::Branch, Self::All];

    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Team => "team",
            Self::Branch => "branch",
            Self::All => "all",
        }
    }

    /// The scope of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// One line of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Entry {
    /// Such as `item.read`.
    pub name: &'static str,
    /// What it allows, for people.
    pub title: &'static str,
    /// Whether it can be held over less than all.
    pub has_scopes: bool,
    /// Whether whoever uses it must have proven lately who they are.
    pub needs_proof: bool,
}

/// Declares the catalogue: one line a permission, so that it reads as the table it is.
macro_rules! catalogue {
    ($($permission:ident $name:literal $title:literal $scopes:literal $proof:literal;)+) => {
        $(
            #[doc = $title]
            #[derive(Debug)]
            pub struct $permission;

            impl Permission for $permission {
                const NAME: &'static str = $name;
                const NEEDS_PROOF: bool = $proof;
            }
        )+

        /// All permissions, in the order of the catalogue.
        pub const CATALOGUE: &[Entry] = &[$(Entry {
            name: $name,
            title: $title,
            has_scopes: $scopes,
            needs_proof: $proof,
        },)+];
    };
}

// Whether it has scopes, whether it needs a recent proof.
catalogue! {
    ReadItems "item.read" "See the catalogue" false false;
    WriteItems "item.write" "Change the catalogue" false false;
    ReadCosts "price.cost.read" "See what the dealer pays for items" false false;
    WriteCosts "price.cost.write" "Change what the dealer pays for items" false false;
    RunImports "import.run" "Load price files" false false;
    UndoImports "import.undo" "Take back what a price file changed" false false;
    RunExports "export.run" "Take out the catalogue as a file" false false;
    ReadEvents "event.read" "Follow what happens" false false;
    ReadJobs "job.read" "See background work" false false;
    ManageJobs "job.manage" "Retry and discard background work" false false;
    ReadWebhooks "webhook.read" "See webhooks and what was delivered" false false;
    ManageWebhooks "webhook.manage" "Change webhooks and their secrets" false true;
    ReadMembers "member.read" "See the team" true false;
    ManageMembers "member.manage" "Invite, change and deactivate members" true false;
    ManageSessions "session.manage" "See and end sessions of others" true false;
    ReadOrganisation "organisation.read" "See branches and teams" false false;
    ManageOrganisation "organisation.manage" "Change branches and teams" false false;
    ReadRoles "role.read" "See roles and what they allow" false false;
    ManageRoles "role.manage" "Change roles, and who may do what" false true;
    ManageKeys "api_key.manage" "Make and revoke API keys" false true;
    ReadSettings "setting.read" "See the dealer's settings" false false;
    ManageSettings "setting.manage" "Change the dealer's settings" false false;
    ManageSecurity "security.manage" "Change how people sign in" false true;
    ManageSso "sso.manage" "Change identity providers" false true;
    ReadAudit "audit.read" "See what was done, and by whom" true false;
    ExportAudit "audit.export" "Take out the audit trail" false false;
}

/// What no API key is given, besides all that needs a proof: keys manage neither keys nor roles nor
/// how people sign in, and a session is a person's.
const FOR_PEOPLE_ONLY: &[&str] = &[ManageSessions::NAME];

impl Entry {
    /// Whether an API key can be given it.
    pub fn is_for_machines(&self) -> bool {
        !self.needs_proof && !FOR_PEOPLE_ONLY.contains(&self.name)
    }
}

/// The catalogue's line of a name.
pub fn entry(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}
