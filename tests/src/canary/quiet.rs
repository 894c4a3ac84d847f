//! Whether something is disturbed on purpose, and whether it was while one was not looking.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts disturbances: odd while one lasts.
#[derive(Debug, Default)]
pub struct Quiet(AtomicU64);

/// What [`Quiet::look`] saw.
#[derive(Debug, Clone, Copy)]
pub struct Look(u64);

impl Quiet {
    /// A disturbance begins; those that follow one upon the other are told apart.
    pub fn disturb(&self) {
        self.0.fetch_or(1, Ordering::SeqCst);
    }

    /// It has ended, and so has what it may still explain.
    pub fn settle(&self) {
        if self.0.load(Ordering::SeqCst) % 2 == 1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Remember this before, and ask [`Quiet::reigned_since`] after.
    pub fn look(&self) -> Look {
        Look(self.0.load(Ordering::SeqCst))
    }

    /// Whether there was no disturbance from the look until now.
    pub fn reigned_since(&self, look: Look) -> bool {
        look.0.is_multiple_of(2) && self.0.load(Ordering::SeqCst) == look.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbance_that_came_and_went_is_noticed() {
        let quiet = Quiet::default();
        let before = quiet.look();
        assert!(quiet.reigned_since(before));

        quiet.disturb();
        let within = quiet.look();
        quiet.settle();

        assert!(!quiet.reigned_since(before));
        assert!(!quiet.reigned_since(within));
        assert!(quiet.reigned_since(quiet.look()));
    }
}
