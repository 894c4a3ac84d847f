//! A server that canaries ask.

use std::sync::Arc;

use reqwest::Client;

use super::quiet::Quiet;
use crate::harness::Actor;

/// Where a server listens, and whether it is being disturbed.
#[derive(Debug, Clone)]
pub struct Target {
    base: String,
    client: Client,
    /// Disturbed while it is stopped and started, when no answer is an answer.
    pub quiet: Arc<Quiet>,
}

impl Target {
    /// A server by its address, such as `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            client: Client::new(),
            quiet: Arc::default(),
        }
    }

    /// Somebody at a host of this server.
    pub fn stranger(&self, host: &str) -> Actor {
        Actor::stranger(self.client.clone(), &self.base, host)
    }
}
