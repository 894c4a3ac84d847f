//! Counts failed attempts and makes who has many of them wait: across all processes while Redis is
//! there, in this one otherwise.
//!
//! After a number of failures the next attempt must wait a second, the one after it two, and so on,
//! doubling. A sign-in is counted under four keys with rules of their own:
//!
//! * the account as seen from this address: this is what stops guessing, and it stops nobody else;
//! * the account from all addresses, ten times later, for guesses from many addresses. Its wait is
//!   bounded by a minute, so that nobody can lock somebody out for good;
//! * the address with all accounts of a dealer, twenty times later: one password for everybody;
//! * the dealer as a whole, two hundred times later and bounded by five seconds: it slows down who
//!   has many addresses, and whoever signs in meanwhile waits a moment.
//!
//! An attempt counts when it begins, so that many at once can't slip through, and is forgiven when
//! it succeeds. One that is refused does not count: refusals would make the wait endless.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_redis::redis::Script;
use moka::sync::Cache;

use crate::config::Auth;
use crate::kernel::Clock;
use crate::redis::{Redis, Wire};

/// Keys counted in this process; past it the least used go first.
const COUNTED_HERE: u64 = 100_000;
/// Longest wait of an account as a whole.
const ACCOUNT_WAITS: Duration = Duration::from_secs(60);
/// Longest wait of a dealer as a whole.
const DEALER_WAITS: Duration = Duration::from_secs(5);

/// Says how long the longest wait of all keys still is, milliseconds; when there is none, counts one
/// for each. `ARGV` is the time, then four numbers a key.
const COUNT: &str = "local now, wait = tonumber(ARGV[1]), 0
for _, key in ipairs(KEYS) do
  local left = tonumber(redis.call('HGET', key, 'until') or '0') - now
  if left > wait then wait = left end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  local free, first = tonumber(ARGV[4 * i - 2]), tonumber(ARGV[4 * i - 1])
  local most, window = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local n, delay = redis.call('HINCRBY', key, 'n', 1), 0
  if n >= free then
    delay = math.min(first * 2 ^ math.min(n - free, 30), most)
    redis.call('HSET', key, 'until', string.format('%.0f', now + delay))
  end
  redis.call('PEXPIRE', key, string.format('%.0f', math.max(window, delay)))
end
return 0";
/// Takes one back under keys that others share; `until` had passed when it began.
const TAKE_BACK: &str = "for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then
    redis.call('HDEL', key, 'until')
    if redis.call('HINCRBY', key, 'n', -1) <= 0 then redis.call('DEL', key) end
  end
end
return 0";
const FORGET: &str = "return redis.call('DEL', unpack(KEYS))";

/// Whether another attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Open,
    /// Not for so many seconds.
    Blocked(u64),
}

/// How failures become waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    /// So many need no wait.
    free: u32,
    /// The first wait.
    first: Duration,
    /// No wait is longer.
    most: Duration,
    /// After so long without another all is forgotten.
    window: Duration,
}

/// A sign-in, as it is counted.
#[derive(Debug, Clone)]
pub struct Guess {
    /// The account.
    pub account: String,
    /// The account and the address.
    pub pair: String,
    /// The address.
    pub address: String,
    /// The dealer, or the platform.
    pub realm: String,
}

/// What is counted under a key.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    n: u32,
    until_ms: i64,
}

/// Counts attempts by key.
pub struct Attempts {
    redis: Redis,
    clock: Clock,
    here: Cache<String, Count>,
    /// What is looked at and counted here is so in one step.
    step: Mutex<()>,
    rule: Rule,
    mails: Rule,
}

impl Attempts {
    /// Prepares the counters.
    pub fn new(redis: Redis, clock: Clock, auth: &Auth) -> Self {
        let window = Duration::from_secs(u64::from(auth.sign_in_window_minutes) * 60);
        let hour = Duration::from_secs(3600);
        let first = Duration::from_secs(auth.sign_in_wait_seconds.into());
        Self {
            redis,
            clock,
            here: Cache::builder()
                .max_capacity(COUNTED_HERE)
                .time_to_idle(window.max(hour))
                .build(),
            step: Mutex::new(()),
            rule: Rule {
                free: auth.sign_in_attempts,
                first,
                most: window,
                window,
            },
            mails: Rule {
                free: auth.mails_per_hour,
                first: hour,
                most: hour,
                window: hour,
            },
        }
    }

    /// Counts one attempt under one key.
    pub async fn begin(&self, key: &str) -> Standing {
        self.count(&[(key, self.rule)]).await
    }

    /// Counts one sign-in.
    pub async fn begin_guess(&self, guess: &Guess) -> Standing {
        let rule = self.rule;
        let later = |times: u32, most: Duration| Rule {
            free: rule.free.saturating_mul(times),
            most: rule.most.min(most),
            first: rule.first.min(most),
            ..rule
        };
        let keys = [
            (guess.pair.as_str(), rule),
            (guess.account.as_str(), later(10, ACCOUNT_WAITS)),
            (guess.address.as_str(), later(20, rule.most)),
            (guess.realm.as_str(), later(200, DEALER_WAITS)),
        ];
        self.count(&keys).await
    }

    /// Counts one message that somebody asks for.
    pub async fn begin_mail(&self, key: &str) -> Standing {
        self.count(&[(key, self.mails)]).await
    }

    /// Forgets what was counted under `key`.
    pub async fn forgive(&self, key: &str) {
        self.here.invalidate(key);
        self.run(FORGET, &[key]).await;
    }

    /// Takes a sign-in back that was none of the failures: the account begins anew, and what it
    /// shares with others loses this one.
    pub async fn forgive_guess(&self, guess: &Guess) {
        let shared = [guess.address.as_str(), guess.realm.as_str()];
        let own = [guess.account.as_str(), guess.pair.as_str()];
        for key in own {
            self.here.invalidate(key);
        }
        let step = self.one_at_a_time();
        for key in shared {
            if let Some(count) = self.here.get(key) {
                let n = count.n.saturating_sub(1);
                self.here.insert(key.to_owned(), Count { n, until_ms: 0 });
            }
        }
        drop(step);
        self.run(FORGET, &own).await;
        self.run(TAKE_BACK, &shared).await;
    }

    async fn count(&self, keys: &[(&str, Rule)]) -> Standing {
        let now = self.clock.now();
        let now_ms = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX);
        let wait_ms = match self.count_in_redis(keys, now_ms).await {
            Some(wait_ms) => wait_ms,
            None => self.count_here(keys, now_ms),
        };
        match u64::try_from(wait_ms) {
            Ok(0) | Err(_) => Standing::Open,
            Ok(wait_ms) => Standing::Blocked(wait_ms.div_ceil(1000)),
        }
    }

    fn count_here(&self, keys: &[(&str, Rule)], now_ms: i64) -> i64 {
        let _step = self.one_at_a_time();
        let counts = keys.iter().map(|(key, _)| self.here.get(*key));
        let counts: Vec<_> = counts.map(Option::unwrap_or_default).collect();
        let waits = counts.iter().map(|count| count.until_ms - now_ms);
        if let Some(wait) = waits.max().filter(|wait| *wait > 0) {
            return wait;
        }
        for ((key, rule), count) in keys.iter().zip(counts) {
            let n = count.n.saturating_add(1);
            let until_ms = match n.checked_sub(rule.free) {
                Some(over) => now_ms.saturating_add(rule.wait_ms(over)),
                None => 0,
            };
            self.here.insert((*key).to_owned(), Count { n, until_ms });
        }
        0
    }

    async fn count_in_redis(&self, keys: &[(&str, Rule)], now_ms: i64) -> Option<i64> {
        let count = async |mut connection: Wire| {
            let script = Script::new(COUNT);
            let mut call = script.arg(now_ms);
            for (key, rule) in keys {
                call.key(self.redis.key(key));
                let times = [rule.first, rule.most, rule.window];
                call.arg(rule.free).arg(&times.map(millis)[..]);
            }
            call.invoke_async::<i64>(&mut connection).await
        };
        self.redis.ask(count).await
    }

    async fn run(&self, script: &str, keys: &[&str]) {
        let run = async |mut connection: Wire| {
            let script = Script::new(script);
            let mut call = script.prepare_invoke();
            for key in keys {
                call.key(self.redis.key(key));
            }
            call.invoke_async::<i64>(&mut connection).await
        };
        self.redis.ask(run).await;
    }

    fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    /// The wait after one failure too many, and `over` more.
    fn wait_ms(self, over: u32) -> i64 {
        let doubled = millis(self.first).saturating_mul(1 << over.min(30));
        doubled.min(millis(self.most))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_bounded() {
        let rule = Rule {
            free: 5,
            first: Duration::from_secs(1),
            most: Duration::from_secs(900),
            window: Duration::from_secs(900),
        };

        let waits: Vec<_> = (0..12).map(|over| rule.wait_ms(over) / 1000).collect();

        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(rule.wait_ms(u32::MAX), 900_000);
    }
}
