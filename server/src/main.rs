//! The command line of the server: `api`, `worker`, `doctor`, `check-config`, `openapi`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use server::config::{Config, ConfigError};
use server::kernel::Clock;
use server::openapi::{self, Audience};
use server::{Application, doctor, startup, telemetry, worker};
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};

/// The server that all dealers share.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Serves the dealers' API.
    Api,
    /// Does background work for all dealers, and tells its health.
    Worker,
    /// Proves that the walls between dealers stand and that the database is wide enough, and ends:
    /// with 0 when all is well, 1 when a check failed, 2 when the database can't be reached.
    Doctor {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// Reads the configuration, says what is wrong with it, and ends.
    CheckConfig,
    /// Prints the document that describes the API, and ends.
    Openapi {
        /// The operators' document, not the dealers'
        #[arg(long)]
        platform: bool,
    },
}

#[actix_web::main]
async fn main() -> ExitCode {
    match play(Cli::parse().role).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("configuration: {error}");
            ExitCode::from(2)
        }
    }
}

async fn play(role: Role) -> Result<ExitCode, ConfigError> {
    Ok(match role {
        Role::Openapi { platform } => describe(platform),
        Role::CheckConfig => check(&Config::load()?),
        Role::Doctor { json } => examine(&Config::load()?, json).await,
        Role::Api => end(serve(Config::load()?, Kind::Api).await),
        Role::Worker => end(serve(Config::load()?, Kind::Worker).await),
    })
}

fn end(served: anyhow::Result<()>) -> ExitCode {
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn describe(platform: bool) -> ExitCode {
    let audience = if platform {
        Audience::Operators
    } else {
        Audience::Dealers
    };
    let text = openapi::document(audience);
    // Whoever reads it may have read enough.
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn check(config: &Config) -> ExitCode {
    match startup::check(config) {
        Ok(()) => {
            println!("the configuration is fine");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("configuration: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn examine(config: &Config, json: bool) -> ExitCode {
    let report = match doctor::examine(&config.database, &Clock::new(system_time)).await {
        Ok(report) => report,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if json {
        match serde_json::to_string_pretty(&report) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("{error}"),
        }
    } else {
        print!("{}", report.for_people());
    }
    if report.is_fine() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Api,
    Worker,
}

async fn serve(config: Config, kind: Kind) -> anyhow::Result<()> {
    telemetry::start(&config.log)?;
    let clock = Clock::new(system_time);
    let application = match kind {
        Kind::Api => Application::build(config, clock).await?,
        Kind::Worker => Application::build_worker(config, clock, worker::registry).await?,
    };
    if let Some(address) = application.metrics_address() {
        tracing::info!(metrics.address = %address, "telling metrics and health");
    }
    tracing::info!(address = %application.address(), "listening");
    let handle = application.handle();
    actix_web::rt::spawn(async move {
        asked_to_stop().await;
        tracing::info!("asked to stop, letting requests in progress end");
        handle.stop(true).await;
    });
    let served = application.run().await;
    tracing::info!("stopped");
    served
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the real clock is read"
)]
fn system_time() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

async fn asked_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened for");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be listened for");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
