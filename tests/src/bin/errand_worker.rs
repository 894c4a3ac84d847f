//! A worker like `server worker` that knows errands instead of the product's jobs: tests kill it.
#![allow(
    clippy::disallowed_methods,
    reason = "a program of tests: here the real clock is read"
)]

use anyhow::Result;
use server::config::Config;
use server::kernel::Clock;
use server::{Application, telemetry};
use tests::errands::{Begun, registry};
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};

#[actix_web::main]
async fn main() -> Result<()> {
    let config = Config::load()?;
    telemetry::start(&config.log)?;
    let clock = Clock::new(OffsetDateTime::now_utc);
    let application =
        Application::build_worker(config, clock, |_, _| registry(&Begun::default())).await?;
    let (handle, mut terminate) = (application.handle(), signal(SignalKind::terminate())?);
    actix_web::rt::spawn(async move {
        terminate.recv().await;
        handle.stop(true).await;
    });
    application.run().await
}
