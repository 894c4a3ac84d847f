//! The way out to identity providers: HTTPS, public addresses, short answers, no redirects.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use reqwest::{Client, Request, StatusCode};

use crate::config::Sso;
use crate::egress::{Names, Reach};

/// The longest answer that is read, bytes. Documents of providers are a few kilobytes.
const LONGEST: usize = 256 * 1024;

/// Asks identity providers.
#[derive(Debug, Clone)]
pub(super) struct Egress {
    client: Client,
    /// How far it may be gone; anywhere while developing.
    reach: Option<Reach>,
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
        let reach = (!config.allow_insecure_issuers).then(Reach::internet);
        let timeout = Duration::from_millis(config.timeout_ms);
        let mut client = Client::builder()
            .redirect(Policy::none())
            .timeout(timeout)
            .connect_timeout(timeout)
            .https_only(reach.is_some())
            // Through a proxy, names would be looked up where they can't be judged.
            .no_proxy()
            .user_agent("tubex");
        if let Some(reach) = &reach {
            client = client.dns_resolver(Arc::new(Names::of_this_machine(reach.clone())));
        }
        Ok(Self {
            client: client.build()?,
            reach,
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
        let judged = self.reach.as_ref().map(|reach| reach.judge_digits(url));
        let host = || url.host_str().unwrap_or_default().to_owned();
        judged
            .unwrap_or(Ok(()))
            .map_err(|_| EgressError::Forbidden(host()))
    }
}

impl<'c> AsyncHttpClient<'c> for Egress {
    type Error = EgressError;
    type Future = Answering<'c>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
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
