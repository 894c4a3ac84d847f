//! Checks passwords off the request's thread, a bounded number at a time.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use provisioner::password::{self, Cost, Verifier};
use secrecy::SecretString;
use tokio::sync::oneshot;

use super::error::AuthError;
use crate::config::Auth;

/// Checks passwords, on as many threads as there are processors.
///
/// The threads stay, and each keeps the 20 MB that a check takes: given back and taken anew, they
/// pile up in the allocator, 200 MB after twenty sign-ins.
#[derive(Debug, Clone)]
pub struct Passwords {
    checks: Sender<Check>,
    /// The hash of nobody's password: checking it makes an unknown user cost what a known does.
    nobodys: Arc<str>,
}

/// A password to be checked, and who wants to know.
#[derive(Debug)]
struct Check {
    password: SecretString,
    hash: String,
    answer: oneshot::Sender<bool>,
}

impl Passwords {
    /// Prepares the check; hashes one password.
    ///
    /// # Errors
    ///
    /// [`AuthError::Broken`] when the configured cost is impossible or no thread can be had.
    pub fn new(config: &Auth) -> Result<Self, AuthError> {
        let cost = Cost {
            memory_kib: config.password_memory_kib,
            passes: config.password_passes,
            ..Cost::default()
        };
        let nobodys = password::hash(&"nobody has this password".to_owned().into(), cost)
            .map_err(|error| AuthError::Broken(error.to_string()))?;
        let (checks, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            let queue = queue.clone();
            thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || work(&queue))
                .map_err(|error| AuthError::Broken(error.to_string()))?;
        }
        Ok(Self {
            checks,
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
        let is_known = hash.is_some();
        let (answer, matches) = oneshot::channel();
        let check = Check {
            password,
            hash: hash.unwrap_or_else(|| self.nobodys.to_string()),
            answer,
        };
        let broken = || AuthError::Broken("nobody is left to check passwords".to_owned());
        self.checks.send(check).map_err(|_| broken())?;
        let matches = matches.await.map_err(|_| broken())?;
        Ok(matches && is_known)
    }
}

/// Answers one check after the other, until nobody can ask any more.
fn work(queue: &Mutex<Receiver<Check>>) {
    let mut verifier = Verifier::default();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(check) = next else { return };
        // Whoever asked may have hung up while the check waited.
        if !check.answer.is_closed() {
            let _nobody_waits = check
                .answer
                .send(verifier.verify(&check.password, &check.hash));
        }
    }
}
