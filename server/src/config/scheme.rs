//! How addresses of this server begin.

use super::Scheme;

impl Scheme {
    /// As addresses begin.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
