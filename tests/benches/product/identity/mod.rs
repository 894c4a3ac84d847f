//! What knowing who asks costs: tokens, limits, records, and sign-ins beside other people's work.

mod budgets;
mod records;
mod sign_ins;
mod tokens;

use anyhow::Result;
use tests::TestApp;

use super::Scale;
use super::fleet::Fleet;
use super::server::Server;
use super::table::Table;

/// Adds the rows of identity.
///
/// # Errors
///
/// When a request fails.
pub async fn measure(
    table: &mut Table,
    server: &Server,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let inside = tokio::task::spawn_blocking(move || {
        // The app wants a runtime of its own, as in the tests.
        actix_web::rt::System::new().block_on(async move {
            let app = TestApp::start().await;
            let token = tokens::measure(&app, scale).await?;
            let record = records::measure(&app, scale).await?;
            let budget = budgets::measure(&app).await?;
            app.stop().await;
            anyhow::Ok((token, record, budget))
        })
    });
    let (token, record, budget) = inside.await??;
    token.add_to(table);
    record.add_to(table);
    budget.add_to(table);
    sign_ins::measure(table, server, fleet, scale).await
}
