//! What is done to disturb the traffic from outside, one thing after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::sync::watch;

use super::dice::Dice;
use super::flock::{Canary, Flock};
use super::report::Report;
use super::target::Target;
use crate::harness::{Scratch, ServerProcess, eventually, tubex};
use crate::local::postgres::{Postgres, Stopping};

/// How long a change of a dealer's state may take to be known everywhere, twice over.
const KNOWN: Duration = Duration::from_secs(2);
/// How long rows are held: longer than the servers let a statement wait.
const HELD: Duration = Duration::from_millis(600);

/// No disturbance takes as long as this: something waits that should not.
const HUNG: Duration = Duration::from_secs(90);

/// One way to disturb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disturbance {
    /// A server is killed and started again.
    ServerKilled,
    /// A server is asked to end, and started again.
    ServerAsked,
    /// Postgres ends all sessions and is started again.
    PostgresFast,
    /// Postgres ends as if it had crashed, and recovers.
    PostgresCrash,
    /// A dealer is moved to another lane.
    LaneMove,
    /// A dealer is suspended for a moment.
    Suspension,
    /// A dealer's rows are locked for longer than a statement may wait.
    RowsHeld,
}

impl Disturbance {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::RowsHeld,
        Self::Suspension,
        Self::ServerKilled,
        Self::LaneMove,
        Self::PostgresFast,
        Self::ServerAsked,
        Self::PostgresCrash,
    ];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServerKilled => "server killed",
            Self::ServerAsked => "server stopped",
            Self::PostgresFast => "Postgres stopped",
            Self::PostgresCrash => "Postgres crashed",
            Self::LaneMove => "lane move",
            Self::Suspension => "suspension",
            Self::RowsHeld => "rows held",
        }
    }
}

/// Holds what can be disturbed.
#[derive(Debug)]
pub struct Disturber {
    /// The database that all share.
    pub database: Arc<Scratch>,
    /// Its cluster, if it is ours to stop.
    pub postgres: Option<Postgres>,
    /// The servers, each with the target that stands for it in the traffic.
    pub servers: Vec<(Target, ServerProcess)>,
    /// The dealers.
    pub flock: Arc<Flock>,
    done: BTreeMap<Disturbance, u64>,
    findings: Vec<String>,
    dice: Dice,
}

impl Disturber {
    /// Nothing has been disturbed yet.
    pub fn new(
        database: Arc<Scratch>,
        postgres: Option<Postgres>,
        servers: Vec<(Target, ServerProcess)>,
        flock: Arc<Flock>,
        seed: u64,
    ) -> Self {
        Self {
            database,
            postgres,
            servers,
            flock,
            done: BTreeMap::new(),
            findings: Vec::new(),
            dice: Dice::of(seed, u64::MAX),
        }
    }

    /// Disturbs in turn, with a pause before each, until told that the traffic has ended. What was
    /// begun is put in order again first.
    pub async fn disturb_in_turn(
        &mut self,
        ways: &[Disturbance],
        pause: Duration,
        mut has_ended: watch::Receiver<bool>,
    ) {
        for way in ways.iter().cycle() {
            let ended = has_ended.wait_for(|has_ended| *has_ended);
            if tokio::time::timeout(pause, ended).await.is_ok() {
                return;
            }
            let disturbing = tokio::time::timeout(HUNG, self.disturb(*way)).await;
            if disturbing.is_err() {
                let finding = format!("{} took longer than {HUNG:?}", way.name());
                return self.findings.push(finding);
            }
        }
    }

    /// Disturbs once, and returns when all serves again.
    ///
    /// # Panics
    ///
    /// When it can't be done, or what was stopped doesn't come back.
    pub async fn disturb(&mut self, way: Disturbance) {
        match way {
            Disturbance::ServerKilled => self.stop_server(false).await,
            Disturbance::ServerAsked => self.stop_server(true).await,
            Disturbance::PostgresFast => self.stop_postgres(Stopping::Fast).await,
            Disturbance::PostgresCrash => self.stop_postgres(Stopping::Immediate).await,
            Disturbance::LaneMove => self.move_lane().await,
            Disturbance::Suspension => self.suspend().await,
            Disturbance::RowsHeld => self.hold_rows().await,
        }
        *self.done.entry(way).or_default() += 1;
    }

    /// Adds what was done, what the servers said and what their metrics tell to a report.
    pub async fn report(&mut self, report: &mut Report) {
        report.disturbances = self
            .done
            .iter()
            .map(|(way, times)| (way.name().to_owned(), *times))
            .collect();
        for finding in self.findings.drain(..) {
            report.find(finding);
        }
        for (_, server) in &self.servers {
            server.look_for_breaches(report).await;
        }
    }

    async fn stop_server(&mut self, is_asked: bool) {
        let number = self.dice.index(self.servers.len());
        let (target, server) = &mut self.servers[number];
        target.quiet.disturb();
        if is_asked {
            let status = server.terminate().await;
            if !status.success() {
                let last = server.last_lines().pop().unwrap_or_default();
                let finding = format!("a server that was asked to end said {status}: {last}");
                self.findings.push(finding);
            }
        } else {
            server.kill();
        }
        server.start_again().await;
        target.quiet.settle();
    }

    async fn stop_postgres(&mut self, stopping: Stopping) {
        let Some(mut postgres) = self.postgres.take() else {
            return;
        };
        let restarting = tokio::task::spawn_blocking(move || {
            postgres.restart(stopping).expect("Postgres starts again");
            postgres
        });
        self.postgres = Some(restarting.await.expect("the thread ends"));
        for (_, server) in &self.servers {
            let anybody = server.stranger("localhost");
            eventually("the server is ready again", async || {
                anybody.get("/readyz").await.status == 200
            })
            .await;
        }
    }

    async fn move_lane(&mut self) {
        let slug = self.any_canary().slug.clone();
        let (url, words) = (self.database.owner_url(), slug.clone());
        let moving =
            tokio::task::spawn_blocking(move || tubex(&url, &["lane", "move", &words], &[]));
        let output = moving.await.expect("the thread ends");
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            self.findings
                .push(format!("{slug} could not be moved: {said}"));
        }
    }

    async fn suspend(&mut self) {
        let canary = self.any_canary().clone();
        canary.quiet.disturb();
        self.set_status(&canary.slug, "suspended").await;
        tokio::time::sleep(KNOWN).await;
        self.set_status(&canary.slug, "active").await;
        tokio::time::sleep(KNOWN).await;
        canary.quiet.settle();
    }

    async fn set_status(&self, slug: &str, status: &str) {
        sqlx::query("UPDATE platform.tenant SET status = $1 WHERE slug = $2")
            .bind(status)
            .bind(slug)
            .execute(&mut self.database.connect().await)
            .await
            .expect("the directory can be changed");
    }

    async fn hold_rows(&mut self) {
        let slug = self.any_canary().slug.clone();
        let schema = self.database.schema_of(&slug).await;
        let mut home = self.database.connect_to_home_of(&slug).await;
        let hold = format!("BEGIN; SELECT 1 FROM {schema}.item FOR UPDATE");
        home.execute(AssertSqlSafe(hold))
            .await
            .expect("the rows can be locked");
        tokio::time::sleep(HELD).await;
        home.close().await.expect("it ends the transaction");
    }

    fn any_canary(&mut self) -> &Canary {
        let number = self.dice.index(self.flock.canaries.len());
        &self.flock.canaries[number]
    }
}
