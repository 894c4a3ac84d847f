//! Reading a list: one dealer against the bare floor, and many dealers against one.

use anyhow::{Result, ensure};
use serde_json::Value;
use tests::Scratch;

use super::fleet::Fleet;
use super::floor::Floor;
use super::price_list::{self, Barcodes, Month};
use super::sample::Sample;
use super::server::{Server, SignedIn};
use super::table::{Table, Target};
use super::wrk::Load;
use super::{Scale, say};

const PATH: &str = "/api/v1/items?limit=20";

/// Adds the rows of the lists.
///
/// # Errors
///
/// When a request fails, or ours and the floor don't show the same.
pub async fn measure(
    table: &mut Table,
    database: &Scratch,
    server: &Server,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let one = with_items(server, fleet, scale.items_of_one).await?;
    let mut many = Vec::with_capacity(scale.visited);
    for _ in 0..scale.visited {
        many.push(with_items(server, fleet, scale.items_of_visited).await?);
    }
    say(format!(
        "{} dealers signed in, their items loaded",
        many.len() + 1
    ));

    let floor = Floor::start(&database.owner_url(), &database.schema_of(&one.slug).await)?;
    let (ours, bare) = (
        format!("{}{PATH}", server.base),
        format!("{}{PATH}", floor.base),
    );
    same_rows(&one, &bare).await?;
    let (by_one, by_many) = (Load::zipf(std::slice::from_ref(&one))?, Load::zipf(&many)?);
    let by_anybody = Load::anonymous()?;
    // Pools, plans and caches fill before the clock starts.
    by_one.run(&ours, 1).await?;
    by_many.run(&ours, scale.round_seconds).await?;
    by_anybody.run(&bare, 1).await?;

    // What is kept in Redis is kept by this one itself: the difference is what Redis costs.
    let alone = Server::start_beside(database, "").await?;
    let by_itself = format!("{}{PATH}", alone.base);
    let one_alone = Load::zipf(&[alone.enter(&one.slug).await?])?;
    one_alone.run(&by_itself, 1).await?;

    let mut alones = Sample::default();
    let (mut floors, mut ones, mut manys) = <(Sample, Sample, Sample)>::default();
    for _ in 0..scale.rounds {
        floors.add(by_anybody.run(&bare, scale.round_seconds).await?);
        ones.add(by_one.run(&ours, scale.round_seconds).await?);
        alones.add(one_alone.run(&by_itself, scale.round_seconds).await?);
        manys.add(by_many.run(&ours, scale.round_seconds).await?);
    }
    let half = Target::RatioAtLeast(0.5);
    let (one, many) = (ones.median(), manys.median());
    table.add(
        "list of one dealer",
        "requests/s",
        one,
        Some(floors.median()),
        Target::RatioAtLeast(0.45),
    );
    table.add(
        "the same, limits kept without Redis",
        "requests/s",
        alones.median(),
        Some(floors.median()),
        Target::RatioAtLeast(0.45),
    );
    table.add(
        "list over 200 dealers, Zipf",
        "requests/s",
        many,
        Some(one),
        half,
    );
    Ok(())
}

async fn with_items(server: &Server, fleet: &Fleet, items: usize) -> Result<SignedIn> {
    let dealer = server.enter(&fleet.take()).await?;
    let file = price_list::file(items, Month::First, Barcodes::Left);
    let report = dealer.owner.import("", file).await.expect(200);
    ensure!(report.json["created"] == items, "{}", report.text());
    Ok(dealer)
}

/// Ours and the floor must do the same work.
async fn same_rows(one: &SignedIn, bare: &str) -> Result<()> {
    let ours = one.owner.get(PATH).await.expect(200).json;
    let floor: Value = reqwest::get(bare).await?.json().await?;
    ensure!(
        ours["data"] == floor["data"] && ours["data"].as_array().is_some_and(|it| it.len() == 20),
        "the floor shows other rows:\n{floor}\nthan ours:\n{ours}"
    );
    Ok(())
}
