//! Asking DNS, behind a trait: who checks a domain needs only the texts under a name.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{ResolverBuilder, TokioResolver};

/// How long one question may take before it is asked again, or given up.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Knows the TXT records of a name.
#[async_trait]
pub trait TxtResolver: Send + Sync {
    /// All texts under a full name; none if there is no such name.
    ///
    /// # Errors
    ///
    /// [`DnsFailure`] when nobody could be asked, which says nothing about the name.
    async fn texts(&self, name: &str) -> Result<Vec<String>, DnsFailure>;
}

/// DNS could not be asked, or its answer could not be read. Asking later may help.
#[derive(Clone, Debug, thiserror::Error)]
#[error("DNS could not be asked: {0}")]
pub struct DnsFailure(String);

/// The resolver that this machine uses, or one server in particular.
pub struct Dns(TokioResolver);

impl Dns {
    /// Asks the servers that this machine is configured with.
    ///
    /// # Errors
    ///
    /// When their configuration can't be read.
    pub fn of_this_machine() -> Result<Self, DnsFailure> {
        Self::built(TokioResolver::builder_tokio().map_err(failure)?)
    }

    /// Asks this server and nobody else, such as the one that is responsible for the domain and so
    /// knows a change before all caches do.
    ///
    /// # Errors
    ///
    /// When the resolver can't be made.
    pub fn at(server: SocketAddr) -> Result<Self, DnsFailure> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut it| {
            it.port = server.port();
            it
        });
        let server = NameServerConfig::new(server.ip(), true, connections.into());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        Self::built(TokioResolver::builder_with_config(
            config,
            TokioRuntimeProvider::default(),
        ))
    }

    /// Nothing is remembered between two questions: who has just changed a record asks again.
    fn built(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> Result<Self, DnsFailure> {
        let options = builder.options_mut();
        options.timeout = TIMEOUT;
        options.attempts = 2;
        options.cache_size = 0;
        Ok(Self(builder.build().map_err(failure)?))
    }
}

#[async_trait]
impl TxtResolver for Dns {
    async fn texts(&self, name: &str) -> Result<Vec<String>, DnsFailure> {
        // The final dot keeps search domains of this machine out.
        let found = match self.0.txt_lookup(format!("{name}.")).await {
            Ok(found) => found,
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => return Ok(Vec::new()),
            Err(error) => return Err(failure(error)),
        };
        let texts = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                // A long text comes in pieces.
                RData::TXT(text) => Some(text.txt_data.concat()),
                _ => None,
            });
        Ok(texts
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect())
    }
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dns")
    }
}

fn failure(error: NetError) -> DnsFailure {
    DnsFailure(error.to_string())
}
