//! `tubex`: the command line of the provisioner, with our dealers as its product.

#![expect(
    clippy::disallowed_types,
    reason = "`cli::connection` makes what the library works on"
)]

mod cli;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    cli::run().await
}
