//! How many streams there are, and how those that are over have ended.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::told::Why;

/// How a follower is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Server-sent events.
    Sse,
    /// A WebSocket.
    Socket,
}

/// Why a stream ended that no reason was given for.
const LEFT: &str = "left";

/// Counts the streams of this process.
#[derive(Debug, Default)]
pub struct Tally {
    sse: Counts,
    socket: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    open: AtomicU64,
    /// Their followers left of themselves.
    left: AtomicU64,
    ended: [AtomicU64; Why::ALL.len()],
}

/// A stream that is counted, from its beginning to its end.
#[derive(Debug)]
pub(super) struct Counted {
    tally: Arc<Tally>,
    medium: Medium,
    ending: Ending,
}

/// Says why a stream ends, from wherever that is known.
#[derive(Debug, Clone, Default)]
pub struct Ending(Arc<OnceLock<Why>>);

impl Medium {
    const ALL: [Self; 2] = [Self::Sse, Self::Socket];

    /// As metrics call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sse => "sse",
            Self::Socket => "ws",
        }
    }
}

impl Tally {
    /// Streams that are open, by what they are told through.
    pub fn open(&self) -> [(Medium, u64); 2] {
        Medium::ALL.map(|medium| (medium, self.of(medium).open.load(Ordering::Relaxed)))
    }

    /// Streams that are over, by what they were told through and why they ended.
    pub fn ended(&self) -> Vec<(Medium, &'static str, u64)> {
        let mut all = Vec::new();
        for medium in Medium::ALL {
            let counts = self.of(medium);
            let given = Why::ALL.iter().zip(&counts.ended);
            let given = given.map(|(why, count)| (why.as_str(), count));
            let lines = given.chain([(LEFT, &counts.left)]);
            all.extend(lines.map(|(why, count)| (medium, why, count.load(Ordering::Relaxed))));
        }
        all
    }

    fn of(&self, medium: Medium) -> &Counts {
        match medium {
            Medium::Sse => &self.sse,
            Medium::Socket => &self.socket,
        }
    }
}

impl Counted {
    pub(super) fn begin(tally: &Arc<Tally>, medium: Medium) -> Self {
        tally.of(medium).open.fetch_add(1, Ordering::Relaxed);
        Self {
            tally: tally.clone(),
            medium,
            ending: Ending::default(),
        }
    }

    pub(super) fn ending(&self) -> &Ending {
        &self.ending
    }
}

impl Ending {
    /// The stream ends, and this is why; a reason that was given before stands.
    pub fn because(&self, why: Why) {
        self.0.get_or_init(|| why);
    }

    pub(super) fn is_near(&self) -> bool {
        self.0.get().is_some()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let counts = self.tally.of(self.medium);
        counts.open.fetch_sub(1, Ordering::Relaxed);
        let why = self.ending.0.get();
        let place = why.and_then(|why| Why::ALL.iter().position(|it| it == why));
        let count = place.map_or(&counts.left, |place| &counts.ended[place]);
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_counted_once_under_its_first_reason() {
        let tally = Arc::new(Tally::default());
        let stream = Counted::begin(&tally, Medium::Socket);
        let other = Counted::begin(&tally, Medium::Socket);
        assert_eq!(tally.open(), [(Medium::Sse, 0), (Medium::Socket, 2)]);

        stream.ending().because(Why::TooSlow);
        stream.ending().because(Why::Restart);
        drop((stream, other));

        let ended = tally.ended();
        let some: Vec<_> = ended.iter().filter(|(_, _, count)| *count > 0).collect();
        let expected = [(Medium::Socket, "too_slow", 1), (Medium::Socket, "left", 1)];
        assert_eq!(some, expected.iter().collect::<Vec<_>>());
        assert_eq!(tally.open()[1].1, 0);
    }
}
