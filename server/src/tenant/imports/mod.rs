//! Price files: received, read in the background, and loaded into the catalogue.
//!
//! Invariants: reading writes nothing, the database holds it to that; what is applied goes some rows at
//! a time, each time in one transaction with how far it has come, so that nothing is done twice or
//! forgotten whatever dies; in the end an import is in the catalogue, has left nothing there, or says
//! that it has and can be undone; good
//! rows are taken and bad ones told of one by one; memory stays constant whatever the file; a row that
//! changes nothing writes nothing; one import of a dealer writes at a time.

pub mod http;
pub mod jobs;

mod applying;
mod batch;
mod claims;
mod compare;
mod ending;
mod error;
mod forgetting;
mod items;
mod journal;
mod load;
mod model;
mod notice;
pub mod pricefile;
mod profiles;
mod reading;
mod rejected;
mod rows;
mod service;
mod store;
mod undoing;
mod upload;
mod wire;
mod work;

pub use error::ImportError;
pub use forgetting::files_needed;
pub use model::{Counts, Finding, Status};
