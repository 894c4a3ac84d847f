//! Why somebody is written to.

use serde::{Deserialize, Serialize};

/// Why somebody is written to, with the token that belongs to it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Occasion {
    /// They may become a member.
    Invitation {
        /// To accept it with.
        token: String,
        /// Who asks them; nobody for a first owner.
        by: Option<String>,
        /// For how long it stands, days.
        days: u32,
    },
    /// Somebody who says to be them has forgotten the password.
    Reset {
        /// To set it anew with.
        token: String,
        /// For how long it works, minutes.
        minutes: u32,
    },
    /// Their address is to be proven.
    Verification {
        /// To prove it with.
        token: String,
    },
    /// The address is to be theirs from now on.
    EmailChange {
        /// To take it with.
        token: String,
    },
    /// Somebody asked to replace the address.
    EmailLeaving,
    /// The password was changed.
    PasswordChanged,
    /// The second factor was removed.
    SecondFactorRemoved,
    /// Something happened that they want to hear of by mail.
    Notice {
        /// In their language.
        title: String,
    },
    /// What happened since the last digest.
    Digest {
        /// In their language, oldest first.
        titles: Vec<String>,
        /// More than are told.
        more: u64,
    },
}

impl Occasion {
    /// As it stands in the log of messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::Reset { .. } => "reset",
            Self::Verification { .. } => "verification",
            Self::EmailChange { .. } => "email_change",
            Self::EmailLeaving => "email_leaving",
            Self::PasswordChanged => "password_changed",
            Self::SecondFactorRemoved => "second_factor_removed",
            Self::Notice { .. } => "notice",
            Self::Digest { .. } => "digest",
        }
    }

    /// Whether it can be done without: then it isn't sent where mail comes back.
    pub const fn is_dispensable(&self) -> bool {
        matches!(self, Self::Notice { .. } | Self::Digest { .. })
    }
}

/// What a message says is between us and whoever gets it.
impl std::fmt::Debug for Occasion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Occasion({})", self.kind())
    }
}
