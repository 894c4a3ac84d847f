//! What is measured: counted in memory, and told as OpenMetrics text to whoever asks at the
//! internal port.
//!
//! Labels are bounded: routes are patterns, methods the known ones, tenants the busiest few. A
//! tenant is named by its id alone; slugs change, and metrics are read by people who need not know
//! them.
#![allow(
    clippy::float_arithmetic,
    reason = "measurements are no amounts: the text format knows only floats"
)]

mod fleet;
pub mod http;
mod jobs;
mod live;
mod port;
mod process;
mod requests;
mod tenants;
mod webhooks;
mod window;

pub(crate) use port::Port;
pub use requests::{Metrics, ServedTenant, Serving};
pub use webhooks::Webhooks;
pub use window::Traffic;
