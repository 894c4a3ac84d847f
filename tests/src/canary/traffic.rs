//! The mixed traffic: actors who ask until enough has been asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::dice::Dice;
use super::errand::Errand;
use super::flock::{Canary, Flock};
use super::marker;
use super::report::{Ledger, Report};
use super::target::Target;
use crate::harness::Reply;

/// A request that is not broken off has this long; nothing may hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is asked, and how.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What all requests follow from.
    pub seed: u64,
    /// How many requests.
    pub requests: u64,
    /// How many at once.
    pub actors: usize,
    /// How many of a hundred are given up by their client within some milliseconds.
    pub broken_off_percent: u64,
    /// When it ends, whether all has been asked or not.
    pub time_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            requests: 1000,
            actors: 6,
            broken_off_percent: 15,
            time_limit: Duration::from_secs(120),
        }
    }
}

struct Traffic {
    flock: Arc<Flock>,
    servers: Vec<Target>,
    options: Options,
    ledger: Ledger,
    asked: AtomicU64,
    until: Instant,
}

/// Sends the traffic and says what came of it. The seed is printed first: it is what one needs
/// when the rest goes wrong.
pub async fn run(flock: &Arc<Flock>, servers: &[Target], options: Options) -> Report {
    println!("canaries: seed {}", options.seed);
    let traffic = Arc::new(Traffic {
        flock: flock.clone(),
        servers: servers.to_vec(),
        options,
        ledger: Ledger::of(options.seed),
        asked: AtomicU64::new(0),
        until: Instant::now() + options.time_limit,
    });
    let mut actors = JoinSet::new();
    for _ in 0..options.actors {
        let traffic = traffic.clone();
        actors.spawn(async move { traffic.work().await });
    }
    while let Some(ended) = actors.join_next().await {
        if let Err(error) = ended {
            let note = format!("an actor failed: {error}");
            traffic.ledger.write(|report| report.find(note));
        }
    }
    traffic.ledger.read()
}

impl Traffic {
    async fn work(&self) {
        while Instant::now() < self.until {
            let number = self.asked.fetch_add(1, Ordering::Relaxed);
            if number >= self.options.requests {
                return;
            }
            self.ask(number).await;
        }
    }

    async fn ask(&self, number: u64) {
        let mut dice = Dice::of(self.options.seed, number);
        let server = &self.servers[dice.index(self.servers.len())];
        let ours = &self.flock.canaries[dice.index(self.flock.canaries.len())];
        let is_broken_off = dice.percent(self.options.broken_off_percent);
        let patience = match is_broken_off {
            true => Duration::from_millis(dice.below(12)),
            false => PATIENCE,
        };
        let errand = Errand::next(&mut dice, &self.flock, ours, server);
        let (name, expected, shows) = (errand.name, errand.expected, errand.shows_marker);
        let what = format!("request {number} ({name}) of {}", ours.slug);
        let (server_look, dealer_look) = (server.quiet.look(), ours.quiet.look());

        let sent = async { read(errand.request.send().await?).await };
        let reply = match tokio::time::timeout(patience, sent).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) if !server.quiet.reigned_since(server_look) => {
                self.ledger.write(|report| report.unreachable += 1);
                return tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(Err(error)) => {
                let note = format!("{what} had no answer: {error:?}");
                return self.ledger.write(|report| report.find(note));
            }
            Err(_) if is_broken_off => {
                return self.ledger.write(|report| report.broken_off += 1);
            }
            Err(_) => {
                let note = format!("{what} hung for {PATIENCE:?}");
                return self.ledger.write(|report| report.find(note));
            }
        };
        let is_shut = !ours.quiet.reigned_since(dealer_look);
        let verdict = judge(&reply, ours, expected, shows, is_shut);
        self.ledger.write(|report| match verdict {
            Verdict::Answered => report.answered += 1,
            Verdict::RefusedForNow => report.refused_for_now += 1,
            Verdict::ShutOut => report.shut_out += 1,
            Verdict::Breach(why) => report.find(format!("{what}: {why}")),
        });
    }
}

enum Verdict {
    Answered,
    RefusedForNow,
    ShutOut,
    Breach(String),
}

async fn read(response: reqwest::Response) -> Result<Reply, reqwest::Error> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await?.to_vec();
    let json = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Reply {
        status,
        headers,
        body,
        json,
    })
}

fn judge(reply: &Reply, ours: &Canary, expected: &[u16], shows: bool, is_shut: bool) -> Verdict {
    let seen = format!("{} {:?} {}", reply.status, reply.headers, reply.text());
    if let Some(foreign) = marker::foreign(&seen, Some(&ours.marker)) {
        return Verdict::Breach(format!("{} saw {foreign}: {seen}", ours.marker));
    }
    let status = reply.status.as_u16();
    if status == 503 {
        let seconds = reply.header("retry-after").parse::<u64>();
        let is_documented = seconds.is_ok_and(|it| (1..=60).contains(&it))
            && ["unavailable", "request_timed_out"].contains(&reply.problem());
        return if is_documented {
            Verdict::RefusedForNow
        } else {
            Verdict::Breach(format!("an undocumented 503: {seen}"))
        };
    }
    if is_shut && reply.problem() == "tenant_suspended" {
        return Verdict::ShutOut;
    }
    if !expected.contains(&status) {
        return Verdict::Breach(format!("expected {expected:?}: {seen}"));
    }
    if shows && status == 200 && !seen.contains(&ours.marker) {
        return Verdict::Breach(format!("its own {} is missing: {seen}", ours.marker));
    }
    Verdict::Answered
}
