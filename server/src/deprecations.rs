//! Operations of the API that will go away, and who still calls them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::{Api, Deprecation};
use crate::kernel::TenantKey;

/// What this build says will go away: operation, since when it is deprecated, from when it may be
/// gone, and where it is said what to use instead.
const TABLE: [(&str, OffsetDateTime, OffsetDateTime, &str); 0] = [];

/// Who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who has not signed in.
    Anonymous,
    /// A member of a dealer's team.
    Member,
    /// A machine, with this key of this dealer.
    ApiKey(TenantKey, Uuid),
    /// An operator of the platform.
    Operator,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    operation: String,
    caller: &'static str,
}

/// Is told which key called which operation. It runs within the request, so it had better only
/// count.
type Listener = Box<dyn Fn(TenantKey, Uuid, &str) + Send + Sync>;

/// What is deprecated, and how often it is called.
#[derive(Clone)]
pub struct Deprecations(Arc<Inner>);

struct Inner {
    by_operation: HashMap<String, Deprecation>,
    calls: Family<Call, Counter>,
    listener: OnceLock<Listener>,
}

impl Deprecations {
    /// The table of this build, and what the configuration adds to it.
    pub fn new(config: &Api) -> Self {
        let built_in = TABLE
            .into_iter()
            .map(|(operation, from, until, link)| Deprecation {
                operation: operation.to_owned(),
                deprecated_at: from,
                sunset_at: until,
                link: link.to_owned(),
            });
        let all = built_in.chain(config.deprecated.iter().cloned());
        Self(Arc::new(Inner {
            by_operation: all.map(|one| (one.operation.clone(), one)).collect(),
            calls: Family::default(),
            listener: OnceLock::new(),
        }))
    }

    /// Whether nothing is deprecated.
    pub fn is_empty(&self) -> bool {
        self.0.by_operation.is_empty()
    }

    /// What is said of an operation, if it will go away.
    pub fn of(&self, operation: &str) -> Option<&Deprecation> {
        self.0.by_operation.get(operation)
    }

    /// Counts a call of a deprecated operation.
    pub fn seen(&self, operation: &str, caller: Caller) {
        let call = Call {
            operation: operation.to_owned(),
            caller: caller.word(),
        };
        self.0.calls.get_or_create(&call).inc();
        if let (Caller::ApiKey(tenant, key), Some(listener)) = (caller, self.0.listener.get()) {
            listener(tenant, key, operation);
        }
    }

    /// Has every call with a key told to `listener`. Only the first who asks is heard.
    pub fn tell(&self, listener: impl Fn(TenantKey, Uuid, &str) + Send + Sync + 'static) {
        // A second listener would be a mistake of ours; the first goes on.
        let _ = self.0.listener.set(Box::new(listener));
    }

    /// Has the counts told with the other metrics.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let help = "Calls of operations that will go away";
        registry.register("deprecated_calls", help, self.0.calls.clone());
    }
}

impl Caller {
    fn word(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Member => "member",
            Self::ApiKey(..) => "api_key",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Debug for Deprecations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Deprecations")
            .field(&self.0.by_operation.len())
            .finish()
    }
}
