//! What the dealer sells: items, the tree they are sorted into, and units of measure.
//!
//! Invariants: a SKU and a barcode belong to one item each, retired items included; a price is
//! exact, whole (amount, quantity, unit and currency, or nothing) and never negative; a group
//! never lies within itself; a change names the version it is based on.

pub mod groups;
pub mod http;
pub mod items;
pub mod units;

mod error;
pub(in crate::tenant) mod text;

pub use error::CatalogError;
