//! Passwords for people who have none yet: read, or made up and shown once.

use std::io::Read as _;

use provisioner::password::{self, Cost};
use secrecy::SecretString;

use super::failure::{Failure, chain};

/// A password and its hash.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) hash: String,
    /// To be shown, if we made it up.
    pub(super) generated: Option<SecretString>,
}

/// Takes the password from standard input or from an environment variable, if either has one.
pub(super) async fn given(
    from_stdin: bool,
    variable: &str,
    whose: &str,
) -> Result<Option<String>, Failure> {
    match read(from_stdin, variable)? {
        Some(password) => hashed(password, whose).await.map(Some),
        None => Ok(None),
    }
}

/// Takes the password from standard input, or from an environment variable; without either one is
/// made up. `whose` says in a hint whose it is.
pub(super) async fn choose(
    from_stdin: bool,
    variable: &str,
    whose: &str,
) -> Result<Chosen, Failure> {
    if let Some(password) = read(from_stdin, variable)? {
        let hash = hashed(password, whose).await?;
        return Ok(Chosen {
            hash,
            generated: None,
        });
    }
    let password =
        password::generate().map_err(|error| Failure::stuck("no_randomness", chain(&error)))?;
    Ok(Chosen {
        hash: hashed(password.clone(), whose).await?,
        generated: Some(password),
    })
}

async fn hashed(password: SecretString, whose: &str) -> Result<String, Failure> {
    tokio::task::spawn_blocking(move || password::hash(&password, Cost::default()))
        .await
        .map_err(|_| Failure::stuck("internal", "the thread that hashed the password died"))?
        .map_err(|error| Failure::usage(chain(&error)).hint(format!("it is {whose} password")))
}

/// The password, if there is one.
fn read(from_stdin: bool, variable: &str) -> Result<Option<SecretString>, Failure> {
    if from_stdin {
        let mut text = String::new();
        // One more than the longest password in bytes: no more of an endless stream is read.
        let bound = (password::MAX_LEN * 4 + 3) as u64;
        std::io::stdin()
            .take(bound)
            .read_to_string(&mut text)
            .map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        return Ok(Some(line.strip_suffix('\r').unwrap_or(line).into()));
    }
    match std::env::var(variable) {
        Ok(password) if !password.is_empty() => Ok(Some(password.into())),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("{variable} is not UTF-8")))
        }
        _ => Ok(None),
    }
}
