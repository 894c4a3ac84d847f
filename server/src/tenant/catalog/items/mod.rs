//! Items: what the dealer sells, found by words, by SKU, by barcode or by place in the tree.

mod around;
mod cost;
pub mod http;
mod model;
mod price;
mod query;
mod search;
mod service;
mod store;
mod taking;
mod wire;

pub use taking::ItemFilter;
pub(in crate::tenant) use taking::{TakenItem, group_paths, take};
