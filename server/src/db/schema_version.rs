//! Which versions of a dealer's schema this build can serve.

/// The oldest tenant migration that a dealer must have for this build to serve it. Versions are
/// names of migrations and sort by age; a dealer that is ahead is served, because only expanding
/// migrations run before their code.
pub const MINIMUM: &str = "m0014_notifications";

/// Whether this build can serve a dealer at `version`.
pub(super) fn can_serve(version: &str) -> bool {
    version >= MINIMUM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_dealer_is_not_served_a_newer_one_is() {
        assert!(!can_serve("m0013_webhooks"));
        assert!(can_serve("m0014_notifications"));
        assert!(can_serve("m0015_something"));
    }
}
