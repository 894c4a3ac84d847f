//! Whether something that has failed is asked again: not for a while, then by one at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Everybody is let through.
    Closed,
    /// Nobody is, for a while.
    Open,
    /// One is under way, to see whether it works again; nobody else is let through.
    HalfOpen,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// Its name in metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// Opens at the first failure: whoever asks has something else to go by, so that one failure too
/// many costs more than one question too few.
#[derive(Debug)]
pub(super) struct Breaker {
    rest: Duration,
    standing: Mutex<Standing>,
}

#[derive(Debug, Clone, Copy)]
enum Standing {
    Closed,
    OpenUntil(Instant),
    HalfOpen,
}

/// Leave to try once. One that ends without a verdict leaves a breaker that was probed open, so
/// that the next may probe.
#[derive(Debug)]
pub(super) struct Try<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    began: Instant,
    is_over: bool,
}

impl Breaker {
    pub(super) fn new(rest: Duration) -> Self {
        Self {
            rest,
            standing: Mutex::new(Standing::Closed),
        }
    }

    /// Lets a caller through, or doesn't.
    pub(super) fn let_through(&self, now: Instant) -> Option<Try<'_>> {
        let mut standing = self.standing();
        let is_probe = match *standing {
            Standing::Closed => false,
            Standing::OpenUntil(until) if now >= until => {
                *standing = Standing::HalfOpen;
                true
            }
            Standing::OpenUntil(_) | Standing::HalfOpen => return None,
        };
        drop(standing);
        Some(Try {
            breaker: self,
            is_probe,
            began: now,
            is_over: false,
        })
    }

    pub(super) fn state(&self) -> State {
        match *self.standing() {
            Standing::Closed => State::Closed,
            Standing::OpenUntil(_) => State::Open,
            Standing::HalfOpen => State::HalfOpen,
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Try<'_> {
    pub(super) fn succeeded(mut self) {
        self.is_over = true;
        // Only the probe closes: a slow answer from before the failure says nothing of now.
        if self.is_probe {
            *self.breaker.standing() = Standing::Closed;
        }
    }

    pub(super) fn failed(mut self, now: Instant) {
        self.is_over = true;
        let mut standing = self.breaker.standing();
        // Those that were under way at the first failure fail too; they prolong nothing, and they
        // don't speak for the probe.
        if self.is_probe || matches!(*standing, Standing::Closed) {
            *standing = Standing::OpenUntil(now + self.breaker.rest);
        }
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        if self.is_probe && !self.is_over {
            *self.breaker.standing() = Standing::OpenUntil(self.began);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(5);

    #[test]
    fn a_failure_opens_it_for_a_while_and_then_one_alone_may_try() {
        let (breaker, start) = (Breaker::new(REST), Instant::now());
        breaker.let_through(start).unwrap().failed(start);

        assert_eq!(breaker.state(), State::Open);
        assert!(breaker.let_through(start + REST / 2).is_none());
        let probe = breaker.let_through(start + REST).unwrap();
        assert_eq!(breaker.state(), State::HalfOpen);
        assert!(breaker.let_through(start + REST * 9).is_none());

        probe.succeeded();
        assert_eq!(breaker.state(), State::Closed);
        assert!(breaker.let_through(start + REST).is_some());
    }

    #[test]
    fn a_probe_that_fails_opens_it_anew() {
        let (breaker, start) = (Breaker::new(REST), Instant::now());
        breaker.let_through(start).unwrap().failed(start);

        let again = start + REST;
        breaker.let_through(again).unwrap().failed(again);

        assert!(breaker.let_through(again + REST / 2).is_none());
        assert!(breaker.let_through(again + REST).is_some());
    }

    #[test]
    fn a_probe_that_is_given_up_leaves_its_place_to_the_next() {
        let (breaker, start) = (Breaker::new(REST), Instant::now());
        breaker.let_through(start).unwrap().failed(start);

        drop(breaker.let_through(start + REST).unwrap());

        assert_eq!(breaker.state(), State::Open);
        assert!(breaker.let_through(start + REST).is_some());
    }

    #[test]
    fn stragglers_neither_prolong_the_rest_nor_end_it() {
        let (breaker, start) = (Breaker::new(REST), Instant::now());
        let (late, good) = (breaker.let_through(start), breaker.let_through(start));
        breaker.let_through(start).unwrap().failed(start);

        late.unwrap().failed(start + REST / 2);
        good.unwrap().succeeded();

        assert_eq!(breaker.state(), State::Open);
        assert!(breaker.let_through(start + REST).is_some());
    }
}
