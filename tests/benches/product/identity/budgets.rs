//! How often Redis is asked for one request.

use anyhow::{Context, Result};
use deadpool_redis::redis::{Client, cmd};
use tests::TestApp;

use super::super::table::{Table, Target};

/// Requests that are counted.
const REQUESTS: u32 = 200;

/// Questions to Redis a request.
pub struct Questions(f64);

/// Counts what Redis was asked while requests were served.
pub async fn measure(app: &TestApp) -> Result<Questions> {
    let dealer = app.dealer().await;
    dealer.get("/units").await.expect(200);
    let before = questions().await?;
    for _ in 0..REQUESTS {
        dealer.get("/units").await.expect(200);
    }
    let asked = questions().await? - before;
    Ok(Questions(asked / f64::from(REQUESTS)))
}

/// What came over the wire: commands within a script don't.
async fn questions() -> Result<f64> {
    let url = std::env::var("TUBEX_TEST_REDIS_URL").context("there is a Redis")?;
    let mut connection = Client::open(url)?
        .get_multiplexed_async_connection()
        .await?;
    let stats: String = cmd("INFO")
        .arg("commandstats")
        .query_async(&mut connection)
        .await?;
    let calls = |name: &str| -> f64 {
        let line = stats
            .lines()
            .find(|line| line.starts_with(&format!("cmdstat_{name}:")));
        let number = line.and_then(|line| line.split("calls=").nth(1));
        let number = number.and_then(|rest| rest.split(',').next());
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or_default()
    };
    // Whatever asks by itself; `mget`, `set` and `time` are what the script does there.
    Ok([
        "evalsha", "eval", "get", "getex", "setex", "psetex", "incr", "del",
    ]
    .iter()
    .map(|name| calls(name))
    .sum())
}

impl Questions {
    /// Adds the row.
    pub fn add_to(&self, table: &mut Table) {
        let (name, unit) = ("questions to Redis a request", "questions");
        table.add(name, unit, self.0, None, Target::Below(1.1));
    }
}
