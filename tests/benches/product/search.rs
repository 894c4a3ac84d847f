//! Searching fifty thousand items, one query after the other, as people type them.

use std::time::Instant;

use anyhow::{Result, ensure};
use url::form_urlencoded::Serializer;

use super::fleet::Fleet;
use super::price_list::{self, Barcodes, Month};
use super::sample::Sample;
use super::server::Server;
use super::table::{Table, Target};
use super::{Scale, say};

/// Words, parts of words, several of them, rare and frequent, short ones, codes, and no hits.
const QUERIES: [&str; 48] = [
    // Words, of which each is in some 1,500 items.
    "bodenfliese",
    "Dachziegel",
    "GIPSKARTONPLATTE",
    "fensterbank",
    "kugelhahn",
    "steckdose",
    // Words in some 3,000 items.
    "beton",
    "kupfer",
    "glas",
    "frostbeständig",
    "hochfest",
    // With and without their accents.
    "dämmplatte",
    "dammplatte",
    "fugenmörtel",
    "fussbodenheizungsrohr",
    "creme",
    "façade",
    "weiß",
    // Parts of words.
    "fliese",
    "rohr",
    "platte",
    "beständig",
    "stein",
    "dämm",
    "schraub",
    // Brands and types, rare.
    "kavaro",
    "tektbau",
    "quarstone",
    "sanodur x-",
    "riva",
    // Two and more words.
    "bodenfliese feinsteinzeug",
    "wandfliese weiß",
    "kupferrohr anthrazit",
    "tür glas lichtgrau",
    "fliese frostbeständig naturrot",
    "dach ton 600x",
    // In every item.
    "aus",
    "mm",
    "x",
    // One and two letters: beginnings of words.
    "b",
    "sp",
    "ho",
    "q",
    // Codes.
    "AX-0",
    "AX-000123",
    "CQ-00",
    "4012300000013",
    // Nothing.
    NOWHERE,
];
const NOWHERE: &str = "zementmischer gibt es nicht";
/// Requests at least.
const LEAST_REQUESTS: usize = 480;

/// Adds the row of the search, measured at once after the load: nothing has been vacuumed or
/// analysed yet.
///
/// # Errors
///
/// When a request fails, or finds what it shouldn't.
pub async fn measure(
    table: &mut Table,
    server: &Server,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let dealer = server.enter(&fleet.take()).await?;
    let file = price_list::file(scale.items_searched, Month::First, Barcodes::Listed);
    let begun = Instant::now();
    let report = dealer.owner.import("", file).await.expect(200);
    ensure!(
        report.json["created"] == scale.items_searched,
        "{}",
        report.text()
    );
    say(format!(
        "{} items with barcodes loaded in {} ms",
        scale.items_searched,
        begun.elapsed().as_millis()
    ));

    let mut all = Sample::default();
    let mut each = vec![Sample::default(); QUERIES.len()];
    for _ in 0..LEAST_REQUESTS.div_ceil(QUERIES.len()) {
        for (query, sample) in QUERIES.iter().zip(&mut each) {
            let wanted = Serializer::new(String::new())
                .append_pair("q", query)
                .append_pair("limit", "20")
                .finish();
            let begun = Instant::now();
            let reply = dealer.owner.get(&format!("/items?{wanted}")).await;
            let took = begun.elapsed();
            let found = reply.expect(200).json["data"]
                .as_array()
                .map_or(0, Vec::len);
            let should_be_found = *query != NOWHERE;
            ensure!(
                (found > 0) == should_be_found,
                "{query:?} found {found} items"
            );
            all.add_ms(took);
            sample.add_ms(took);
        }
    }
    let mut slowest: Vec<_> = QUERIES
        .iter()
        .zip(each.iter().map(Sample::median))
        .collect();
    slowest.sort_by(|a, b| b.1.total_cmp(&a.1));
    let slowest: Vec<_> = slowest
        .iter()
        .take(5)
        .map(|(query, ms)| format!("{query:?} {ms:.1}"))
        .collect();
    say(format!(
        "search: median {:.1} ms, largest {:.1} ms; slowest queries (medians): {}",
        all.median(),
        all.percentile(100),
        slowest.join(", ")
    ));
    let p95 = all.percentile(95);
    table.add(
        "search in 50,000 items, p95",
        "ms",
        p95,
        None,
        Target::Below(50.0),
    );
    Ok(())
}
