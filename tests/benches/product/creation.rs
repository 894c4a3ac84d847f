//! Making a dealer: from nothing, against its bare DDL in one message; from a spare; and what a
//! dealer that is being used notices of spares being made.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use provisioner::password::{self, Cost};
use provisioner::{Provisioner, SpareMove};
use sqlx::{AssertSqlSafe, PgConnection};
use tests::Scratch;
use tokio::sync::oneshot;
use uuid::Uuid;

use server::platform::Dealers;

use super::fleet::{Fleet, PASSWORD, called, provisioner};
use super::sample::Sample;
use super::server::{Server, SignedIn};
use super::table::{Table, Target};
use super::{Scale, say};

/// Dealers made from nothing, of ours and of the floor, for each round of the bench.
const PER_ROUND: usize = 8;
/// The one who is being used thinks between two requests.
const PAUSE: Duration = Duration::from_millis(2);

/// Adds the rows of creation.
///
/// # Errors
///
/// When a dealer or a spare can't be made, or a request fails.
pub async fn measure(
    table: &mut Table,
    database: &Scratch,
    server: &Server,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let provisioner = provisioner(database).await?;
    let hash = password::hash(&PASSWORD.into(), Cost::default())?;
    let mut connection = database.connect().await;
    let record = record(&mut connection, &provisioner, &hash).await?;
    say(format!(
        "a dealer's DDL is {} messages, {} bytes",
        record.messages,
        record.ddl.len()
    ));

    let (mut ours, mut floor) = <(Sample, Sample)>::default();
    for number in 0..scale.rounds * PER_ROUND {
        let new = called(&format!("made-{number}"), &hash)?;
        let begun = Instant::now();
        let created = provisioner.create(new).await?;
        ours.add_ms(begun.elapsed());
        ensure!(!created.from_spare, "a spare was left from somewhere");
        floor.add_ms(bare(&mut connection, &record).await?);
    }
    table.add(
        "create a dealer without a spare",
        "ms",
        ours.median(),
        Some(floor.median()),
        Target::RatioBelow(1.5),
    );

    for _ in 0..scale.from_spares {
        provisioner.prepare_spare(None).await?;
    }
    say(format!("{} spares made", scale.from_spares));
    let mut times = Sample::default();
    for number in 0..scale.from_spares {
        let new = called(&format!("quick-{number}"), &hash)?;
        let begun = Instant::now();
        let created = provisioner.create(new).await?;
        times.add_ms(begun.elapsed());
        ensure!(created.from_spare, "a spare was not taken");
    }
    for (name, percent, bound) in [
        ("create from a spare, p50", 50, 5.0),
        ("create from a spare, p99", 99, 20.0),
    ] {
        let took = times.percentile(percent);
        table.add(name, "ms", took, None, Target::Below(bound));
    }
    neighbour(
        table,
        &provisioner,
        &server.enter(&fleet.take()).await?,
        scale,
    )
    .await
}

/// What is sent to make a dealer's schema.
struct Record {
    /// With this where the schema's name belongs.
    placeholder: String,
    ddl: String,
    messages: usize,
    lane: String,
}

/// Writes down all DDL of one creation. A trigger on the events sees each message that holds any;
/// what concerns roles alone it doesn't see, and that is one grant.
async fn record(
    connection: &mut PgConnection,
    provisioner: &Provisioner<Dealers>,
    hash: &str,
) -> Result<Record> {
    run(
        connection,
        "CREATE TABLE public.bench_ddl (
             id bigint GENERATED ALWAYS AS IDENTITY, message text, tag text);
         CREATE FUNCTION public.bench_ddl() RETURNS event_trigger
             LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
             AS $body$ BEGIN
                 INSERT INTO public.bench_ddl (message, tag) VALUES (current_query(), tg_tag);
             END $body$;
         CREATE EVENT TRIGGER bench_ddl ON ddl_command_start
             EXECUTE FUNCTION public.bench_ddl();",
    )
    .await?;
    let created = provisioner.create(called("recorded", hash)?).await?.tenant;
    run(connection, "DROP EVENT TRIGGER bench_ddl").await?;
    // A message of many statements is told once for each.
    let messages: Vec<String> = sqlx::query_scalar(
        "SELECT message FROM (
             SELECT id, message, lag(message) OVER (ORDER BY id) AS before
             FROM public.bench_ddl WHERE tag NOT LIKE 'DROP EVENT%') told
         WHERE message IS DISTINCT FROM before ORDER BY id",
    )
    .fetch_all(&mut *connection)
    .await?;
    run(
        connection,
        "DROP TABLE public.bench_ddl; DROP FUNCTION public.bench_ddl()",
    )
    .await?;
    let (first, others) = messages.split_first().context("no DDL was recorded")?;
    ensure!(
        first.contains("CREATE ROLE") && others.len() > 2,
        "these are no dealer's: {messages:#?}"
    );
    let schema = &created.schema_name;
    let mut ddl = format!("{first};\nSET LOCAL search_path = {schema}, shared, pg_temp;\n");
    for message in others {
        ddl.push_str(message);
        ddl.push_str(";\n");
    }
    Ok(Record {
        placeholder: created.schema_name,
        ddl,
        messages: messages.len(),
        lane: created.lane,
    })
}

/// Makes a schema of the same tables, and nothing that says whose it is.
async fn bare(connection: &mut PgConnection, record: &Record) -> Result<Duration> {
    let schema = format!("t_{}", &Uuid::new_v4().simple().to_string()[..16]);
    let ddl = record.ddl.replace(&record.placeholder, &schema);
    let message = format!("BEGIN;\n{ddl}GRANT {schema} TO {};\nCOMMIT", record.lane);
    let begun = Instant::now();
    run(connection, &message).await?;
    Ok(begun.elapsed())
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}

/// Compares a dealer's slowest requests with and without a keeper at work.
async fn neighbour(
    table: &mut Table,
    provisioner: &Provisioner<Dealers>,
    dealer: &SignedIn,
    scale: Scale,
) -> Result<()> {
    let round = Duration::from_secs(scale.round_seconds);
    p99(dealer, round / 4).await?;
    // More than can be made meanwhile.
    provisioner.set_spare_goal(None, 1000).await?;
    let (mut without, mut with, mut made) = (Sample::default(), Sample::default(), 0);
    for _ in 0..scale.rounds {
        without.add_ms(p99(dealer, round).await?);
        let (stop, stopped) = oneshot::channel::<()>();
        let keeper = tokio::spawn({
            let provisioner = provisioner.clone();
            async move {
                let mut moves: Vec<SpareMove> = vec![];
                let stop = async move {
                    // Whoever lets go of it wants the end too.
                    let _ = stopped.await;
                };
                let tell = |moved| moves.push(moved);
                provisioner.fill_spares(None, stop, tell).await?;
                anyhow::Ok(moves.len())
            }
        });
        with.add_ms(p99(dealer, round).await?);
        drop(stop);
        made += keeper.await??;
    }
    say(format!("{made} spares were made meanwhile"));
    ensure!(made > 0, "no spare was made while one was looking");
    table.add(
        "p99 of a dealer while spares are made",
        "ms",
        with.median(),
        Some(without.median()),
        Target::RatioBelow(1.2),
    );
    Ok(())
}

/// The slowest but one in a hundred of a dealer's requests.
///
/// # Errors
///
/// Never yet.
pub async fn p99(dealer: &SignedIn, length: Duration) -> Result<Duration> {
    let mut times = Sample::default();
    let begun = Instant::now();
    while begun.elapsed() < length {
        let asked = Instant::now();
        dealer.owner.get("/items?limit=20").await.expect(200);
        times.add_ms(asked.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(Duration::from_secs_f64(times.percentile(99) / 1000.0))
}
