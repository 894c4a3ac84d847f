//! `.local/secrets.json`: made once per checkout, readable by its owner only.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use super::dealers::DEALERS;
use crate::local::place::Place;
use crate::local::secret;

/// The secrets of one checkout.
#[derive(Debug)]
pub struct Secrets {
    content: Value,
    is_new: bool,
}

impl Secrets {
    /// Reads the file; makes it, or what is missing in it.
    ///
    /// # Errors
    ///
    /// When it is damaged, or missing although `data_exists`: that data cannot be opened
    /// without the secrets it was made with.
    pub fn load_or_create(place: &Place, data_exists: bool) -> Result<Self> {
        let path = place.home.join("secrets.json");
        let (mut content, is_new) = match fs::read_to_string(&path) {
            Ok(text) => {
                let content: Value = serde_json::from_str(&text).with_context(|| {
                    format!(
                        "{} is damaged; `make clean-dev` starts afresh",
                        path.display()
                    )
                })?;
                (content, false)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if data_exists {
                    bail!(
                        "{} is gone, but the data it belongs to is still in {}; \
                         bring it back, or start afresh with `make clean-dev`",
                        path.display(),
                        place.instances.display()
                    );
                }
                (Value::Object(Map::new()), true)
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        if complete(&mut content)? {
            secret::write_private(&path, &serde_json::to_vec_pretty(&content)?)?;
        }
        Ok(Self { content, is_new })
    }

    /// What the passwords of the server's database roles are derived from.
    pub fn database_secret(&self) -> &str {
        self.text("database_secret")
    }

    /// What tokens are signed with.
    pub fn token_secret(&self) -> &str {
        self.text("token_secret")
    }

    /// The demo owner's password at a dealer.
    pub fn password(&self, slug: &str) -> &str {
        self.content["passwords"][slug].as_str().unwrap_or_default()
    }

    /// Whether this run made them: a dealer that exists already has another password then.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    fn text(&self, key: &str) -> &str {
        self.content[key].as_str().unwrap_or_default()
    }
}

/// Adds what is missing; says whether anything was.
fn complete(content: &mut Value) -> Result<bool> {
    let mut changed = false;
    for key in ["database_secret", "token_secret"] {
        if !content[key].is_string() {
            content[key] = json!(secret::random_text::<48>()?);
            changed = true;
        }
    }
    if !content["passwords"].is_object() {
        content["passwords"] = json!({});
    }
    for dealer in &DEALERS {
        if !content["passwords"][dealer.slug].is_string() {
            content["passwords"][dealer.slug] = json!(secret::readable_password()?);
            changed = true;
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_and_what_is_missing_is_added() {
        let mut content = json!({ "token_secret": "kept", "passwords": { "acme": "kept-too" } });

        assert!(complete(&mut content).unwrap());

        assert_eq!(content["token_secret"], "kept");
        assert_eq!(content["passwords"]["acme"], "kept-too");
        assert_eq!(content["database_secret"].as_str().unwrap().len(), 64);
        assert!(content["passwords"]["bolt"].as_str().unwrap().len() >= 10);
        assert!(!complete(&mut content).unwrap());
    }
}
