//! Loading a supplier's list over HTTP, against `COPY` of the same rows into a bare table.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};
use tests::Scratch;
use uuid::Uuid;

use super::big_import::load;
use super::fleet::Fleet;
use super::price_list::{self, Barcodes, Month};
use super::sample::Sample;
use super::server::{Server, SignedIn};
use super::table::{Table, Target};
use super::{Scale, say};

/// The columns of an item but for the one made for searching, with nothing that checks or
/// indexes them.
const BARE_TABLE: &str = "CREATE SCHEMA floor;
    CREATE TABLE floor.item (id uuid, sku text, name text, description text, group_id uuid,
        base_unit text, price_amount numeric(18, 6), price_per numeric(18, 6), price_unit text,
        currency text, status text, custom jsonb, version bigint, created_at timestamptz,
        updated_at timestamptz, retired_at timestamptz)";

/// Adds the rows of the imports.
///
/// # Errors
///
/// When an import fails or writes anything but what has changed.
pub async fn measure(
    table: &mut Table,
    database: &Scratch,
    server: &Server,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let count = scale.rows_of_file;
    let first = price_list::file(count, Month::First, Barcodes::Left);
    let second = price_list::file(count, Month::Second, Barcodes::Left);
    let lines = copy_lines(count);
    let mut connection = database.connect().await;
    connection.execute(BARE_TABLE).await?;

    let (mut floors, mut firsts, mut seconds) = <(Sample, Sample, Sample)>::default();
    let changed = (0..count).filter(|number| number % 26 < 15).count();
    // One round more than is counted, to warm up.
    for round in 0..=scale.rounds {
        let dealer = server.enter(&fleet.take()).await?;
        let floor = copy(&mut connection, &lines).await?;
        let first = import(&dealer, &first, [count, 0, 0]).await?;
        let second = import(&dealer, &second, [0, changed, count - changed]).await?;
        if round > 0 {
            floors.add_ms(floor);
            firsts.add_ms(first);
            seconds.add_ms(second);
        }
        only_changes_written(database, &dealer, changed).await?;
    }
    say(format!(
        "second month: {changed} of {count} rows were written, the others not touched"
    ));
    let (floor, target) = (Some(floors.median()), Target::RatioBelow(15.0));
    table.add("import of 5,200 rows", "ms", firsts.median(), floor, target);
    table.add(
        "import of the second month",
        "ms",
        seconds.median(),
        floor,
        target,
    );
    large(table, database, &mut connection, (server, fleet), scale).await
}

/// A supplier's whole list, end to end: from the first byte that is sent to the moment when it is known
/// to be in the catalogue. Beside it what its rows cost without us: put into a dealer's own table, with
/// what that checks and indexes.
async fn large(
    table: &mut Table,
    database: &Scratch,
    connection: &mut PgConnection,
    (server, fleet): (&Server, &Fleet),
    scale: Scale,
) -> Result<()> {
    let count = scale.rows_of_large_file;
    let file = price_list::file(count, Month::First, Barcodes::Left);
    let lines = copy_lines(count);
    let (mut floors, mut indexed, mut ours) = <(Sample, Sample, Sample)>::default();
    for round in 0..=scale.rounds.min(3) {
        let dealer = server.enter(&fleet.take()).await?;
        let floor = copy(connection, &lines).await?;
        let schema = database.schema_of(&fleet.take()).await;
        let within = insert(connection, &schema, count).await?;
        let took = load(&dealer, file.clone(), count).await?;
        if round > 0 {
            floors.add_ms(floor);
            indexed.add_ms(within);
            ours.add_ms(took);
        }
    }
    let (floor, target) = (Some(floors.median()), Target::RatioBelow(12.0));
    table.add(
        "import of 100,000 rows, end to end",
        "ms",
        ours.median(),
        floor,
        target,
    );
    table.add(
        "the same against INSERT into the same table",
        "ms",
        ours.median(),
        Some(indexed.median()),
        Target::RatioBelow(1.5),
    );
    Ok(())
}

/// What was copied put into a dealer's items by one statement.
async fn insert(connection: &mut PgConnection, schema: &str, count: usize) -> Result<Duration> {
    let units = format!(
        "INSERT INTO {schema}.unit (code, name, symbol, decimals)
         SELECT DISTINCT base_unit, base_unit, base_unit, 0 FROM floor.item ON CONFLICT DO NOTHING"
    );
    connection.execute(AssertSqlSafe(units)).await?;
    let columns = "id, sku, name, description, base_unit, price_amount, price_per, price_unit,
        currency, status, custom, version, created_at, updated_at";
    let items = format!(
        "INSERT INTO {schema}.item ({columns}) SELECT {columns} FROM floor.item ORDER BY id"
    );
    let begun = Instant::now();
    let done = connection.execute(AssertSqlSafe(items)).await?;
    let took = begun.elapsed();
    ensure!(usize::try_from(done.rows_affected())? == count, "{done:?}");
    Ok(took)
}

/// Adds the row of the server's memory, after all it has done.
///
/// # Errors
///
/// Where memory can't be read.
pub fn memory(table: &mut Table, server: &Server) -> Result<()> {
    let peak = server.peak_memory_mb()?;
    table.add(
        "peak memory of the server",
        "MB",
        peak,
        None,
        Target::Below(200.0),
    );
    Ok(())
}

/// Sends a file; it must create, update and leave as many items as expected.
async fn import(dealer: &SignedIn, file: &str, expected: [usize; 3]) -> Result<Duration> {
    let file = file.to_owned();
    let begun = Instant::now();
    let reply = dealer.owner.import("", file).await;
    let took = begun.elapsed();
    let report = reply.expect(200).json;
    let counts = ["created", "updated", "unchanged"].map(|name| report[name].clone());
    ensure!(
        counts == expected.map(Value::from) && report["rejected"] == json!(0),
        "expected {expected:?}, but: {report}"
    );
    Ok(took)
}

/// Looks from outside: a row that was not touched is still in its first version.
async fn only_changes_written(database: &Scratch, dealer: &SignedIn, changed: usize) -> Result<()> {
    let schema = database.schema_of(&dealer.slug).await;
    let count = format!("SELECT count(*) FROM {schema}.item WHERE version > 1");
    let written: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .fetch_one(&mut database.connect().await)
        .await?;
    ensure!(
        usize::try_from(written)? == changed,
        "{written} rows were written"
    );
    Ok(())
}

async fn copy(connection: &mut PgConnection, lines: &str) -> Result<Duration> {
    connection.execute("TRUNCATE floor.item").await?;
    let begun = Instant::now();
    let mut target = connection.copy_in_raw("COPY floor.item FROM STDIN").await?;
    target.send(lines.as_bytes()).await?;
    target.finish().await?;
    Ok(begun.elapsed())
}

/// The rows that the first month makes, in `COPY`'s own text format.
fn copy_lines(count: usize) -> String {
    let mut lines = String::new();
    for row in price_list::rows(count, Month::First) {
        let _ = writeln!(
            lines,
            "{}\t{}\t{}\t\t\\N\t{unit}\t{}.{:02}\t1\t{unit}\tEUR\tactive\t{{}}\t1\t\
             2026-11-21 12:00:00+00\t2026-11-21 12:00:00+00\t\\N",
            Uuid::now_v7(),
            row.sku,
            row.name,
            row.price_minor / 100,
            row.price_minor % 100,
            unit = row.unit.to_lowercase(),
        );
    }
    lines
}
