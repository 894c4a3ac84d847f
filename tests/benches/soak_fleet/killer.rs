//! Commands as processes: started, and killed at moments spread over their lives.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use sqlx::PgConnection;
use tests::canary::Dice;
use tests::tubex_command;

use super::errands::{Errand, Verb};

/// Nothing that `tubex` does here takes as long as this: something waits that should not.
pub const HUNG: Duration = Duration::from_secs(90);
/// A command that stays until it is killed is given no longer.
const STAY: Duration = Duration::from_millis(900);
/// What a command is thought to take before one has been seen to end.
const FIRST_GUESS: Duration = Duration::from_millis(60);

/// How a command ended.
#[derive(Debug)]
pub struct End {
    /// Its status; none is one that hung and was put down.
    pub status: Option<ExitStatus>,
    /// What it complained of.
    pub said: String,
}

impl End {
    /// Whether it was cut off from outside.
    pub fn was_killed(&self) -> bool {
        self.status.is_some_and(|status| status.code().is_none())
    }

    /// Whether it did what it was told.
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// How long commands of a kind work in the database: learnt from those that got away.
#[derive(Debug, Default)]
pub struct Lives(BTreeMap<Verb, Duration>);

impl Lives {
    /// A moment within such a life, and a little beyond.
    pub fn moment(&self, verb: Verb, dice: &mut Dice) -> Duration {
        let life = self.0.get(&verb).copied().unwrap_or(FIRST_GUESS);
        life * u32::try_from(dice.below(105)).unwrap_or(0) / 100
    }

    /// One ended by itself after so long.
    pub fn ended(&mut self, verb: Verb, after: Duration) {
        let life = self.0.entry(verb).or_insert(FIRST_GUESS);
        // Half of what it was, at least: one that had nothing to do says little of the others.
        *life = ((*life + after) / 2).clamp(Duration::from_millis(5), STAY);
    }

    /// One was still at it after so long.
    pub fn held_out(&mut self, verb: Verb, after: Duration) {
        let life = self.0.entry(verb).or_insert(FIRST_GUESS);
        if after * 4 > *life * 3 {
            *life = (*life * 4 / 3).min(STAY);
        }
    }
}

/// A command at work.
pub struct Running {
    child: Child,
    begun: Instant,
}

impl Running {
    /// Starts a command.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start(url: &str, errand: &Errand) -> Result<Self> {
        let words: Vec<_> = errand.words.iter().map(String::as_str).collect();
        let child = tubex_command(url, &words)
            .env("TUBEX_OWNER_PASSWORD", "long enough for a soak")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("tubex is built by `make soak-fleet`")?;
        Ok(Self {
            child,
            begun: Instant::now(),
        })
    }

    /// Waits until some `tubex` works in the platform's database, or this one has ended. Before
    /// that, a kill cuts nothing.
    ///
    /// # Errors
    ///
    /// When it is not our child.
    pub async fn is_at_work(&mut self, platform: &mut Option<PgConnection>) -> Result<()> {
        let at_work = "SELECT EXISTS (SELECT FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'tubex'
                 AND xact_start IS NOT NULL)";
        while self.begun.elapsed() < STAY && self.child.try_wait()?.is_none() {
            let Some(connection) = platform.as_mut() else {
                break;
            };
            match sqlx::query_scalar::<_, bool>(at_work)
                .fetch_one(connection)
                .await
            {
                Ok(true) => break,
                Ok(false) => tokio::time::sleep(Duration::from_millis(1)).await,
                // It was restarted: whoever needs it connects anew.
                Err(_) => *platform = None,
            }
        }
        self.begun = Instant::now();
        Ok(())
    }

    /// Kills it after so long, unless it ends before.
    ///
    /// # Errors
    ///
    /// When it is not our child.
    pub async fn kill_after(
        mut self,
        patience: Duration,
        verb: Verb,
        lives: &mut Lives,
    ) -> Result<End> {
        while self.begun.elapsed() < patience {
            if let Some(status) = self.child.try_wait()? {
                lives.ended(verb, self.begun.elapsed());
                return self.end(Some(status));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        lives.held_out(verb, self.begun.elapsed());
        // It may have ended this very moment, which its status says.
        let _ = self.child.kill();
        let status = self.child.wait()?;
        self.end(Some(status))
    }

    /// Waits until it ends by itself; one that hangs is put down.
    ///
    /// # Errors
    ///
    /// When it is not our child.
    pub async fn until_it_ends(mut self) -> Result<End> {
        while self.begun.elapsed() < HUNG {
            if let Some(status) = self.child.try_wait()? {
                return self.end(Some(status));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.child.kill()?;
        self.child.wait()?;
        self.end(None)
    }

    fn end(&mut self, status: Option<ExitStatus>) -> Result<End> {
        let mut said = Vec::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            pipe.read_to_end(&mut said)?;
        }
        Ok(End {
            status,
            said: String::from_utf8_lossy(&said).into_owned(),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
