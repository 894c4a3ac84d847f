//! Import profiles: how a supplier writes its price files, and what is asked of them.

mod http;
mod service;

pub(super) use http::routes;
pub(super) use service::chosen;
