//! The sections of the configuration, with the ranges of their values.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::de::{Error, IntoDeserializer};
use serde::{Deserialize, Deserializer};
use validator::{Validate, ValidationError};

/// Where and how requests are served.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = both_or_none))]
pub struct Http {
    /// Address and port to serve on.
    pub listen: SocketAddr,
    /// Dealers live at `<slug>.<base_domain>`.
    #[validate(length(min = 1, max = 253), custom(function = lower_case_domain))]
    pub base_domain: String,
    /// How clients reach this server, through whatever is in front of it.
    pub public_scheme: Scheme,
    /// The port they use; 0 means the scheme's own.
    pub public_port: u16,
    /// Threads that serve requests; 0 means one per core.
    #[validate(range(max = 256))]
    pub workers: usize,
    /// Certificate and chain, PEM; nothing where TLS is somebody else's.
    #[serde(deserialize_with = "path_or_none")]
    pub tls_certificate_file: Option<PathBuf>,
    /// Its private key, PEM.
    #[serde(deserialize_with = "path_or_none")]
    pub tls_key_file: Option<PathBuf>,
    /// Largest JSON body, KiB.
    #[validate(range(min = 1, max = 65536))]
    pub body_limit_kib: usize,
    /// Longest time a request may take, milliseconds.
    #[validate(range(min = 100, max = 600000))]
    pub request_timeout_ms: u64,
    /// Longest time a JSON body may take to arrive, milliseconds.
    #[validate(range(min = 100, max = 600000))]
    pub body_timeout_ms: u64,
    /// How long the answer to a request with an `Idempotency-Key` is kept, hours.
    #[validate(range(min = 1, max = 720))]
    pub idempotency_hours: u32,
    /// How long a client may leave unread what it was sent, seconds.
    #[validate(range(min = 1, max = 3600))]
    pub unread_seconds: u64,
    /// Time for requests in progress at shutdown, seconds.
    #[validate(range(max = 600))]
    pub shutdown_seconds: u64,
}

/// How clients reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// In the clear, as on a developer's machine.
    Http,
    /// By TLS, and by nothing else.
    Https,
}

/// Where the platform's database is.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Address with the server's login; it may hold a password.
    #[serde(deserialize_with = "postgres_address")]
    pub url: SecretString,
    /// Address that bypasses a transaction pooler, to hear of changes; empty when there is none.
    #[serde(deserialize_with = "postgres_address_or_none")]
    pub direct_url: Option<SecretString>,
    /// What login passwords are derived from.
    #[serde(deserialize_with = "long_secret")]
    pub secret: SecretString,
    /// Connections to the platform's schema.
    #[validate(range(min = 2, max = 64))]
    pub platform_connections: u32,
    /// Connections to each node's jobs, of a process that works on them.
    #[validate(range(min = 1, max = 64))]
    pub jobs_connections: u32,
    /// How long a request may wait for a connection, milliseconds.
    #[validate(range(min = 10, max = 60000))]
    pub acquire_timeout_ms: u64,
    /// Transactions of one dealer at once, in this process.
    #[validate(range(min = 1, max = 1000))]
    pub tenant_concurrency: u32,
    /// How long a request may wait for the dealer's other requests, milliseconds.
    #[validate(range(min = 1, max = 60000))]
    pub tenant_wait_ms: u64,
    /// Longest time one statement may run, milliseconds.
    #[validate(range(min = 10, max = 600000))]
    pub statement_timeout_ms: u64,
    /// Longest time a transaction may lie idle between two statements, milliseconds.
    #[validate(range(min = 10, max = 600000))]
    pub idle_in_transaction_timeout_ms: u64,
    /// Prepared statements kept per connection.
    #[validate(range(min = 1, max = 100000))]
    pub statement_cache: usize,
    /// How statements are prepared.
    pub prepared_statements: PreparedStatements,
    /// Dealers that one connection serves before it is replaced; 0 means any number.
    #[validate(range(max = 100000))]
    pub connection_tenants: usize,
    /// How often the directory is asked what changed, milliseconds.
    #[validate(range(min = 50, max = 60000))]
    pub poll_ms: u64,
    /// How often the directory is read anew, seconds.
    #[validate(range(min = 1, max = 3600))]
    pub reconcile_seconds: u64,
    /// Server processes that share the database's connections.
    #[validate(range(min = 1, max = 1000))]
    pub processes: u32,
    /// Whether a fence with gaps keeps the server from serving.
    pub fence: FenceRule,
}

/// How statements are prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreparedStatements {
    /// Once per connection and dealer; their plans are used again.
    Named,
    /// Anew every time: behind a transaction pooler that doesn't know named ones.
    Unnamed,
}

/// What a fence with gaps means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FenceRule {
    /// The server doesn't serve.
    Required,
    /// It says so and serves.
    Reported,
}

impl Database {
    /// How long a request may wait for a connection.
    pub fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.acquire_timeout_ms)
    }
}

/// Tokens, passwords, sessions.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// What keys are sealed with, and what else is secret at rest.
    #[serde(deserialize_with = "long_secret")]
    pub token_secret: SecretString,
    /// Life of an access token, minutes.
    #[validate(range(min = 1, max = 1440))]
    pub access_minutes: u32,
    /// Life of a refresh token, days: a session that isn't used for as long is over.
    #[validate(range(min = 1, max = 365))]
    pub refresh_days: u32,
    /// Life of a session, however often it is carried on, days.
    #[validate(range(min = 1, max = 365))]
    pub session_days: u32,
    /// How long a client that lost the answer may ask for the same tokens again, seconds.
    #[validate(range(max = 60))]
    pub refresh_replay_seconds: u32,
    /// How long a key signs access tokens, days.
    #[validate(range(min = 1, max = 365))]
    pub signing_key_days: u32,
    /// How long a key is known to everybody before it signs, minutes.
    #[validate(range(min = 2, max = 1440))]
    pub signing_overlap_minutes: u32,
    /// How often a process looks for new keys, milliseconds.
    #[validate(range(min = 50, max = 60000))]
    pub signing_poll_ms: u64,
    /// How long a proof of who one is counts for what is sensitive, minutes.
    #[validate(range(min = 1, max = 1440))]
    pub proof_minutes: u32,
    /// Failed sign-ins per account and window.
    #[validate(range(min = 1, max = 1000))]
    pub sign_in_attempts: u32,
    /// The window, minutes.
    #[validate(range(min = 1, max = 1440))]
    pub sign_in_window_minutes: u32,
    /// The first wait after that, seconds; it doubles with each failure.
    #[validate(range(min = 1, max = 900))]
    pub sign_in_wait_seconds: u32,
    /// Messages an address may be sent on request within an hour.
    #[validate(range(min = 1, max = 1000))]
    pub mails_per_hour: u32,
    /// Life of an invitation, days.
    #[validate(range(min = 1, max = 90))]
    pub invitation_days: u32,
    /// Life of a link that sets a password anew, minutes.
    #[validate(range(min = 5, max = 1440))]
    pub reset_minutes: u32,
    /// Life of a link that proves an address, hours.
    #[validate(range(min = 1, max = 720))]
    pub verification_hours: u32,
    /// Least strength of a new password, 0 to 4.
    #[validate(range(max = 4))]
    pub password_strength: u8,
    /// Memory of a password hash, KiB.
    #[validate(range(min = 8, max = 1048576))]
    pub password_memory_kib: u32,
    /// Passes of a password hash.
    #[validate(range(min = 1, max = 100))]
    pub password_passes: u32,
}

/// Price files.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Imports {
    /// Largest price file, MiB.
    #[validate(range(min = 1, max = 1024))]
    pub max_mib: u64,
    /// Most rows of a price file.
    #[validate(range(min = 1, max = 10000000))]
    pub max_rows: u64,
    /// Longest time that sending a price file may take, milliseconds.
    #[validate(range(min = 1000, max = 3600000))]
    pub timeout_ms: u64,
    /// How long the rows and the journal of an import that is over are kept, days.
    #[validate(range(min = 1, max = 3650))]
    pub retention_days: u32,
}

/// The API of operators.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// Address with the login that owns the platform; empty when this server has no such API.
    #[serde(deserialize_with = "postgres_address_or_none")]
    pub database_url: Option<SecretString>,
    /// Connections with that login.
    #[validate(range(min = 2, max = 64))]
    pub connections: u32,
    /// Whether this process also works on migration runs.
    pub works: bool,
}

/// What is measured, and where it is told.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Address and port that metrics and health are told on; empty: nowhere.
    #[serde(deserialize_with = "address_or_none")]
    pub listen: Option<SocketAddr>,
    /// Dealers that metrics name; all others are told as one.
    #[validate(range(max = 1000))]
    pub top_tenants: usize,
    /// How often the platform is told what dealers asked for, seconds.
    #[validate(range(min = 1, max = 3600))]
    pub publish_seconds: u64,
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// A level, or a filter.
    #[validate(length(min = 1), custom(function = log_filter))]
    pub filter: String,
    /// For machines or for people.
    pub format: LogFormat,
}

/// For machines or for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// One sentence a line.
    Text,
}

/// A certificate without its key serves nobody, and neither does a key alone.
fn both_or_none(http: &Http) -> Result<(), ValidationError> {
    if http.tls_certificate_file.is_some() == http.tls_key_file.is_some() {
        return Ok(());
    }
    Err(ValidationError::new("tls").with_message(
        "tls_certificate_file and tls_key_file must be set together, or neither".into(),
    ))
}

/// Reads a path, or nothing.
pub(super) fn path_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PathBuf>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok((!text.is_empty()).then(|| text.into()))
}

/// Reads a secret that is long enough to sign with. The error doesn't tell it.
fn long_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let secret = SecretString::deserialize(deserializer)?;
    if secret.expose_secret().chars().count() < 32 {
        return Err(D::Error::custom(
            "a secret must have at least 32 characters: try `openssl rand -base64 48`",
        ));
    }
    Ok(secret)
}

/// Reads the address of a Postgres. The error doesn't tell it: it may hold a password.
fn postgres_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let url = SecretString::deserialize(deserializer)?;
    let text = url.expose_secret();
    if !["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
    {
        return Err(D::Error::custom(
            "an address must begin with postgres://, as in postgres://tubex_server@db:5432/tubex",
        ));
    }
    Ok(url)
}

/// The same, or nothing.
fn postgres_address_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    let url = SecretString::deserialize(deserializer)?;
    if url.expose_secret().is_empty() {
        return Ok(None);
    }
    postgres_address(url.expose_secret().into_deserializer()).map(Some)
}

/// Reads an address and a port, or nothing.
fn address_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        D::Error::custom("must be an address and a port, as in 127.0.0.1:9464, or empty")
    })
}

fn log_filter(filter: &str) -> Result<(), ValidationError> {
    match tracing_subscriber::EnvFilter::try_new(filter) {
        Ok(_) => Ok(()),
        Err(_) => Err(ValidationError::new("filter").with_message(
            "must be a level such as info, or a filter such as info,server::db=debug".into(),
        )),
    }
}

fn lower_case_domain(domain: &str) -> Result<(), ValidationError> {
    let is_plain = domain
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
    if !is_plain || domain.starts_with('.') || domain.ends_with('.') {
        return Err(ValidationError::new("domain").with_message(
            "must be a bare domain in lower-case ASCII, without scheme, port or dots at its ends"
                .into(),
        ));
    }
    Ok(())
}
