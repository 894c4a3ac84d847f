//! Clients that stop reading: what is sent to them waits nowhere, and they keep no place.

use std::time::Duration;

use tests::{EventStream, Scratch, ServerProcess, TestApp, eventually, within};
use tokio::io::AsyncReadExt;

use super::raw::{self, UPGRADE};
use super::slowness::tell_many;
use super::{log_after, new_unit, owner_at};

/// Clients of each kind that don't read.
const STALLED: usize = 10;
/// Events of 5 kB: 20 MB for each of them.
const ROUNDS: i64 = 20;
const EACH: i64 = 200;
/// Far less than all of it for all of them, or for half of them.
const MOST_GROWTH: u64 = 96 << 20;
const STREAM: &[(&str, &[u8])] = &[("accept", b"text/event-stream")];

/// The number that a series has; nothing before it is told.
async fn number(server: &ServerProcess, series: &str) -> Option<u64> {
    let told = server.metrics().await?;
    let mut lines = told.lines();
    let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    value.parse().ok()
}

async fn open(server: &ServerProcess) -> [u64; 2] {
    let mut open = [0; 2];
    for (open, kind) in open.iter_mut().zip(["sse", "ws"]) {
        let series = format!("tubex_live_streams{{kind=\"{kind}\"}}");
        *open = number(server, &series).await.unwrap();
    }
    open
}

#[actix_web::test]
async fn clients_that_stop_reading_cost_no_memory_and_keep_no_place() {
    let database = Scratch::with_dealers().await;
    let keys = [
        ("TUBEX_LIVE__HEARTBEAT_SECONDS", "2"),
        ("TUBEX_LIVE__STALLED_SECONDS", "1"),
        ("TUBEX_LIVE__STREAMS_PER_FOLLOWER", "100"),
    ];
    let server = ServerProcess::start(&database, &keys, "").await;
    let owner = owner_at(&server).await;
    new_unit(&owner, "first").await;
    let mut reader = EventStream::open(&owner, "/events", None).await;
    let begin: i64 = reader.last_id.parse().unwrap();
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        stalled.push(raw::ask(&owner, "/events", STREAM).await);
        stalled.push(raw::ask(&owner, "/ws", UPGRADE).await);
    }
    eventually("all are open", async || open(&server).await == [11, 10]).await;
    let memory = "tubex_process_resident_memory_bytes";
    let before = number(&server, memory).await.unwrap();

    let schema = database.schema_of("acme").await;
    let mut heard = 0;
    for _ in 0..ROUNDS {
        tell_many(&database, &schema, EACH).await;
        let all = log_after(&database, "acme", begin).await;
        let last = all.last().unwrap().to_string();
        let told = reader.until(|heard| heard.id == last).await;
        heard += told.iter().filter(|it| it.event.contains('.')).count();
    }

    let after = number(&server, memory).await.unwrap();
    assert!(after < before + MOST_GROWTH, "from {before} to {after}");
    within(Duration::from_secs(10), "they are given up", async || {
        open(&server).await == [1, 0]
    })
    .await;
    for kind in ["sse", "ws"] {
        let series =
            format!("tubex_live_streams_ended_total{{kind=\"{kind}\",reason=\"too_slow\"}}");
        assert_eq!(number(&server, &series).await, Some(10), "{kind}");
    }
    assert_eq!(i64::try_from(heard).unwrap(), ROUNDS * EACH);
    drop(stalled);
}

/// Whatever it is that they don't read.
#[cfg(target_os = "linux")]
#[actix_web::test]
async fn a_connection_that_nobody_reads_from_is_closed() {
    let keys = [
        ("TUBEX_HTTP__UNREAD_SECONDS", "1"),
        ("TUBEX_LIVE__STALLED_SECONDS", "600"),
    ];
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;
    new_unit(&acme, "first").await;
    let schema = app.database.schema_of("acme").await;
    let mut stalled = raw::ask(&acme, "/events", STREAM).await;
    eventually("it is open", async || app.state.live.streams() == 1).await;

    // As much as may lie in the system's own buffers, and more.
    for _ in 0..10 {
        tell_many(&app.database, &schema, 400).await;
    }

    within(Duration::from_secs(15), "its place is free", async || {
        app.state.live.streams() == 0
    })
    .await;
    let mut unread = Vec::new();
    // With an error or without: it ends.
    let _ = stalled.read_to_end(&mut unread).await;
    assert!(unread.len() < 4 << 20, "{} bytes", unread.len());
}
