//! Who does which kind of job.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use croner::Cron;
use serde_json::Value;

use super::aftermath::{Aftermath, Hooks};
use super::error::JobError;
use super::job::{Job, Opens, Retry};
use super::schedule::{Schedule, Whose};
use super::task::{Outcome, Task};

/// What an attempt came to.
pub type Handled = Result<Outcome, JobError>;

/// Transactions are worked in by closures that borrow, and no future of those is known to be able to
/// change threads: each is made where it runs.
type Work<S> =
    Arc<dyn Fn(Arc<S>, Task, Value) -> Pin<Box<dyn Future<Output = Handled>>> + Send + Sync>;

/// All kinds of jobs that this build can do, and what it does by the clock.
pub struct Registry<S> {
    kinds: HashMap<&'static str, Entry<S>>,
    hooks: Hooks<S>,
    schedules: Vec<Schedule>,
}

pub(super) struct Entry<S> {
    pub(super) version: i16,
    pub(super) upgrade: fn(i16, Value) -> Option<Value>,
    pub(super) retry: Retry,
    pub(super) timeout: Duration,
    pub(super) opens: Opens,
    pub(super) work: Work<S>,
}

impl<S: Send + Sync + 'static> Registry<S> {
    /// Knows none.
    pub fn new() -> Self {
        Self {
            kinds: HashMap::new(),
            hooks: Hooks::new(),
            schedules: Vec::new(),
        }
    }

    /// Adds a kind.
    ///
    /// # Panics
    ///
    /// When there is one of that name: two programmers had the same idea.
    #[must_use]
    pub fn with<J, F>(mut self, work: impl Fn(Arc<S>, Task, J) -> F + Send + Sync + 'static) -> Self
    where
        J: Job,
        F: Future<Output = Handled> + 'static,
    {
        let entry = Entry {
            version: J::VERSION,
            upgrade: J::upgrade,
            retry: J::RETRY,
            timeout: J::TIMEOUT,
            opens: J::OPENS,
            work: Arc::new(
                move |state, task, payload| match serde_json::from_value(payload) {
                    Ok(job) => Box::pin(work(state, task, job)),
                    Err(error) => Box::pin(async move {
                        Err(JobError::discard(format!(
                            "it carries what can't be read: {error}"
                        )))
                    }),
                },
            ),
        };
        assert!(
            self.kinds.insert(J::KIND, entry).is_none(),
            "two kinds of jobs are called {}",
            J::KIND
        );
        self
    }

    /// Says what is to be done when a job of a kind has died, in the transaction that tells of it:
    /// whatever waited for it is ended. It finds things as they are by then, so it asks first.
    ///
    /// # Panics
    ///
    /// When it was said before.
    #[must_use]
    pub fn after_death<J: Job>(
        mut self,
        hook: impl AsyncFn(&Aftermath<'_, S>, J) -> Result<(), JobError> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.add(hook);
        self
    }

    /// What was said to be done after deaths so far.
    pub fn hooks(&self) -> Hooks<S> {
        self.hooks.clone()
    }

    /// Has a job handed over at every tick of a clock in UTC, once for each node or each tenant;
    /// `job` makes it for a node, by its name.
    #[must_use]
    pub fn every<J: Job>(
        mut self,
        cron: &Cron,
        whose: Whose,
        job: impl Fn(&str) -> J + Send + Sync + 'static,
    ) -> Self {
        let schedule = Schedule::new(cron.clone(), whose, job);
        self.schedules.push(schedule);
        self
    }

    /// The names of all kinds.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.kinds.keys().copied().collect();
        kinds.sort_unstable();
        kinds
    }

    pub(super) fn get(&self, kind: &str) -> Option<&Entry<S>> {
        self.kinds.get(kind)
    }

    pub(super) fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }
}

impl<S: Send + Sync + 'static> Default for Registry<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> std::fmt::Debug for Registry<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.kinds.keys()).finish()
    }
}
