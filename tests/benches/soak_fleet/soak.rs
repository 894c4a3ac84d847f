//! The soak itself: errands, each cut somewhere, beside locks, twins and databases that go away.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tests::OlderDealers;
use tests::canary::Dice;
use tests::local::postgres::Stopping;

use super::errands::{DECK, Errand, Errands, SOURCE, Verb, head};
use super::ground::Ground;
use super::killer::{End, HUNG, Lives, Running};

/// How often of a hundred something happens beside an errand.
const RESTART: u64 = 6;
const LOCK: u64 = 25;
const TWIN: u64 = 30;
const OWED: u64 = 45;

/// What is soaked, and what has been done to it.
pub struct Soak {
    pub(super) ground: Ground,
    pub(super) findings: Vec<String>,
    pub(super) owed: Vec<Errand>,
    pub(super) tally: BTreeMap<String, u64>,
    kills: BTreeMap<Verb, u64>,
    dice: Dice,
    errands: Errands,
    lives: Lives,
}

impl Soak {
    /// Makes the ground, and a dealer to make copies of.
    ///
    /// # Errors
    ///
    /// When it can't be made.
    pub async fn begin(seed: u64) -> Result<Self> {
        let ground = Ground::prepare().await?;
        let dealers = head(&ground).await?;
        OlderDealers::create_at(&dealers, SOURCE, None, &["demo"]).await?;
        let folder = ground.exports().join(SOURCE);
        dealers.export(SOURCE, &folder, "soak").await?;
        Ok(Self {
            ground,
            findings: Vec::new(),
            owed: Vec::new(),
            tally: BTreeMap::new(),
            kills: BTreeMap::new(),
            dice: Dice::of(seed, 0),
            errands: Errands::default(),
            lives: Lives::default(),
        })
    }

    /// How many were killed.
    pub fn killed(&self) -> u64 {
        self.kills.values().sum()
    }

    /// What was done, for people.
    pub fn account(&self) -> String {
        let kills = self
            .kills
            .iter()
            .map(|(verb, times)| format!("{verb:?} {times}"));
        let kills: Vec<_> = kills.collect();
        let others = self
            .tally
            .iter()
            .map(|(what, times)| format!("{what} {times}"));
        let others: Vec<_> = others.collect();
        format!(
            "killed {}: {}; beside that {}",
            self.killed(),
            kills.join(", "),
            others.join(", ")
        )
    }

    /// Sends errands until so many were killed.
    ///
    /// # Errors
    ///
    /// When the ground gives way: a cluster does not start, or nobody can be killed.
    pub async fn kill_until(&mut self, kills: u64) -> Result<()> {
        let mut platform = None;
        for round in 0.. {
            if self.killed() >= kills {
                break;
            }
            ensure!(
                round < 20 * kills.max(5),
                "nobody can be killed in the middle"
            );
            self.round(&mut platform).await?;
        }
        Ok(())
    }

    async fn round(&mut self, platform: &mut Option<PgConnection>) -> Result<()> {
        let errand = match self.owed.is_empty() || !self.dice.percent(OWED) {
            true => {
                let verb = self.draw();
                let errands = &mut self.errands;
                errands.next(verb, &self.ground, &mut self.dice).await?
            }
            false => self.owed.swap_remove(self.dice.index(self.owed.len())),
        };
        let lock = match self.dice.percent(LOCK) {
            true => Some(self.lock_somebody().await?),
            false => None,
        };
        if platform.is_none() {
            *platform = Some(self.ground.own().connect().await?);
        }
        let url = self.ground.own().url.clone();
        let mut first = Running::start(&url, &errand)?;
        let twin = match self.dice.percent(TWIN) {
            true => Some(Running::start(&url, &errand)?),
            false => None,
        };
        first.is_at_work(platform).await?;
        if self.dice.percent(RESTART) {
            self.restart().await?;
            *platform = None;
        }
        let patience = self.lives.moment(errand.verb, &mut self.dice);
        let end = first
            .kill_after(patience, errand.verb, &mut self.lives)
            .await?;
        let mut is_done = end.is_success();
        self.judge(&errand, &end);
        if let Some(twin) = twin {
            self.count("twins");
            // A keeper stays until it is killed.
            let end = match errand.verb == Verb::Keeper || self.dice.percent(50) {
                true => {
                    let patience = self.lives.moment(errand.verb, &mut self.dice);
                    let lives = &mut self.lives;
                    twin.kill_after(patience, errand.verb, lives).await?
                }
                false => twin.until_it_ends().await?,
            };
            is_done |= end.is_success();
            self.judge(&errand, &end);
        }
        if let Some(lock) = lock {
            lock.await?;
        }
        if errand.is_owed() && !is_done {
            self.owed.push(errand);
        }
        Ok(())
    }

    /// One of two kinds: the one that was killed less often.
    fn draw(&mut self) -> Verb {
        let killed = |verb| self.kills.get(verb).copied().unwrap_or(0);
        let (one, other) = (
            &DECK[self.dice.index(DECK.len())],
            &DECK[self.dice.index(DECK.len())],
        );
        if killed(one) <= killed(other) {
            *one
        } else {
            *other
        }
    }

    /// What is never right, whatever was disturbed.
    pub(super) fn judge(&mut self, errand: &Errand, end: &End) {
        let words = errand.words.join(" ");
        if end.status.is_none() {
            let finding = format!("tubex {words} did not end within {HUNG:?}");
            self.findings.push(finding);
        }
        if end.said.contains("panicked at") {
            self.findings.push(format!("tubex {words}: {}", end.said));
        }
        if end.was_killed() {
            *self.kills.entry(errand.verb).or_default() += 1;
        }
    }

    pub(super) fn count(&mut self, what: &str) {
        *self.tally.entry(what.to_owned()).or_default() += 1;
    }

    async fn restart(&mut self) -> Result<()> {
        let node = self.dice.index(self.ground.nodes.len());
        let (stopping, what) = match self.dice.percent(50) {
            true => (Stopping::Fast, "databases restarted"),
            false => (Stopping::Immediate, "databases crashed"),
        };
        self.ground.restart(node, stopping).await?;
        self.count(what);
        Ok(())
    }

    /// Holds a table of somebody who is behind, or of anybody, for a while.
    async fn lock_somebody(&mut self) -> Result<tokio::task::JoinHandle<()>> {
        let node = self.dice.index(self.ground.nodes.len());
        let node = self.ground.nodes[node].clone();
        let somebody = "SELECT t.schema_name FROM platform.tenant t
             JOIN platform.lane l ON l.id = t.lane_id JOIN platform.node n ON n.id = l.node_id
             WHERE n.name = $1 AND t.status = 'active' ORDER BY t.schema_version, t.id DESC LIMIT 1";
        let schema: Option<String> = sqlx::query_scalar(somebody)
            .bind(&node.name)
            .fetch_optional(&mut self.ground.own().connect().await?)
            .await?;
        let held = Duration::from_millis(200 + self.dice.below(800));
        self.count("tables held");
        Ok(tokio::spawn(async move {
            let Some(schema) = schema else { return };
            let lock = format!(
                "SET lock_timeout = '300ms'; BEGIN; LOCK TABLE {schema}.session, \
                 {schema}.item_barcode IN ACCESS EXCLUSIVE MODE"
            );
            // Somebody may have locked or dropped it, and the database may go away.
            let Ok(mut connection) = node.connect().await else {
                return;
            };
            let locked = sqlx::raw_sql(AssertSqlSafe(lock))
                .execute(&mut connection)
                .await;
            if locked.is_ok() {
                tokio::time::sleep(held).await;
            }
            let _ = connection.close().await;
        }))
    }
}
