//! How much may be asked: a request is charged against several budgets at once, and one that is
//! refused is charged against none.
//!
//! All processes count together in Redis. While it is away each counts by itself, with its share
//! of every budget, so that nothing is ever free for all.

mod budget;
mod gcra;
mod local;
mod script;

pub use budget::{Budget, Charged, Verdict};

use time::OffsetDateTime;

use self::local::Local;
use crate::config;
use crate::redis::Redis;

/// Keeps the budgets of everybody.
#[derive(Debug, Clone)]
pub struct RateLimits {
    redis: Redis,
    local: Local,
}

impl RateLimits {
    /// Prepares the budgets, nothing of them used.
    pub fn new(redis: Redis, database: &config::Database) -> Self {
        Self {
            redis,
            local: Local::with_share_of(database.processes),
        }
    }

    /// Charges a request against all of these budgets, or against none. Asks Redis once.
    pub async fn charge(&self, budgets: &[Budget], now: OffsetDateTime) -> Verdict {
        let budgets: Vec<_> = budgets.iter().filter(|budget| budget.is_bound()).collect();
        if budgets.is_empty() {
            return Verdict::default();
        }
        match script::charge(&self.redis, &budgets).await {
            Some(verdict) => verdict,
            None => self.local.charge(&budgets, now),
        }
    }
}
