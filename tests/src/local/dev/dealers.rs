//! The demo dealers, made and kept up to date through `tubex`, as an operator would.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::secrets::Secrets;
use crate::local::process;
use crate::local::say::say;
use crate::local::stop::Stop;

/// A dealer of the demo.
#[derive(Debug)]
pub struct Dealer {
    /// Its subdomain.
    pub slug: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its owner's address.
    pub owner_email: &'static str,
    currency: &'static str,
}

/// Two dealers, because the product is about keeping them apart.
pub const DEALERS: [Dealer; 2] = [
    Dealer {
        slug: "acme",
        name: "Acme Baustoffe",
        owner_email: "owner@acme.example",
        currency: "EUR",
    },
    Dealer {
        slug: "bolt",
        name: "Bolt Building Supplies",
        owner_email: "owner@bolt.example",
        currency: "GBP",
    },
];

/// How the owner of a demo dealer signs in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The dealer.
    pub dealer: &'static Dealer,
    /// None when somebody else made the dealer and we cannot know.
    pub password: Option<String>,
}

/// The operator's command line, pointed at our database.
#[derive(Debug)]
pub struct Tubex {
    program: PathBuf,
    owner_url: String,
    secret: String,
}

impl Tubex {
    /// The command line of this checkout.
    pub fn new(program: PathBuf, owner_url: String, secrets: &Secrets) -> Self {
        Self {
            program,
            owner_url,
            secret: secrets.database_secret().to_owned(),
        }
    }

    /// Runs it and returns what it prints.
    fn run(&self, args: &[&str], password: Option<&str>, stop: &Stop) -> Result<String> {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env("TUBEX_DATABASE__URL", &self.owner_url)
            .env("TUBEX_DATABASE__SECRET", &self.secret);
        if let Some(password) = password {
            command.env("TUBEX_OWNER_PASSWORD", password);
        }
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let output = process::capture(&mut command, stop)?;
        if !output.status.success() {
            let lines = [output.stdout, output.stderr].concat();
            let words = args.iter().take_while(|word| !word.starts_with("--"));
            let shown: Vec<&str> = words.copied().collect();
            bail!(
                "tubex {} failed ({}):{}",
                shown.join(" "),
                output.status,
                process::tail(&lines, 15)
            );
        }
        String::from_utf8(output.stdout).context("tubex printed something that is not text")
    }
}

/// Brings the database to the newest version and makes the demo dealers that are missing.
///
/// # Errors
///
/// When `tubex` fails, with its last words, or [`crate::local::stop::Interrupted`].
pub fn prepare(tubex: &Tubex, secrets: &Secrets, stop: &Stop) -> Result<Vec<SignIn>> {
    let started = Instant::now();
    tubex.run(&["platform", "migrate"], None, stop)?;
    let known = slugs(&tubex.run(&["tenant", "list", "--json"], None, stop)?)?;
    let mut sign_ins = Vec::new();
    for dealer in &DEALERS {
        let exists = known.iter().any(|slug| slug == dealer.slug);
        if !exists {
            create(tubex, dealer, secrets, stop)?;
        }
        // Fresh secrets and a dealer that is there already: not the one we made.
        let is_unknown = exists && secrets.is_new();
        let password = (!is_unknown).then(|| secrets.password(dealer.slug).to_owned());
        sign_ins.push(SignIn { dealer, password });
    }
    if !known.is_empty() {
        tubex.run(&["migrate"], None, stop)?;
    }
    say(format!(
        "database prepared in {} ms",
        started.elapsed().as_millis()
    ));
    Ok(sign_ins)
}

fn create(tubex: &Tubex, dealer: &Dealer, secrets: &Secrets, stop: &Stop) -> Result<()> {
    say(format!("making the demo dealer {} …", dealer.slug));
    let args = [
        "tenant",
        "create",
        dealer.slug,
        "--name",
        dealer.name,
        "--owner-email",
        dealer.owner_email,
        "--currency",
        dealer.currency,
        "--seed",
        "demo",
        "--json",
    ];
    tubex.run(&args, Some(secrets.password(dealer.slug)), stop)?;
    Ok(())
}

/// The slugs in what `tubex tenant list --json` prints.
fn slugs(text: &str) -> Result<Vec<String>> {
    let list: Value = serde_json::from_str(text).context("tubex tenant list printed no JSON")?;
    let rows = list["data"]
        .as_array()
        .context("tubex tenant list printed no data")?;
    Ok(rows
        .iter()
        .filter_map(|row| row["slug"].as_str())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_read_from_the_list() {
        let text = r#"{"data":[{"slug":"acme","status":"active"},{"slug":"bolt"}],"next":null}"#;

        assert_eq!(slugs(text).unwrap(), ["acme", "bolt"]);
        assert!(slugs("{}").is_err());
        assert!(slugs("no JSON").is_err());
    }
}
