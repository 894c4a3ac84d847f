//! Units of measure. A unit's code never changes: items refer to it.

pub mod http;
mod service;

pub use service::{NewUnit, all_codes, code_of, ensure};
