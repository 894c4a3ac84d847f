//! The port for machines within: metrics and health, nothing of the dealers.

use std::net::SocketAddr;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};

use super::http::routes;
use crate::http;
use crate::state::AppState;

/// The open port, and what serves it.
pub(crate) struct Port {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// To be run.
    pub(crate) server: Server,
}

impl Port {
    /// Opens the port, unless the configuration wants none. It doesn't go through
    /// [`http::each_request`]: scrapes and probes would drown what people look for in the log.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub(crate) fn bind(state: &web::Data<AppState>) -> Result<Option<Self>, anyhow::Error> {
        let Some(listen) = state.config.metrics.listen else {
            return Ok(None);
        };
        let state = state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .configure(routes)
                .configure(http::health::routes)
        })
        .disable_signals()
        .workers(1)
        .bind(listen)
        .map_err(|error| anyhow::anyhow!("metrics.listen: cannot listen on {listen}: {error}"))?;
        let address = server.addrs()[0];
        let server = server.run();
        Ok(Some(Self { address, server }))
    }
}
