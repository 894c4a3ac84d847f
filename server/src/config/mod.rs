//! Configuration: documented defaults, a file, the environment; unknown keys are refused.

mod api;
mod exports;
mod jobs;
mod limits;
mod live;
mod mail;
mod redis;
mod scheme;
mod sections;
mod source;
mod sso;
mod storage;
mod webhooks;
mod worker;

pub use api::{Api, Deprecation};
pub use exports::Exports;
pub use jobs::Jobs;
pub use limits::Limits;
pub use live::Live;
pub use mail::{Mail, Transport};
pub use redis::Redis;
pub use sections::{
    Auth, Database, FenceRule, Http, Imports, Log, LogFormat, Metrics, Platform,
    PreparedStatements, Scheme,
};
pub use source::ConfigError;
pub use sso::Sso;
pub use storage::{Storage, StorageKind};
pub use webhooks::Webhooks;
pub use worker::Worker;

use serde::Deserialize;
use validator::Validate;

/// Everything the server can be told, one section per concern. `defaults.toml` is the manual.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where and how requests are served.
    #[validate(nested)]
    pub http: Http,
    /// Where the platform's database is.
    #[validate(nested)]
    pub database: Database,
    /// Where Redis is, if anywhere.
    #[validate(nested)]
    pub redis: Redis,
    /// What is said of the API itself.
    #[validate(nested)]
    pub api: Api,
    /// How much may be asked.
    #[validate(nested)]
    pub limits: Limits,
    /// How background work is done.
    #[validate(nested)]
    pub jobs: Jobs,
    /// Streams of events.
    #[validate(nested)]
    pub live: Live,
    /// Tokens, passwords, sessions.
    #[validate(nested)]
    pub auth: Auth,
    /// How messages leave.
    #[validate(nested)]
    pub mail: Mail,
    /// Identity providers of dealers.
    #[validate(nested)]
    pub sso: Sso,
    /// Where files are kept.
    #[validate(nested)]
    pub storage: Storage,
    /// What is sent to addresses that dealers name.
    #[validate(nested)]
    pub webhooks: Webhooks,
    /// Price files.
    #[validate(nested)]
    pub imports: Imports,
    /// Files that are made for people.
    #[validate(nested)]
    pub exports: Exports,
    /// The API of operators.
    #[validate(nested)]
    pub platform: Platform,
    /// Background work.
    #[validate(nested)]
    pub worker: Worker,
    /// What is measured, and where it is told.
    #[validate(nested)]
    pub metrics: Metrics,
    /// What is logged, and how.
    #[validate(nested)]
    pub log: Log,
}

impl Config {
    /// Reads defaults, the file named by `TUBEX_CONFIG`, and the environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the key, says what is wrong with it and how to mend it.
    pub fn load() -> Result<Self, ConfigError> {
        source::load(source::environment()?)
    }

    /// The same from a given environment.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn from_environment(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        source::load(variables)
    }
}
