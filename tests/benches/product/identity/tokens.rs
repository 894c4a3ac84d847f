//! From the text of a token to whoever it is, within the process.

use std::time::Instant;

use anyhow::{Context, Result};
use tests::TestApp;

use super::super::Scale;
use super::super::sample::Sample;
use super::super::table::{Table, Target};

/// How often.
const LOOKS: usize = 20_000;

/// Times of one look, microseconds.
pub struct Looks(Sample);

/// Looks a token up again and again, as requests do.
pub async fn measure(app: &TestApp, scale: Scale) -> Result<Looks> {
    let dealer = app.dealer().await;
    let token = dealer.token.clone().context("an owner has a token")?;
    let db = app.door(&dealer).await;
    let key = db.tenant().key();
    let mut looks = Sample::default();
    for _ in 0..LOOKS.min(scale.items_searched) {
        let begun = Instant::now();
        let now = app.state.clock.now();
        let claims = app.state.tokens.verify(&token, key, now).await?;
        app.state.access.by_session(&db, &claims, now).await?;
        looks.add(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(Looks(looks))
}

impl Looks {
    /// Adds the row.
    pub fn add_to(&self, table: &mut Table) {
        let (name, unit) = ("token and revocation checked, p50", "us");
        table.add(name, unit, self.0.median(), None, Target::Below(30.0));
    }
}
