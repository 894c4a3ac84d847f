//! Sign-ins at the configured cost of a password, beside somebody else's requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::super::fleet::{Fleet, PASSWORD};
use super::super::sample::Sample;
use super::super::server::{Server, SignedIn};
use super::super::table::{Table, Target};
use super::super::{Scale, is_quick, say};

/// People who sign in at once.
const AT_ONCE: usize = 8;
/// Between two requests of the one who is watched.
const PAUSE: Duration = Duration::from_millis(4);

/// Adds the row: another's p99 while a thousand people sign in, against the same without them.
pub async fn measure(
    table: &mut Table,
    server: &Server,
    fleet: &Fleet,
    scale: Scale,
) -> Result<()> {
    let all = if is_quick() { 50 } else { 1000 };
    let (watched, busy) = (
        server.enter(&fleet.take()).await?,
        server.enter(&fleet.take()).await?,
    );
    let (mut quiet, mut beside) = (Sample::default(), Sample::default());
    // Half of the quiet is measured before and half after: the machine has moods.
    watch(
        &watched,
        &mut quiet,
        Until::Over(Duration::from_secs(scale.round_seconds * 3)),
    )
    .await;
    let (done, over) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let begun = Instant::now();
    let mut people = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (busy, done) = (busy.clone(), done.clone());
        people.spawn(async move {
            let stranger = busy.owner.signed_out();
            let email = format!("owner@{}.example", busy.slug);
            while done.fetch_add(1, Ordering::Relaxed) < all {
                stranger.sign_in(&email, PASSWORD).await.expect(200);
            }
        });
    }
    let ending = over.clone();
    let all_in = tokio::spawn(async move {
        while people.join_next().await.is_some() {}
        ending.store(true, Ordering::Relaxed);
    });
    watch(&watched, &mut beside, Until::Said(&over)).await;
    all_in.await?;
    say(format!(
        "{all} sign-ins took {} s",
        begun.elapsed().as_secs()
    ));
    watch(
        &watched,
        &mut quiet,
        Until::Over(Duration::from_secs(scale.round_seconds * 3)),
    )
    .await;
    table.add(
        "another's p99 beside 1,000 sign-ins",
        "ms",
        beside.percentile(99),
        Some(quiet.percentile(99)),
        Target::RatioBelow(1.5),
    );
    Ok(())
}

enum Until<'a> {
    Over(Duration),
    Said(&'a AtomicBool),
}

async fn watch(who: &SignedIn, times: &mut Sample, until: Until<'_>) {
    let begun = Instant::now();
    loop {
        let is_over = match until {
            Until::Over(length) => begun.elapsed() > length,
            Until::Said(said) => said.load(Ordering::Relaxed),
        };
        if is_over {
            return;
        }
        let asked = Instant::now();
        who.owner.get("/units?limit=1").await.expect(200);
        times.add_ms(asked.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
}
