//! Proving who one is, by address and password, without telling which addresses exist.

use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::attempts::{Attempts, Guess, Standing};
use super::error::AuthError;
use super::passwords::Passwords;
use super::session::Visitor;
use crate::kernel::Email;

/// Characters kept of what a client calls itself.
const USER_AGENT_LENGTH: usize = 200;

/// What somebody offers as proof, and from where.
#[derive(Debug)]
pub struct Proof {
    email: String,
    password: SecretString,
    /// Where it comes from.
    pub visitor: Visitor,
    /// The request they offer it in.
    pub request_id: Option<String>,
}

impl Proof {
    /// An address, in whatever case, and a password.
    pub fn new(email: &str, password: SecretString) -> Self {
        // What is no address is nobody's, and takes the same way to that answer.
        let folded = Email::parse(email).map(|email| email.to_string());
        Self {
            email: folded.unwrap_or_else(|_| email.trim().to_lowercase()),
            password,
            visitor: Visitor::default(),
            request_id: None,
        }
    }

    /// The address, folded.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The password.
    pub fn password(&self) -> SecretString {
        self.password.clone()
    }

    /// Under which attempts at this address are counted; keeps the address itself out of Redis.
    pub fn attempts_key(&self) -> String {
        format!("sign-in:{}", short_digest(&self.email))
    }

    /// How this sign-in is counted, given the account's key, which begins with whose account it is.
    fn guess(&self, account: &str) -> Guess {
        let whose = account.strip_suffix(&self.attempts_key());
        let whose = whose.unwrap_or(account);
        let address = self.visitor.address.as_deref().unwrap_or("unknown");
        let address = short_digest(address);
        Guess {
            account: account.to_owned(),
            pair: format!("{account}:{address}"),
            address: format!("{whose}sign-in:from:{address}"),
            realm: format!("{whose}sign-in:all"),
        }
    }
}

/// Finds out whose address it is, and whether the password is theirs. Takes as long for an unknown
/// address as for a wrong password. `find` says who may sign in, and with which hash.
///
/// # Errors
///
/// [`AuthError::TooManyAttempts`] under this key, [`AuthError::WrongCredentials`], or what `find`
/// says.
pub async fn prove<T>(
    (attempts, passwords): (&Attempts, &Passwords),
    attempts_key: &str,
    proof: &Proof,
    find: impl AsyncFnOnce(&str) -> Result<Option<(T, Option<String>)>, AuthError>,
) -> Result<T, AuthError> {
    let guess = proof.guess(attempts_key);
    if let Standing::Blocked(seconds) = attempts.begin_guess(&guess).await {
        return Err(AuthError::TooManyAttempts(seconds));
    }
    let (person, hash) = find(proof.email()).await?.unzip();
    let is_proven = passwords
        .check(proof.password.clone(), hash.flatten())
        .await?;
    let person = person
        .filter(|_| is_proven)
        .ok_or(AuthError::WrongCredentials)?;
    attempts.forgive_guess(&guess).await;
    Ok(person)
}

/// What is kept of what a client calls itself.
pub fn kept_agent(user_agent: Option<&str>) -> Option<String> {
    user_agent.map(|text| text.chars().take(USER_AGENT_LENGTH).collect())
}

/// Enough to tell things apart, and nothing to read.
pub fn short_digest(text: &str) -> String {
    let digest = &Sha256::digest(text.as_bytes())[..16];
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
