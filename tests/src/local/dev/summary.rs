//! What `make dev` tells when everything is up: a page for people, `dev.json` for programs.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::dealers::SignIn;
use crate::local::place::Place;
use crate::local::secret;

const SIGN_IN: &str = "/api/v1/auth/sign-in";
const DOCS: &str = "/api/docs";
const MAIL: &str = "/dev/mail";

/// A part of the stack, for the page.
#[derive(Debug)]
pub struct Part {
    /// What it is.
    pub name: &'static str,
    /// Where it is, nothing secret.
    pub text: String,
}

/// What is up, and how to get in.
#[derive(Debug)]
pub struct Summary {
    /// The server's port.
    pub port: u16,
    /// The demo dealers.
    pub dealers: Vec<SignIn>,
    /// The owner's database address, for operators.
    pub owner_url: String,
    /// The secret that goes with it.
    pub database_secret: String,
    /// The operator's command line.
    pub tubex: PathBuf,
    /// What the server works with.
    pub parts: Vec<Part>,
}

impl Summary {
    /// Writes `.local/dev.json` in one step, mode 0600.
    ///
    /// # Errors
    ///
    /// When the folder is not writable.
    pub fn write(&self, place: &Place) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.json())? + "\n";
        secret::write_private(&place.home.join("dev.json"), text.as_bytes())
    }

    /// The page.
    pub fn text(&self, took: Duration) -> String {
        let port = self.port;
        let width = |of: fn(&SignIn) -> usize| self.dealers.iter().map(of).max().unwrap_or(0);
        let (names, slugs) = (
            width(|it| it.dealer.name.len()),
            width(|it| it.dealer.slug.len()),
        );
        let mut lines = vec![
            String::new(),
            format!(
                "Tubex is up at {} ({:.1} s)",
                self.base_url(),
                took.as_secs_f32()
            ),
            String::new(),
        ];
        lines.extend(self.dealers.iter().map(|SignIn { dealer, password }| {
            let url = format!("http://{}.localhost:{port}", dealer.slug);
            let url_width = "http://.localhost:".len() + slugs + port.to_string().len();
            let password = password
                .as_deref()
                .unwrap_or("(password: whoever made it knows)");
            let (name, email) = (dealer.name, dealer.owner_email);
            format!("  {name:<names$}  {url:<url_width$}  {email}  {password}")
        }));
        lines.push(String::new());
        if let Some(SignIn { dealer, password }) = self.dealers.first() {
            let host = format!("{}.localhost:{port}", dealer.slug);
            let body = json!({
                "email": dealer.owner_email,
                "password": password.as_deref().unwrap_or("…"),
            });
            lines.extend([
                format!("  API docs  http://{host}{DOCS}"),
                format!(
                    "  Sign in   curl -sS {}{SIGN_IN} -H 'Host: {host}' \\",
                    self.base_url()
                ),
                format!("              -H 'Content-Type: application/json' -d '{body}'"),
            ]);
        }
        lines.push(format!("  Mail      http://localhost:{port}{MAIL}"));
        lines.extend(
            self.parts
                .iter()
                .map(|part| format!("  {:<8}  {}", part.name, part.text)),
        );
        lines.extend([
            "  Log       .local/server.log (warnings and errors also appear here)".to_owned(),
            "  Machines  .local/dev.json".to_owned(),
            String::new(),
            "Ctrl-C stops everything; data stays.".to_owned(),
        ]);
        lines.join("\n")
    }

    fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn json(&self) -> Value {
        let dealers: Vec<Value> = self
            .dealers
            .iter()
            .map(|SignIn { dealer, password }| {
                let host = format!("{}.localhost:{}", dealer.slug, self.port);
                json!({
                    "slug": dealer.slug,
                    "name": dealer.name,
                    "url": format!("http://{host}"),
                    "host": host,
                    "email": dealer.owner_email,
                    "password": password,
                })
            })
            .collect();
        json!({
            "base_url": self.base_url(),
            "dealers": dealers,
            "operator": {
                "database_url": self.owner_url,
                "secret": self.database_secret,
                "command": self.tubex,
            },
        })
    }
}

/// Removes the `dev.json` of an earlier run: it would promise what is not there.
///
/// # Errors
///
/// When it is there and cannot be removed.
pub fn forget(place: &Place) -> Result<()> {
    let path = place.home.join("dev.json");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::dealers::DEALERS;
    use super::*;

    fn summary() -> Summary {
        Summary {
            port: 8081,
            dealers: vec![
                SignIn {
                    dealer: &DEALERS[0],
                    password: Some("amber-plum-007".to_owned()),
                },
                SignIn {
                    dealer: &DEALERS[1],
                    password: None,
                },
            ],
            owner_url: "postgres://tubex_owner:hunter2@127.0.0.1:5/tubex".to_owned(),
            database_secret: "s3cret".to_owned(),
            tubex: PathBuf::from("target/debug/tubex"),
            parts: vec![Part {
                name: "Postgres",
                text: "127.0.0.1:5/tubex (private)".to_owned(),
            }],
        }
    }

    #[test]
    fn programs_find_everything_in_dev_json() {
        let json = summary().json();

        assert_eq!(json["base_url"], "http://127.0.0.1:8081");
        assert_eq!(json["dealers"][0]["url"], "http://acme.localhost:8081");
        assert_eq!(json["dealers"][0]["host"], "acme.localhost:8081");
        assert_eq!(json["dealers"][0]["password"], "amber-plum-007");
        assert_eq!(json["dealers"][1]["password"], Value::Null);
        assert_eq!(json["operator"]["command"], "target/debug/tubex");
        assert_eq!(json["operator"]["secret"], "s3cret");
    }

    #[test]
    fn people_get_sign_ins_but_no_database_secrets() {
        let text = summary().text(Duration::from_millis(1_234));

        assert!(
            text.contains("Tubex is up at http://127.0.0.1:8081 (1.2 s)"),
            "{text}"
        );
        assert!(text.contains("http://localhost:8081/dev/mail"), "{text}");
        assert!(text.contains("-H 'Host: acme.localhost:8081'"), "{text}");
        assert!(text.contains(r#""password":"amber-plum-007""#), "{text}");
        assert!(
            !text.contains("hunter2") && !text.contains("s3cret"),
            "{text}"
        );
    }
}
