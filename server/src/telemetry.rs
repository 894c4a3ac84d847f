//! The log: one JSON object a line for machines, or one sentence a line for people.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

/// Starts the log. Once per process, by `main`.
///
/// # Errors
///
/// When the filter can't be read, or a log was started before.
pub fn start(config: &Log) -> Result<(), anyhow::Error> {
    let registry = tracing_subscriber::registry().with(filter(config)?);
    match config.format {
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer().json().flatten_event(true);
            registry
                .with(layer.with_current_span(false).with_span_list(false))
                .try_init()?;
        }
        LogFormat::Text => registry.with(tracing_subscriber::fmt::layer()).try_init()?,
    }
    Ok(())
}

/// Reads the filter.
///
/// # Errors
///
/// When it can't be read.
pub fn filter(config: &Log) -> Result<EnvFilter, anyhow::Error> {
    Ok(EnvFilter::try_new(&config.filter)?)
}
