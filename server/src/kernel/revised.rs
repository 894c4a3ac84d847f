//! Something before and after a change.

/// What it was, and what it is.
#[derive(Debug, Clone)]
pub struct Revised<T> {
    /// Before the change.
    pub before: T,
    /// After it.
    pub after: T,
}
