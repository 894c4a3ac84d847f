//! What `tubex` is sent to do: each errand is a command line that may be given again until it is
//! done.

use anyhow::{Context, Result};
use provisioner::Provisioner;
use sqlx::PgConnection;
use tests::OlderDealers;
use tests::canary::Dice;

use super::ground::{Ground, OTHERS};

/// Before the contract, so that there is a way back.
pub const TO: &str = "m0005_session_recent_idx";
/// What dealers of the year before last knew.
const OLD: usize = 2;
/// The dealer that copies are made of; nothing else happens to it.
pub const SOURCE: &str = "source";

/// A kind of errand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// A dealer is made, of a spare or of nothing.
    Create,
    /// The fleet is carried to a version, or a run is gone on with.
    Migrate,
    /// A run is taken back.
    Rollback,
    /// A dealer is copied.
    Clone,
    /// A dealer is written into a folder.
    Export,
    /// A dealer is made of a folder.
    Import,
    /// A dealer's schema is dropped.
    Archive,
    /// An archived dealer's export is destroyed.
    Purge,
    /// Spares are brought to a number.
    Spares,
    /// Spares are kept until the end.
    Keeper,
}

/// In the order of a deck that is drawn from: those with more to cut lie in it more often.
pub const DECK: [Verb; 16] = [
    Verb::Create,
    Verb::Create,
    Verb::Migrate,
    Verb::Migrate,
    Verb::Migrate,
    Verb::Migrate,
    Verb::Rollback,
    Verb::Rollback,
    Verb::Clone,
    Verb::Export,
    Verb::Import,
    Verb::Archive,
    Verb::Archive,
    Verb::Purge,
    Verb::Spares,
    Verb::Keeper,
];

/// A command line, and what it is about.
#[derive(Debug, Clone)]
pub struct Errand {
    /// Its kind.
    pub verb: Verb,
    /// What follows `tubex`.
    pub words: Vec<String>,
    /// The slug or folder that it makes or ends; empty when it is about the fleet.
    pub about: String,
}

impl Errand {
    fn new(verb: Verb, about: &str, words: &[&str]) -> Self {
        Self {
            verb,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            about: about.to_owned(),
        }
    }

    /// An errand about the whole fleet.
    pub fn about_all(verb: Verb, words: &[&str]) -> Self {
        Self::new(verb, "", words)
    }

    /// Whether it is given again until it is done: others depend on how the fleet stands then.
    pub fn is_owed(&self) -> bool {
        !self.about.is_empty()
    }
}

/// A run, as far as whoever goes on with it has to know.
#[derive(Debug)]
pub struct Latest {
    /// Its id.
    pub id: String,
    /// Whether it takes another one back.
    pub reverts: bool,
    /// How it stands.
    pub state: String,
    /// Where to.
    pub target_version: String,
}

impl Latest {
    /// The newest run.
    ///
    /// # Errors
    ///
    /// When the platform can't be asked.
    pub async fn find(platform: &mut PgConnection) -> Result<Option<Self>> {
        let sql = "SELECT id::text, reverts IS NOT NULL AS reverts, state::text, target_version
                   FROM platform.migration_run ORDER BY created_at DESC, id DESC LIMIT 1";
        let row: Option<(String, bool, String, String)> =
            sqlx::query_as(sql).fetch_optional(platform).await?;
        Ok(row.map(|(id, reverts, state, target_version)| Self {
            id,
            reverts,
            state,
            target_version,
        }))
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "done" | "cancelled")
    }
}

/// Makes errands up.
#[derive(Debug, Default)]
pub struct Errands {
    made: u64,
}

impl Errands {
    /// The next errand of a kind; what it needs is made first.
    ///
    /// # Errors
    ///
    /// When that can't be made.
    pub async fn next(&mut self, verb: Verb, ground: &Ground, dice: &mut Dice) -> Result<Errand> {
        self.made += 1;
        let number = self.made;
        let node = [None, Some(OTHERS[0]), Some(OTHERS[1])][dice.index(3)];
        let at = node.map(|node| ["--node", node]);
        let at = at.as_ref().map_or(&[][..], |words| words);
        let home = ground.exports();
        let home = home.to_str().context("a folder with a readable name")?;
        Ok(match verb {
            Verb::Create => {
                let slug = format!("new-{number}");
                let mail = format!("owner@{slug}.example");
                let words = ["tenant", "create", &slug, "--name", &slug, "--owner-email"];
                let seed: &[&str] = if dice.percent(30) {
                    &["--seed", "demo"]
                } else {
                    &[]
                };
                Errand::new(verb, &slug, &[&words[..], &[&mail], at, seed].concat())
            }
            Verb::Clone => {
                let slug = format!("clone-{number}");
                let how = if dice.percent(50) {
                    "--yes"
                } else {
                    "--anonymise"
                };
                let words = ["tenant", "clone", SOURCE, &slug, how];
                Errand::new(verb, &slug, &words)
            }
            Verb::Export => {
                let folder = format!("{home}/export-{number}");
                Errand::new(verb, &folder, &["tenant", "export", SOURCE, &folder])
            }
            Verb::Import => {
                let slug = format!("import-{number}");
                let folder = format!("{home}/{SOURCE}");
                let words = ["tenant", "import", &folder, "--slug", &slug];
                Errand::new(verb, &slug, &[&words[..], at].concat())
            }
            Verb::Archive => self.archive(ground, number, node, home).await?,
            Verb::Purge => {
                let archived = "SELECT slug FROM platform.tenant WHERE status = 'archived'
                                ORDER BY slug LIMIT 1";
                let mut platform = ground.own().connect().await?;
                let archived: Option<String> = sqlx::query_scalar(archived)
                    .fetch_optional(&mut platform)
                    .await?;
                match archived {
                    Some(slug) => Errand::new(verb, &slug, &["tenant", "purge", &slug, "--yes"]),
                    None => self.archive(ground, number, node, home).await?,
                }
            }
            Verb::Spares => {
                let keep = dice.below(5).to_string();
                let words = ["spares", "--keep", &keep];
                Errand::about_all(verb, &[&words[..], at].concat())
            }
            Verb::Keeper => Errand::about_all(verb, &["spares", "run"]),
            Verb::Migrate | Verb::Rollback => fleet(ground, verb, number, dice).await?,
        })
    }

    async fn archive(
        &self,
        ground: &Ground,
        number: u64,
        node: Option<&str>,
        home: &str,
    ) -> Result<Errand> {
        let slug = format!("mortal-{number}");
        let dealers = head(ground).await?;
        OlderDealers::create_at(&dealers, &slug, node, &["demo"]).await?;
        dealers.close(&slug, "the soak", "soak").await?;
        let words = ["tenant", "archive", &slug, "--yes", "--keep-days", "0"];
        let words = [&words[..], &["--to", home]].concat();
        Ok(Errand::new(Verb::Archive, &slug, &words))
    }
}

/// A provisioner of this build.
///
/// # Errors
///
/// When the platform can't be reached.
pub async fn head(ground: &Ground) -> Result<Provisioner<OlderDealers>> {
    let product = OlderDealers::knowing(usize::MAX);
    Ok(product.provisioner(&ground.platform).await?)
}

/// Goes on with the run that is not over, takes the last one back, or begins another one.
async fn fleet(ground: &Ground, wanted: Verb, number: u64, dice: &mut Dice) -> Result<Errand> {
    let mut platform = ground.own().connect().await?;
    let latest = Latest::find(&mut platform).await?;
    // As if the time of dead workers had passed; one that lives has to find that out.
    let expire = "UPDATE platform.migration_run_tenant SET lease_until = now()
                  WHERE state = 'running'";
    sqlx::query(expire).execute(&mut platform).await?;
    if let Some(run) = &latest {
        let can_go_back = !run.reverts && run.target_version == TO;
        let verb = match run.reverts {
            true => Verb::Rollback,
            false => Verb::Migrate,
        };
        if wanted == Verb::Rollback && can_go_back && run.state != "cancelled" {
            return Ok(Errand::about_all(wanted, &["runs", "rollback", &run.id]));
        }
        if !run.is_over() {
            let word = match (run.state.as_str(), dice.percent(50)) {
                // The same words as before have to go on with it.
                ("running", true) if run.reverts => "rollback",
                ("halted", true) => "retry",
                ("halted", false) | ("paused", _) => "resume",
                _ => "work",
            };
            return Ok(Errand::about_all(verb, &["runs", word, &run.id]));
        }
    }
    let behind = "SELECT count(*) FROM platform.tenant
                  WHERE schema_version < $1 AND status NOT IN ('gone', 'archived')";
    let behind: i64 = sqlx::query_scalar(behind)
        .bind(TO)
        .fetch_one(&mut platform)
        .await?;
    if behind < 6 {
        let old = OlderDealers::knowing(OLD)
            .provisioner(&ground.platform)
            .await?;
        for (one, node) in [None, Some(OTHERS[0]), Some(OTHERS[1]), None]
            .into_iter()
            .enumerate()
        {
            // Barcodes to fill.
            let seeds: &[&str] = if one == 0 { &["demo"] } else { &[] };
            OlderDealers::create_at(&old, &format!("old-{number}-{one}"), node, seeds).await?;
        }
    }
    let words = ["migrate", "--max-failures", "0", "--batch", "40"];
    let to: &[&str] = if dice.percent(70) { &["--to", TO] } else { &[] };
    let waves: &[&str] = if dice.percent(30) {
        &["--canary", "1", "--wave", "50,100"]
    } else {
        &[]
    };
    let words = [&words[..], to, waves].concat();
    Ok(Errand::about_all(Verb::Migrate, &words))
}
