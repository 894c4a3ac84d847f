//! Requests to stop: Ctrl-C, SIGTERM and a closed terminal, counted, so that waits can end early.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// How often we were asked to stop; clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    shared: Arc<(Mutex<Requests>, Condvar)>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Requests {
    count: u32,
    terminated: bool,
}

/// The error of work that ended early because somebody asked for it.
#[derive(Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl Stop {
    /// A stop that nobody requests, for callers that are stopped in another way.
    pub fn never() -> Self {
        Self::default()
    }

    /// Takes over SIGINT, SIGTERM and SIGHUP of this process.
    ///
    /// # Errors
    ///
    /// When the handlers cannot be installed.
    pub fn listen() -> Result<Self> {
        let stop = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .context("cannot start the signal listener")?;
        let (mut interrupt, mut terminate, mut hangup) = {
            let _inside = runtime.enter();
            (
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            )
        };
        let listener = stop.clone();
        thread::spawn(move || {
            runtime.block_on(async move {
                loop {
                    let terminated = tokio::select! {
                        _ = interrupt.recv() => false,
                        _ = terminate.recv() => true,
                        _ = hangup.recv() => true,
                    };
                    listener.request(terminated);
                }
            });
        });
        Ok(stop)
    }

    /// How often we were asked so far; more than once means somebody is impatient.
    pub fn count(&self) -> u32 {
        self.lock().count
    }

    /// Whether somebody asked at all.
    pub fn is_requested(&self) -> bool {
        self.count() > 0
    }

    /// Whether a request came as SIGTERM or SIGHUP, which a terminal does not hand to the
    /// other processes of its foreground group the way it does with Ctrl-C.
    pub fn is_terminated(&self) -> bool {
        self.lock().terminated
    }

    /// Ends work early when somebody asked to stop.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] when a stop was requested.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.is_requested() {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }

    /// Waits for `limit`, or until the next request, whichever is first.
    pub fn pause(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut requests = self.lock();
        let before = requests.count;
        while requests.count == before {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return;
            };
            requests = self
                .shared
                .1
                .wait_timeout(requests, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn request(&self, terminated: bool) {
        let mut requests = self.lock();
        requests.count += 1;
        requests.terminated |= terminated;
        self.shared.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        // A count cannot be left half-written, so a poisoned lock is still a good one.
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_a_pause_at_once() {
        let stop = Stop::never();
        let asking = stop.clone();
        let started = Instant::now();

        let asker = thread::spawn(move || asking.request(false));
        while !stop.is_requested() {
            stop.pause(Duration::from_secs(30));
        }

        asker.join().unwrap();
        assert!(started.elapsed() < Duration::from_secs(10));
        assert!(stop.check().is_err());
        assert!(!stop.is_terminated());
    }
}
