//! What this process has sent to endpoints of dealers, and what came of it.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Because {
    because: &'static str,
}

/// Attempts and endpoints, counted. Whose they are is in their lists, and in no label.
#[derive(Debug, Clone, Default)]
pub struct Webhooks {
    attempts: Family<Outcome, Counter>,
    disabled: Family<Because, Counter>,
}

impl Webhooks {
    pub(super) fn register(&self, registry: &mut Registry) {
        // There from the beginning, so that the first one is an increase.
        for outcome in ["delivered", "failed"] {
            drop(self.attempts.get_or_create(&Outcome { outcome }));
        }
        for because in ["failing", "gone"] {
            drop(self.disabled.get_or_create(&Because { because }));
        }
        let help = "Messages to endpoints of dealers by what came of them";
        registry.register("webhook_attempts", help, self.attempts.clone());
        let help = "Endpoints that are sent nothing any more";
        let name = "webhook_endpoints_disabled";
        registry.register(name, help, self.disabled.clone());
    }

    /// Counts a message that was sent, with what came of it in one of a few words.
    pub fn attempted(&self, outcome: &'static str) {
        self.attempts.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts an endpoint that was given up, with the reason in one of a few words.
    pub fn disabled(&self, because: &'static str) {
        self.disabled.get_or_create(&Because { because }).inc();
    }
}
