//! The way out to identity providers: HTTPS, public addresses, short answers, no redirects.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Request, StatusCode};
use url::Host;

use super::address::is_public;
use crate::config::Sso;

/// The longest answer that is read, bytes. Documents of providers are a few kilobytes.
const LONGEST: usize = 256 * 1024;

/// Asks identity providers.
#[derive(Debug, Clone)]
pub(super) struct Egress {
    client: Client,
    is_guarded: bool,
}

/// Why nothing useful came back.
#[derive(Debug, thiserror::Error)]
pub(super) enum EgressError {
    /// The address is none that may be asked.
    #[error("{0} may not be asked")]
    Forbidden(String),
    /// Nobody answered in time, or the answer broke off.
    #[error("{0}")]
    Silent(String),
    /// The answer is longer than anybody's would be.
    #[error("the answer is longer than {LONGEST} bytes")]
    TooLong,
    /// It says that it is in trouble itself.
    #[error("it answers {0}")]
    InTrouble(StatusCode),
}

type Answering<'c> = Pin<Box<dyn Future<Output = Result<HttpResponse, EgressError>> + Send + 'c>>;

impl Egress {
    /// The way out as it is configured.
    ///
    /// # Errors
    ///
    /// When TLS can't be had.
    pub(super) fn new(config: &Sso) -> Result<Self, reqwest::Error> {
        let is_guarded = !config.allow_insecure_issuers;
        let timeout = Duration::from_millis(config.timeout_ms);
        let mut client = Client::builder()
            .redirect(Policy::none())
            .timeout(timeout)
            .connect_timeout(timeout)
            .https_only(is_guarded)
            // Through a proxy, names would be looked up where they can't be judged.
            .no_proxy()
            .user_agent("tubex");
        if is_guarded {
            client = client.dns_resolver(Arc::new(PublicNames));
        }
        Ok(Self {
            client: client.build()?,
            is_guarded,
        })
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, EgressError> {
        let request = Request::try_from(request).map_err(silent)?;
        self.must_be_allowed(request.url())?;
        let mut reply = self.client.execute(request).await.map_err(silent)?;
        if reply.status().is_server_error() {
            return Err(EgressError::InTrouble(reply.status()));
        }
        let mut answer = openidconnect::http::Response::builder().status(reply.status());
        if let Some(headers) = answer.headers_mut() {
            *headers = reply.headers().clone();
        }
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(silent)? {
            if body.len() + chunk.len() > LONGEST {
                return Err(EgressError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        answer
            .body(body)
            .map_err(|error| EgressError::Silent(error.to_string()))
    }

    /// An address in digits is looked up nowhere, so it is judged here; a name where it is looked
    /// up, lest it change in between.
    fn must_be_allowed(&self, url: &url::Url) -> Result<(), EgressError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            _ => None,
        };
        match address {
            Some(address) if self.is_guarded && !is_public(address) => {
                Err(EgressError::Forbidden(address.to_string()))
            }
            _ => Ok(()),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Egress {
    type Error = EgressError;
    type Future = Answering<'c>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// Finds the public addresses of names, and no others.
#[derive(Debug)]
struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(EgressError::Forbidden(name.as_str().to_owned()).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

fn silent(error: reqwest::Error) -> EgressError {
    // With what lies below: "error sending request" alone helps nobody.
    let error = error.without_url();
    let mut text = error.to_string();
    let mut below = std::error::Error::source(&error);
    while let Some(cause) = below {
        text = format!("{text}: {cause}");
        below = cause.source();
    }
    EgressError::Silent(text)
}
