//! Budgets, and what is said of them.

use super::gcra::Pace;

/// What may be asked of one kind by one somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Its name on the wire.
    pub name: &'static str,
    /// Under which it is counted.
    pub key: String,
    /// Requests a minute; 0 is no limit.
    pub per_minute: u32,
    /// Requests at once.
    pub burst: u32,
    /// Requests that this one counts for.
    pub cost: u32,
}

impl Budget {
    /// Whether it limits anything.
    pub(super) fn is_bound(&self) -> bool {
        self.per_minute > 0
    }

    pub(super) fn pace(&self) -> Pace {
        Pace::of(self.per_minute, self.burst, self.cost)
    }
}

/// What is left of one budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charged {
    /// The budget's name.
    pub name: &'static str,
    /// Requests that may be made at once when nothing is used.
    pub quota: u64,
    /// Seconds in which all of the quota comes back.
    pub window: u64,
    /// Requests that may be made now.
    pub left: u64,
    /// Seconds until nothing is used any more.
    pub reset: u64,
    /// Seconds until this very request may be made; nothing when it was.
    pub wait: Option<u64>,
}

impl Charged {
    /// What follows for a budget of which `used_us` is used, where `over_us` was missing.
    pub(super) fn of(budget: &Budget, used_us: i64, over_us: i64) -> Self {
        let pace = budget.pace();
        Self {
            name: budget.name,
            quota: budget.burst.into(),
            window: seconds(pace.tolerance_us),
            left: pace.left(used_us),
            reset: seconds(used_us),
            wait: (over_us > 0).then(|| seconds(over_us)),
        }
    }

    /// Orders by what is left, measured by the whole; a budget that refuses comes first of all.
    fn tightness(&self, other: &Self) -> std::cmp::Ordering {
        let refuses = |charged: &Self| charged.wait.unwrap_or_default();
        let by_refusal = refuses(other).cmp(&refuses(self));
        by_refusal.then((self.left * other.quota).cmp(&(other.left * self.quota)))
    }
}

/// Whether a request may be served, and what is left of each of its budgets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict(pub Vec<Charged>);

impl Verdict {
    /// Seconds to wait, if the request may not be served now.
    pub fn wait(&self) -> Option<u64> {
        self.0.iter().filter_map(|charged| charged.wait).max()
    }

    /// The budget of which the least is left.
    pub fn tightest(&self) -> Option<&Charged> {
        self.0.iter().min_by(|one, other| one.tightness(other))
    }
}

/// Whole seconds, rounded up, so that whoever waits for so long has waited enough.
fn seconds(us: i64) -> u64 {
    u64::try_from(us).unwrap_or_default().div_ceil(1_000_000)
}
