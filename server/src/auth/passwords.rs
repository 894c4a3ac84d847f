//! Checks and hashes passwords off the request's thread, a bounded number at a time.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use provisioner::password::{self, Cost, PasswordError, Verifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

use super::error::AuthError;
use super::strength;
use crate::config::Auth;

/// Checks and hashes passwords, on as many threads as there are processors, behind all other work:
/// a thousand people who sign in at once wait for one another, and nobody waits for them.
///
/// The threads stay, and each keeps the 20 MB that a check takes: given back and taken anew, they
/// pile up in the allocator, 200 MB after twenty sign-ins.
#[derive(Debug, Clone)]
pub struct Passwords {
    work: Sender<Work>,
    /// The hash of nobody's password: checking it makes an unknown user cost what a known does.
    nobodys: Arc<str>,
    cost: Cost,
    least_strength: u8,
}

/// Why a password can't be chosen.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Shorter or longer than it may be.
    #[error("{0}")]
    Length(PasswordError),
    /// Too easily guessed.
    #[error("{0}")]
    Weak(String),
    /// It could not be looked at.
    #[error("the password could not be hashed")]
    Auth(#[from] AuthError),
}

#[derive(Debug)]
enum Work {
    Check(Check),
    Choose(Choice),
}

/// A password to be checked, and who wants to know.
#[derive(Debug)]
struct Check {
    password: SecretString,
    hash: String,
    answer: oneshot::Sender<bool>,
}

/// A password to be hashed, if it is strong enough.
#[derive(Debug)]
struct Choice {
    password: SecretString,
    /// Words that its owner would think of; without any its strength doesn't matter.
    context: Option<Vec<String>>,
    least: u8,
    cost: Cost,
    answer: oneshot::Sender<Result<String, Unfit>>,
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
        let (work, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            let queue = queue.clone();
            thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || {
                    step_back();
                    do_all(&queue);
                })
                .map_err(|error| AuthError::Broken(error.to_string()))?;
        }
        Ok(Self {
            work,
            nobodys: nobodys.into(),
            cost,
            least_strength: config.password_strength,
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
        self.work.send(Work::Check(check)).map_err(|_| broken())?;
        let matches = matches.await.map_err(|_| broken())?;
        Ok(matches && is_known)
    }

    /// The hash of a new password, if it is long and strong enough. `context` are words that its
    /// owner would think of: their name, their address, the dealer.
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub async fn choose(
        &self,
        password: SecretString,
        context: Vec<String>,
    ) -> Result<String, Unfit> {
        self.hashed(password, Some(context)).await
    }

    /// The hash at today's cost of a password that is known to be good, if the one that is kept was
    /// made at another; a parameter that was lowered on purpose counts as well.
    ///
    /// # Errors
    ///
    /// [`Unfit`], for a password that was chosen under other rules.
    pub async fn renewed(
        &self,
        password: SecretString,
        kept: &str,
    ) -> Result<Option<String>, Unfit> {
        if password::cost_of(kept) == Some(self.cost) {
            return Ok(None);
        }
        self.hashed(password, None).await.map(Some)
    }

    async fn hashed(
        &self,
        password: SecretString,
        context: Option<Vec<String>>,
    ) -> Result<String, Unfit> {
        let (answer, hash) = oneshot::channel();
        let choice = Choice {
            password,
            context,
            least: self.least_strength,
            cost: self.cost,
            answer,
        };
        self.work.send(Work::Choose(choice)).map_err(|_| broken())?;
        hash.await.map_err(|_| broken())?
    }
}

fn broken() -> AuthError {
    AuthError::Broken("nobody is left to check passwords".to_owned())
}

/// Gives this thread a small claim to a processor: it runs at full speed while there is nothing else
/// to do, and at a tenth of it while there is, so that a busy machine still lets people in. Where
/// that can't be asked for it competes like any other.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        const BEHIND: i32 = 10;
        let me = rustix::thread::gettid();
        if let Err(error) = rustix::process::setpriority_process(Some(me), BEHIND) {
            tracing::warn!(error = %error, "passwords are hashed at the priority of requests");
        }
    }
}

/// Does one thing after the other, until nobody can ask any more.
fn do_all(queue: &Mutex<Receiver<Work>>) {
    let mut verifier = Verifier::default();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        // Whoever asked may have hung up while the work waited.
        match next {
            Ok(Work::Check(check)) if !check.answer.is_closed() => {
                let is_right = verifier.verify(&check.password, &check.hash);
                let _nobody_waits = check.answer.send(is_right);
            }
            Ok(Work::Choose(choice)) if !choice.answer.is_closed() => {
                let hash = hash(&choice);
                let _nobody_waits = choice.answer.send(hash);
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn hash(choice: &Choice) -> Result<String, Unfit> {
    password::check(&choice.password).map_err(Unfit::Length)?;
    if let Some(context) = &choice.context {
        strength::judge(choice.password.expose_secret(), context, choice.least)
            .map_err(Unfit::Weak)?;
    }
    password::hash(&choice.password, choice.cost)
        .map_err(|error| AuthError::Broken(error.to_string()).into())
}
