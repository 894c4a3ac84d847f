//! The local stack: private Postgres, PgBouncer and Redis instances for `make dev`, `make test` and `make bench`.
//!
//! Nothing here touches a system service: every instance lives in a directory of ours, listens
//! on 127.0.0.1 on a free port behind a random password, and is stopped by whoever started it.

pub mod account;
pub mod clean;
pub mod clients;
pub mod dev;
pub mod fetched;
pub mod fuzzer;
pub mod install;
pub mod linter;
pub mod node;
pub mod oidc_provider;
pub mod pgbouncer;
pub mod place;
pub mod port;
pub mod postgres;
pub mod process;
pub mod python;
pub mod redis;
pub mod run;
pub mod s3_server;
pub mod say;
pub mod secret;
pub mod stop;
pub mod tools;
pub mod url;
pub mod validators;
pub mod verifiers;

pub use oidc_provider::OidcProvider;
pub use pgbouncer::PgBouncer;
pub use postgres::{Durability, Postgres};
pub use redis::Redis;
pub use s3_server::S3Server;
