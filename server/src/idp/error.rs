//! Why an identity provider could not say who somebody is.

/// Why an identity provider could not say who somebody is. The texts are for the log: they may tell
/// what an address answered, which an admin who made it up must not learn.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IdpError {
    /// It can't be reached, or what it answers is of no use. Later it may be.
    #[error("the identity provider does not answer as it should: {0}")]
    Unavailable(String),
    /// It said something, or somebody in its name, that must not be believed.
    #[error("the identity provider's word is not taken: {0}")]
    Refused(String),
}
