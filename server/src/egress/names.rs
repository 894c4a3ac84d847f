//! Looks names up and hands on none but the addresses that may be reached: the connection is made to
//! those very addresses, so a second look-up can't say something else.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::reach::{Forbidden, Reach};

/// How long one question may take before it is asked again, or given up.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Looks names up.
#[derive(Clone)]
pub struct Names {
    reach: Reach,
    /// Who is asked; none: as this machine does it.
    server: Option<TokioResolver>,
}

/// A name could not be looked up, or has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name has no address")]
pub(super) struct NoAddress;

/// Why a name leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nowhere {
    NoAddress,
    Forbidden,
}

impl Names {
    /// Asks as this machine does it.
    pub fn of_this_machine(reach: Reach) -> Self {
        Self {
            reach,
            server: None,
        }
    }

    /// Asks this server, and remembers nothing.
    ///
    /// # Errors
    ///
    /// When that can't be set up.
    pub fn at(reach: Reach, server: SocketAddr) -> Result<Self, anyhow::Error> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut it| {
            it.port = server.port();
            it
        });
        let server = NameServerConfig::new(server.ip(), true, connections.into());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.timeout = TIMEOUT;
        options.attempts = 2;
        options.cache_size = 0;
        Ok(Self {
            reach,
            server: Some(builder.build()?),
        })
    }

    /// The addresses of a name that may be reached.
    pub(super) async fn find(&self, name: &str) -> Result<Vec<SocketAddr>, Nowhere> {
        let found: Vec<SocketAddr> = match &self.server {
            None => {
                let found = tokio::net::lookup_host((name, 0)).await;
                found.map_err(|_| Nowhere::NoAddress)?.collect()
            }
            Some(server) => {
                // The final dot keeps search domains of this machine out.
                let full = format!("{}.", name.trim_end_matches('.'));
                let found = server.lookup_ip(full).await;
                let found = found.map_err(|_| Nowhere::NoAddress)?;
                found.iter().map(|it| SocketAddr::new(it, 0)).collect()
            }
        };
        if found.is_empty() {
            return Err(Nowhere::NoAddress);
        }
        let mut allowed = found;
        allowed.retain(|it| self.reach.allows(it.ip()));
        if allowed.is_empty() {
            return Err(Nowhere::Forbidden);
        }
        Ok(allowed)
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            match names.find(name.as_str()).await {
                Ok(found) => Ok(Box::new(found.into_iter()) as Addrs),
                Err(Nowhere::Forbidden) => Err(Forbidden::Host.into()),
                Err(Nowhere::NoAddress) => Err(NoAddress.into()),
            }
        })
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names")
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}
