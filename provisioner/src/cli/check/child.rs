//! The process in which migrations run. Whatever they do to it, another one tells the tale.

use std::io::Read as _;
use std::process::ExitCode;

use migration::{PlatformMigrator, TenantMigrator};
use provisioner::check::check;
use provisioner::report::json;
use provisioner::{NodeConnector, Product, Provisioner};
use secrecy::SecretString;

use super::order::{Event, Order};
use super::watched::{Teller, WatchedMigrator, WatchedProduct};
use crate::cli::connection;
use crate::cli::dealers::Dealers;
use crate::cli::failure::Failure;

/// Set for this process, and for no other.
pub(super) const MARK: &str = "TUBEX_CHECK__CHILD";

/// Whether we are it.
pub(super) fn is_this() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Checks as it is told on standard input.
pub(super) async fn run() -> Result<ExitCode, Failure> {
    let order = read_order()?;
    let teller = Teller::new(&order.token);
    let product = || WatchedProduct::new(Dealers, TenantMigrator, &teller);
    let platform = WatchedMigrator::new(PlatformMigrator, &teller);
    let fleet = match order.fleet() {
        Some(url) => match fleet(&url, product()).await {
            Ok(fleet) => Some(fleet),
            Err(failure) => return Ok(stuck(&order, &teller, &failure)),
        },
        None => None,
    };
    let checked = check(
        product(),
        &platform,
        &order.scratch(),
        fleet.as_ref(),
        &order.options(),
    )
    .await;
    match checked {
        Ok(report) => {
            teller.tell(&Event::Report(json::line(&report)));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(stuck(&order, &teller, &error.into())),
    }
}

fn stuck(order: &Order, teller: &Teller, failure: &Failure) -> ExitCode {
    teller.tell(&Event::Stuck);
    failure.report(order.json)
}

/// A way to a fleet. It is only looked at: no login is made, so no secret is needed.
async fn fleet<P: Product>(url: &SecretString, product: P) -> Result<Provisioner<P>, Failure> {
    let db = connection::open(url).await?;
    let connector = NodeConnector::new(url.clone());
    Ok(Provisioner::new(db, SecretString::default(), product).with_nodes(connector))
}

fn read_order() -> Result<Order, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    let order = read.ok().and_then(|_| serde_json::from_str(&text).ok());
    order.ok_or_else(|| {
        Failure::usage(format!("{MARK} is set, and no order came"))
            .hint("unset it: it belongs to tubex alone")
    })
}
