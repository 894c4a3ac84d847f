//! What may be allowed, who may what, and why.

mod explain;
pub mod http;
mod report;
