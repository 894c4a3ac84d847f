//! Sends a message to an address that a dealer named, and says what came of it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
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
    /// How long it wants to be left alone, if it says so.
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
    /// When TLS can't be had, `ca_file` not be read, or nobody be asked for addresses.
    pub fn new(config: &Webhooks) -> Result<Self, anyhow::Error> {
        let reach = Reach::of(config);
        let names = match config.dns_server {
            Some(server) => Names::at(reach.clone(), server)?,
            None => Names::of_this_machine(reach.clone()),
        };
        let trusted = trusted(config).context("webhooks.ca_file")?;
        let client = Client::builder()
            // Besides those that this machine trusts.
            .tls_certs_merge(trusted)
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

    /// Sends a message, once. `now` is for answers that name a time and don't say what time it is there.
    ///
    /// # Errors
    ///
    /// [`Trouble`] when there was no answer.
    pub async fn post(&self, letter: Letter, now: OffsetDateTime) -> Result<Answer, Trouble> {
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
        let (status, retry_after) = (reply.status().as_u16(), retry_after(reply.headers(), now));
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

/// Who is trusted to say which receiver is which, besides those that this machine trusts.
fn trusted(config: &Webhooks) -> Result<Vec<Certificate>, anyhow::Error> {
    let Some(file) = &config.ca_file else {
        return Ok(Vec::new());
    };
    let trusted = Certificate::from_pem_bundle(&std::fs::read(file)?)?;
    anyhow::ensure!(!trusted.is_empty(), "the file holds no certificate");
    Ok(trusted)
}

/// In seconds, or until a time (RFC 9110, 10.2.3): by the receiver's clock, if it says what it shows. A
/// time that has passed is now.
fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let wanted = text(RETRY_AFTER)?;
    if let Ok(seconds) = wanted.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = |text: &str| OffsetDateTime::parse(text, &Rfc2822).ok();
    let there = text(DATE).and_then(time).unwrap_or(now);
    Some(Duration::try_from(time(wanted)? - there).unwrap_or_default())
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

/// What TLS complains of comes within an error of input and output, or within one within one.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    let within = cause
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    cause.is::<rustls::Error>() || within.is_some_and(|it| is_tls(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_busy_says_for_how_long_in_seconds_or_until_a_time() {
        let wait = |wanted: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, wanted.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            let now = OffsetDateTime::parse("Sun, 06 Nov 1994 08:40:00 GMT", &Rfc2822).unwrap();
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        let at = "Sun, 06 Nov 1994 08:49:37 GMT";

        assert_eq!(wait("120", None), Some(120));
        assert_eq!(wait(" 7 ", Some(at)), Some(7));
        assert_eq!(wait(at, None), Some(577));
        assert_eq!(wait(at, Some("Sun, 06 Nov 1994 08:49:00 GMT")), Some(37));
        assert_eq!(wait(at, Some("Sun, 06 Nov 1994 09:00:00 GMT")), Some(0));
        assert_eq!(wait(at, Some("yesterday")), Some(577));
        for nonsense in ["soon", "-1", "1.5", "", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(wait(nonsense, None), None, "{nonsense}");
        }
    }
}
