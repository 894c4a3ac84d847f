//! Everything that was cut is done again, by the same commands, and has to succeed now.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::errands::{Errand, Latest, Verb};
use super::findings;
use super::ground::OTHERS;
use super::killer::Running;
use super::soak::Soak;

/// How many spares each node has in the end.
const SPARES: i64 = 2;
/// How often a run may need another word before it is over.
const WORDS: usize = 6;
/// A backend notices only at its next read that its client is gone.
const DEAD: Duration = Duration::from_secs(30);

impl Soak {
    /// Finishes what was begun, and looks at everything.
    ///
    /// # Errors
    ///
    /// When nothing can be asked any more.
    pub async fn repair_and_look(&mut self) -> Result<Vec<String>> {
        self.bury().await?;
        for errand in std::mem::take(&mut self.owed) {
            self.redo(&errand).await?;
        }
        self.finish_runs().await?;
        // Lanes and memberships that nobody asks for by name.
        self.must(&["platform", "migrate"]).await?;
        let keep = SPARES.to_string();
        self.must(&["spares", "--keep", &keep]).await?;
        for node in OTHERS {
            self.must(&["spares", "--keep", &keep, "--node", node])
                .await?;
        }
        self.bury().await?;
        let mut found = std::mem::take(&mut self.findings);
        found.extend(findings::look(&self.ground, SPARES).await?);
        Ok(found)
    }

    /// Waits until no backend works for somebody who is dead.
    async fn bury(&mut self) -> Result<()> {
        let begun = Instant::now();
        for node in self.ground.nodes.clone() {
            let mut connection = node.connect().await?;
            let alive = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tubex'";
            loop {
                let alive: i64 = sqlx::query_scalar(alive).fetch_one(&mut connection).await?;
                if alive == 0 {
                    break;
                }
                if begun.elapsed() > DEAD {
                    let finding = format!("{alive} dead clients live on at node {}", node.name);
                    self.findings.push(finding);
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }

    async fn redo(&mut self, errand: &Errand) -> Result<()> {
        let end = Running::start(&self.ground.own().url, errand)?
            .until_it_ends()
            .await?;
        self.judge(errand, &end);
        self.count("done again");
        // Whoever was done before it was cut is refused now.
        let is_refused = end.status.is_some_and(|status| status.code() == Some(1));
        if !(end.is_success() || is_refused && self.is_done(errand).await?) {
            self.findings.push(format!(
                "tubex {} was not finished by doing it again: {}",
                errand.words.join(" "),
                end.said.trim()
            ));
        }
        Ok(())
    }

    async fn is_done(&self, errand: &Errand) -> Result<bool> {
        if errand.verb == Verb::Export {
            let manifest = std::path::Path::new(&errand.about).join("manifest.json");
            return Ok(manifest.exists());
        }
        let status: Option<String> =
            sqlx::query_scalar("SELECT status::text FROM platform.tenant WHERE slug = $1")
                .bind(&errand.about)
                .fetch_optional(&mut self.ground.own().connect().await?)
                .await?;
        let status = status.as_deref().unwrap_or("none");
        Ok(match errand.verb {
            Verb::Archive => ["archived", "gone"].contains(&status),
            Verb::Purge => status == "gone",
            _ => status == "active",
        })
    }

    /// Brings the run that is not over to its end, and the fleet to head.
    async fn finish_runs(&mut self) -> Result<()> {
        for _ in 0..WORDS {
            let mut platform = self.ground.own().connect().await?;
            // As if the time of the dead had passed.
            let expire = "UPDATE platform.migration_run_tenant SET lease_until = now()
                          WHERE state = 'running'";
            sqlx::query(expire).execute(&mut platform).await?;
            let latest = Latest::find(&mut platform).await?;
            let Some(run) = latest.filter(|run| !run.is_over()) else {
                break;
            };
            let words: &[&str] = match run.state.as_str() {
                "halted" => &["retry", "resume"],
                _ => &["work"],
            };
            for word in words {
                self.say(&["runs", word, &run.id]).await?;
            }
        }
        self.must(&["migrate"]).await
    }

    /// A command that has to succeed.
    async fn must(&mut self, words: &[&str]) -> Result<()> {
        let (is_success, said) = self.say(words).await?;
        if !is_success {
            let words = words.join(" ");
            let finding = format!("tubex {words} failed in the end: {said}");
            self.findings.push(finding);
        }
        Ok(())
    }

    async fn say(&mut self, words: &[&str]) -> Result<(bool, String)> {
        let errand = Errand::about_all(Verb::Migrate, words);
        let end = Running::start(&self.ground.own().url, &errand)?
            .until_it_ends()
            .await?;
        self.judge(&errand, &end);
        Ok((end.is_success(), end.said.trim().to_owned()))
    }
}
