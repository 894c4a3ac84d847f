//! What somebody has answered for, beside the migration that does it.

/// A finding that may stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Its code's name.
    pub code: String,
    /// Why it may stay; never empty.
    pub reason: String,
}
