//! Checks passwords off the request's thread, a bounded number at a time.

use std::sync::Arc;

use provisioner::password::{self, Cost};
use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::error::AuthError;
use crate::config::Auth;

/// Checks passwords. Each check takes tens of megabytes for tens of milliseconds, so only as
/// many run at once as there are processors.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of nobody's password: checking it makes an unknown user cost what a known does.
    nobodys: Arc<str>,
}

impl Passwords {
    /// Prepares the check; hashes one password.
    ///
    /// # Errors
    ///
    /// [`AuthError::Broken`] when the configured cost is impossible.
    pub fn new(config: &Auth) -> Result<Self, AuthError> {
        let cost = Cost {
            memory_kib: config.password_memory_kib,
            passes: config.password_passes,
            ..Cost::default()
        };
        let nobodys = password::hash(&"nobody has this password".to_owned().into(), cost)
            .map_err(|error| AuthError::Broken(error.to_string()))?;
        let at_once = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            turns: Arc::new(Semaphore::new(at_once)),
            nobodys: nobodys.into(),
        })
    }

    /// Whether `password` is the one of `hash`; without a hash it never is, but takes as long.
    ///
    /// # Errors
    ///
    /// [`AuthError::Broken`] when the check itself fails.
    pub async fn check(
        &self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, AuthError> {
        let _turn = self
            .turns
            .acquire()
            .await
            .map_err(|error| AuthError::Broken(error.to_string()))?;
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys.to_string());
        let matches = tokio::task::spawn_blocking(move || password::verify(&password, &hash))
            .await
            .map_err(|error| AuthError::Broken(error.to_string()))?;
        Ok(matches && is_known)
    }
}
