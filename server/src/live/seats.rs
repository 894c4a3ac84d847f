//! How many streams there may be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::audit::Actor;
use crate::config::Live;
use crate::kernel::TenantKey;

/// As many streams are open as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSeat {
    /// Of this member or key.
    #[error("you have as many streams open as you may")]
    Yours,
    /// Of the dealer, or of this process.
    #[error("too many streams are open here")]
    Here,
}

/// Counts streams.
#[derive(Debug, Default)]
pub(super) struct Seats(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    dealers: HashMap<TenantKey, usize>,
    followers: HashMap<(TenantKey, String), usize>,
}

/// A stream's place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    whose: (TenantKey, String),
}

impl Seats {
    pub(super) fn take(
        self: &Arc<Self>,
        tenant: TenantKey,
        who: Actor,
        config: &Live,
    ) -> Result<Seat, NoSeat> {
        let whose = (tenant, who.scope());
        let mut taken = self.lock();
        if taken.followers.get(&whose).copied().unwrap_or_default() >= config.streams_per_follower {
            return Err(NoSeat::Yours);
        }
        let of_dealer = taken.dealers.get(&tenant).copied().unwrap_or_default();
        if of_dealer >= config.streams_per_dealer || taken.all >= config.streams {
            return Err(NoSeat::Here);
        }
        taken.all += 1;
        *taken.dealers.entry(tenant).or_default() += 1;
        *taken.followers.entry(whose.clone()).or_default() += 1;
        drop(taken);
        Ok(Seat {
            seats: self.clone(),
            whose,
        })
    }

    pub(super) fn taken(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.all -= 1;
        one_less(&mut taken.dealers, &self.whose.0);
        one_less(&mut taken.followers, &self.whose);
    }
}

fn one_less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
