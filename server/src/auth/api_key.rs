//! API keys as machines send them: `tbx_live_<id>_<secret>_<checksum>`.

use uuid::Uuid;

/// What every key begins with.
const PREFIX: &str = "tbx_live_";

/// A key that is well formed. Whether it is anybody's is for the database to say.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyText {
    /// Which key it claims to be.
    pub id: Uuid,
    secret: String,
}

impl ApiKeyText {
    /// Reads a key; `None` for anything else, and for one that was mistyped.
    pub fn parse(text: &str) -> Option<Self> {
        let _rest = text.strip_prefix(PREFIX)?;
        None
    }

    /// The secret part.
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl std::fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiKeyText")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
