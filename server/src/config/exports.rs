//! Files that are made for people.

use serde::Deserialize;
use validator::Validate;

/// Files that are made for people.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Exports {
    /// How long they are kept, hours.
    #[validate(range(min = 1, max = 8760))]
    pub kept_hours: u32,
    /// Largest file, MiB.
    #[validate(range(min = 1, max = 102400))]
    pub max_mib: u64,
}
