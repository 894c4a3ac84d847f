//! The tree that items are sorted into.

pub mod http;
mod service;
mod store;

pub use store::{GroupRow, GroupToAdd, add_all, all_paths};
