//! How many go to one place at once, so that a receiver that hangs doesn't keep everybody busy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

/// The shortest wait of who finds no room.
const SHORTEST: Duration = Duration::from_millis(250);
/// The longest.
const LONGEST: Duration = Duration::from_secs(60);

/// The room before each receiver, in this process.
#[derive(Debug, Clone)]
pub struct Places {
    room: Arc<Mutex<HashMap<Uuid, Room>>>,
    at_once: u32,
}

#[derive(Debug, Default)]
struct Room {
    taken: u32,
    /// How long one stays, lately.
    stay: Duration,
    /// When the last of those comes back who found no room.
    last_turn: Option<Instant>,
}

/// A place before a receiver; free again when dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    receiver: Uuid,
    since: Instant,
}

impl Places {
    /// So many at once before each receiver.
    pub fn new(at_once: u32) -> Self {
        Self {
            room: Arc::default(),
            at_once,
        }
    }

    /// Takes a place.
    ///
    /// # Errors
    ///
    /// How long to stay away when all are taken. Those who wait are told different times, as far
    /// apart as places become free, so that they don't all come back at once and in vain.
    pub fn take(&self, receiver: Uuid) -> Result<Place, Duration> {
        let since = Instant::now();
        let mut all = self.lock();
        let room = all.entry(receiver).or_default();
        if room.taken < self.at_once {
            room.taken += 1;
            drop(all);
            let places = self.clone();
            return Ok(Place {
                places,
                receiver,
                since,
            });
        }
        let last = room.last_turn.map_or(since, |turn| turn.max(since));
        let turn = last + room.stay / self.at_once;
        let wait = (turn - since).clamp(SHORTEST, LONGEST);
        room.last_turn = Some(turn.min(since + LONGEST));
        Err(wait)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Room>> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.places.lock();
        let Some(room) = all.get_mut(&self.receiver) else {
            return;
        };
        room.taken = room.taken.saturating_sub(1);
        room.stay = (room.stay * 3 + self.since.elapsed()) / 4;
        let is_quiet = room.last_turn.is_none_or(|turn| turn <= Instant::now());
        if room.taken == 0 && is_quiet {
            all.remove(&self.receiver);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_so_many_find_room_and_others_are_not_kept_out() {
        let places = Places::new(2);
        let (hangs, other) = (Uuid::from_u128(1), Uuid::from_u128(2));

        let first = places.take(hangs).unwrap();
        let _second = places.take(hangs).unwrap();

        assert!(places.take(hangs).is_err());
        assert!(places.take(other).is_ok());
        drop(first);
        assert!(places.take(hangs).is_ok());
    }

    #[test]
    fn those_who_find_no_room_come_back_one_after_another() {
        let places = Places::new(1);
        let receiver = Uuid::from_u128(1);
        let _first = places.take(receiver).unwrap();
        let stay = Duration::from_secs(20);
        places.lock().get_mut(&receiver).unwrap().stay = stay;

        let waits: Vec<_> = (0..4).map(|_| places.take(receiver).unwrap_err()).collect();

        assert!(waits[0] >= stay, "{waits:?}");
        assert!(waits[1] > waits[0] + stay / 2, "{waits:?}");
        assert_eq!(waits[3], LONGEST);
    }
}
