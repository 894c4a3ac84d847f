//! Sends a message to an address that a dealer named, and says what came of it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::{Host, Url};

use super::breaker::Breakers;
use super::names::{Names, NoAddress, Nowhere};
use super::places::Places;
use super::reach::{Forbidden, Reach};
use crate::config::Webhooks;

/// The longest beginning of an answer that is read, bytes.
const LONGEST: usize = 1024;
/// How long the beginning of an answer is waited for, once its status is there.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a connection waits for the next message.
const IDLE: Duration = Duration::from_secs(30);

/// The way out for messages.
#[derive(Debug, Clone)]
pub struct Egress {
    client: Client,
    reach: Reach,
    names: Names,
    /// How many go to one receiver at once.
    pub places: Places,
    /// Which hosts are left alone.
    pub breakers: Breakers,
}

/// What is sent.
#[derive(Debug)]
pub struct Letter {
    /// Where to.
    pub url: Url,
    /// Besides those of every message.
    pub headers: HeaderMap,
    /// JSON.
    pub body: String,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long it wants to be left alone, if it says so in seconds.
    pub retry_after: Option<Duration>,
    /// How its body begins.
    pub beginning: String,
}

/// Why there was no answer, as far as dealers are to know: nothing that tells of our network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It leads where nobody is to go.
    Forbidden,
    /// Its name has no address.
    NoAddress,
    /// No connection.
    NoConnection,
    /// A connection, but no safe one.
    NoTls,
    /// It took too long.
    TooSlow,
    /// It broke off.
    BrokenOff,
}

impl Trouble {
    /// As it is kept and told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden_address",
            Self::NoAddress => "no_address",
            Self::NoConnection => "no_connection",
            Self::NoTls => "no_tls",
            Self::TooSlow => "too_slow",
            Self::BrokenOff => "broken_off",
        }
    }
}

impl Egress {
    /// The way out as it is configured.
    ///
    /// # Errors
    ///
    /// When TLS can't be had, or nobody be asked for addresses.
    pub fn new(config: &Webhooks) -> Result<Self, anyhow::Error> {
        let reach = Reach::of(config);
        let names = match config.dns_server {
            Some(server) => Names::at(reach.clone(), server)?,
            None => Names::of_this_machine(reach.clone()),
        };
        let client = Client::builder()
            // A receiver that moved says so to people: no redirect leads anywhere.
            .redirect(Policy::none())
            .timeout(Duration::from_millis(config.timeout_ms))
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .https_only(!config.allow_http)
            // Through a proxy, names would be looked up where they can't be judged.
            .no_proxy()
            .dns_resolver(Arc::new(names.clone()))
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(2)
            .user_agent("tubex-webhooks/1")
            .build()?;
        Ok(Self {
            client,
            reach,
            names,
            places: Places::new(config.endpoint_at_once),
            breakers: Breakers::default(),
        })
    }

    /// Judges an address that somebody names, and where its name leads now. A name that leads
    /// nowhere yet is fine: it is judged again whenever it is gone to.
    ///
    /// # Errors
    ///
    /// [`Forbidden`].
    pub async fn judge(&self, url: &Url) -> Result<(), Forbidden> {
        self.reach.judge(url)?;
        let Some(Host::Domain(name)) = url.host() else {
            return Ok(());
        };
        match tokio::time::timeout(PATIENCE, self.names.find(name)).await {
            Ok(Err(Nowhere::Forbidden)) => Err(Forbidden::Host),
            Ok(Ok(_) | Err(Nowhere::NoAddress)) | Err(_) => Ok(()),
        }
    }

    /// Sends a message, once.
    ///
    /// # Errors
    ///
    /// [`Trouble`] when there was no answer.
    pub async fn post(&self, letter: Letter) -> Result<Answer, Trouble> {
        self.reach
            .judge(&letter.url)
            .map_err(|_| Trouble::Forbidden)?;
        let request = self
            .client
            .post(letter.url)
            .headers(letter.headers)
            .header(CONTENT_TYPE, "application/json")
            .body(letter.body);
        let reply = request.send().await.map_err(|error| trouble(&error))?;
        let (status, retry_after) = (reply.status().as_u16(), retry_after(&reply));
        let beginning = tokio::time::timeout(PATIENCE, beginning(reply)).await;
        Ok(Answer {
            status,
            retry_after,
            beginning: beginning.unwrap_or_default(),
        })
    }
}

/// As much of the body as is wanted: its status alone says how it went.
async fn beginning(mut reply: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = reply.chunk().await {
        bytes.extend_from_slice(&chunk[..chunk.len().min(LONGEST - bytes.len())]);
        if bytes.len() >= LONGEST {
            break;
        }
    }
    // The database takes every character but this one.
    String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}")
}

fn retry_after(reply: &Response) -> Option<Duration> {
    let seconds = reply
        .headers()
        .get(RETRY_AFTER)
        .map(HeaderValue::to_str)?
        .ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn trouble(error: &reqwest::Error) -> Trouble {
    let mut below: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = below {
        if cause.is::<Forbidden>() {
            return Trouble::Forbidden;
        }
        if cause.is::<NoAddress>() {
            return Trouble::NoAddress;
        }
        if is_tls(cause) {
            return Trouble::NoTls;
        }
        below = cause.source();
    }
    if error.is_timeout() {
        Trouble::TooSlow
    } else if error.is_connect() {
        Trouble::NoConnection
    } else {
        Trouble::BrokenOff
    }
}

/// What TLS complains of comes within an error of input and output.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    let within = cause
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    cause.is::<rustls::Error>() || within.is_some_and(|it| it.is::<rustls::Error>())
}
