//! Events: how soon a change is heard of at another process, and what a stream costs that nothing
//! comes through.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use reqwest::StatusCode;
use serde_json::json;
use tests::{EventStream, Scratch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fleet::Fleet;
use super::sample::Sample;
use super::server::{Server, SignedIn};
use super::table::{Table, Target};
use super::{Scale, say};

/// Changes that are listened for.
const CHANGES: usize = 300;
/// Streams that lie idle; each costs a file here and one there.
const STREAMS: usize = 5_000;
/// Those of one dealer.
const OF_ONE: usize = 500;

/// Adds the rows of streams.
///
/// # Errors
///
/// When a server doesn't do as it is told.
pub async fn measure(
    table: &mut Table,
    database: &Scratch,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let (here, there) = (
        Server::start(database).await?,
        Server::start(database).await?,
    );
    latency(table, (&here, &there), fleet, scale).await?;
    memory(table, &there, scale).await
}

/// From the moment a change is asked for at one process to the moment another has told of it: more
/// than from its commit.
async fn latency(
    table: &mut Table,
    (here, there): (&Server, &Server),
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let slug = fleet.take();
    let (writer, reader) = (here.enter(&slug).await?, there.enter(&slug).await?);
    let mut stream = EventStream::open(&reader.owner, "/events?topics=items", None).await;
    let mut times = Sample::default();
    for n in 0..CHANGES.min(scale.visited * 5) {
        let code = format!("b{n}");
        let unit = json!({"code": code, "name": code, "symbol": "b", "decimals": 0});
        let asked = Instant::now();
        let (reply, heard) = tokio::join!(writer.owner.post("/units", unit), stream.next());
        let took = asked.elapsed();
        let heard = heard.context("the stream goes on")?;
        if reply.status != StatusCode::CREATED || heard.data["data"]["id"] != code.as_str() {
            bail!("{code}: {} and {heard:?}", reply.text());
        }
        times.add_ms(took);
    }
    table.add(
        "a change is heard at another process, p99",
        "ms",
        times.percentile(99),
        None,
        Target::Below(100.0),
    );
    Ok(())
}

async fn memory(table: &mut Table, server: &Server, scale: Scale) -> Result<()> {
    let streams = STREAMS.min(scale.visited * 25);
    let dealers = streams.div_ceil(OF_ONE);
    let mut followers = Vec::new();
    for number in 0..dealers {
        followers.push(server.enter(&Fleet::slug(number)).await?);
    }
    // What the first of each kind costs is no stream's own.
    let mut open = Vec::new();
    for follower in &followers {
        open.push(idle(server, follower).await?);
    }
    let before = server.memory_mb()?;
    for number in 0..streams {
        open.push(idle(server, &followers[number % dealers]).await?);
    }
    let after = server.memory_mb()?;
    say(format!(
        "{} streams are open, {before:.0} MB before, {after:.0} MB with them",
        open.len()
    ));
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    let each = (after - before) * 1000.0 / streams as f64;
    table.add(
        "memory of an idle stream",
        "kB",
        each,
        None,
        Target::Below(40.0),
    );
    Ok(())
}

/// A stream that has begun, and no more of a client than its socket.
async fn idle(server: &Server, who: &SignedIn) -> Result<TcpStream> {
    let address = server.base.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address)
        .await
        .context("files may be too few: see `ulimit -n`")?;
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
         accept: text/event-stream\r\n\r\n",
        who.host, who.token
    );
    socket.write_all(request.as_bytes()).await?;
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    while !heard.windows(12).any(|part| part == b"event: ready") {
        let length = socket.read(&mut buffer).await?;
        if length == 0 {
            bail!("no stream: {}", String::from_utf8_lossy(&heard));
        }
        heard.extend_from_slice(&buffer[..length]);
    }
    Ok(socket)
}
