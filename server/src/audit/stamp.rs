//! Who did something, when, and in which request.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// Somebody who has not signed in, such as one who is about to.
    Anonymous,
    /// A member of the dealer's team.
    Member {
        /// Who.
        id: Uuid,
    },
    /// A machine.
    ApiKey {
        /// Its key.
        id: Uuid,
        /// Who made the key.
        member_id: Uuid,
    },
    /// Somebody who runs the platform.
    Operator {
        /// Who.
        id: Uuid,
    },
    /// The server itself.
    System,
}

impl Actor {
    /// Whose idempotency keys these are: nobody finds another's.
    pub fn scope(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Member { id } => format!("member/{id}"),
            Self::ApiKey { id, .. } => format!("api_key/{id}"),
            Self::Operator { id } => format!("operator/{id}"),
            Self::System => "system".to_owned(),
        }
    }
}

/// What a record says of the circumstances.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// Who.
    pub actor: Actor,
    /// In which request, as it stands in the log.
    pub request_id: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// When, UTC.
    pub at: OffsetDateTime,
}

impl Stamp {
    /// The same circumstances, once it is known who it is.
    pub fn by(&self, actor: Actor) -> Self {
        Self {
            actor,
            ..self.clone()
        }
    }
}
