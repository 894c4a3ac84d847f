//! The only module that knows a pool exists: lanes, the directory, and the two transactions.
//!
//! The one way to a dealer's rows is [`Directory`] → [`TenantDb`] → [`TenantTx`]; the one way to
//! the platform's is [`PlatformDb`] → [`PlatformTx`]. What isn't a transaction runs no query:
//!
//! ```compile_fail,E0277
//! # async fn no(db: &server::db::TenantDb) {
//! use sea_orm::EntityTrait;
//! ::entity::tenant::item::Entity::find().one(db).await.unwrap();
//! # }
//! ```
//!
//! A use case can't end the transaction it was lent, nor keep it:
//!
//! ```compile_fail,E0507
//! # async fn no(tx: &server::db::TenantTx) {
//! tx.commit().await.unwrap();
//! # }
//! ```
//!
//! And the platform's transaction is no dealer's:
//!
//! ```compile_fail,E0308
//! # async fn use_case(tx: &server::db::TenantTx) {}
//! # async fn no(platform: &server::db::PlatformTx) {
//! use_case(platform).await;
//! # }
//! ```
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module is the door that the lint sends everybody else to"
)]

mod bell;
mod directory;
mod ends;
mod failure;
mod gate;
mod lanes;
mod ledger;
mod memberships;
mod owner;
mod parting;
mod platform;
mod pool;
pub(crate) mod probe;
mod schema_version;
mod security_log;
mod stats;
mod tenant;
mod transaction;

pub use bell::{Bell, Wake};
pub use directory::{Address, Directory, DirectoryError, Found, Purpose, Tenant, TenantStatus};
pub use failure::{Failure, failure_of, is_job_lost};
pub use lanes::Lanes;
pub use ledger::Ledger;
pub use memberships::Memberships;
pub use owner::OwnerDb;
pub use platform::PlatformDb;
pub use schema_version::MINIMUM as MINIMUM_SCHEMA_VERSION;
pub use security_log::{SecurityEvent, SecurityLog};
pub use stats::LaneStats;
pub use tenant::{LongWork, TenantDb};
pub use transaction::{JobsTx, PlatformTx, TenantTx};
