//! People's passwords: rules, argon2id hashes, and random ones for whoever has none yet.

use std::fmt;

use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

/// The shortest password, in characters.
pub const MIN_LEN: usize = 10;
/// The longest password, in characters. Generous, and bounded so that nobody makes us hash
/// megabytes.
pub const MAX_LEN: usize = 128;

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes that could be filled at once.
    pub parallelism: u32,
}

impl Default for Cost {
    /// 19 MiB, 2 passes, 1 lane: the first choice of OWASP's password storage cheat sheet.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            parallelism: 1,
        }
    }
}

/// Why a password was not hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Shorter than [`MIN_LEN`].
    #[error("a password has at least {MIN_LEN} characters")]
    TooShort,
    /// Longer than [`MAX_LEN`].
    #[error("a password has at most {MAX_LEN} characters")]
    TooLong,
    /// The cost is outside of what argon2 knows, or there was no randomness for the salt.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Says whether a password keeps the rules, without hashing it.
///
/// # Errors
///
/// [`PasswordError::TooShort`], [`PasswordError::TooLong`].
pub fn check(password: &SecretString) -> Result<(), PasswordError> {
    match password.expose_secret().chars().count() {
        0..MIN_LEN => Err(PasswordError::TooShort),
        MIN_LEN..=MAX_LEN => Ok(()),
        _ => Err(PasswordError::TooLong),
    }
}

/// Hashes a password with argon2id; the answer is a PHC string (`$argon2id$v=19$…`).
///
/// Blocks for tens of milliseconds: call it from a thread that may block.
///
/// # Errors
///
/// [`PasswordError`].
pub fn hash(password: &SecretString, cost: Cost) -> Result<String, PasswordError> {
    check(password)?;
    let params = Params::new(cost.memory_kib, cost.passes, cost.parallelism, None)
        .map_err(|error| PasswordError::Hash(error.to_string()))?;
    let hash: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.expose_secret().as_bytes())
        .map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(hash.to_string())
}

/// What a hash has cost; none when it can't be read or is of another algorithm.
pub fn cost_of(phc: &str) -> Option<Cost> {
    let phc = PasswordHash::new(phc).ok()?;
    if Algorithm::new(phc.algorithm.as_str()) != Ok(Algorithm::Argon2id) {
        return None;
    }
    let params = Params::try_from(&phc).ok()?;
    Some(Cost {
        memory_kib: params.m_cost(),
        passes: params.t_cost(),
        parallelism: params.p_cost(),
    })
}

/// Verifies one password after the other in the same memory.
///
/// An allocator that gets 20 MB back each time may keep them and yet take fresh ones for the
/// next: twenty sign-ins held 200 MB.
#[derive(Default)]
pub struct Verifier {
    memory: Vec<Block>,
}

impl Verifier {
    /// Whether `password` is the one behind `phc`. The cost is read from `phc`, so old hashes
    /// stay good when the default changes; an unreadable `phc` matches nothing.
    ///
    /// Blocks as long as [`hash`] did.
    pub fn verify(&mut self, password: &SecretString, phc: &str) -> bool {
        // Nothing longer was ever hashed, and a stranger chooses the length.
        if password.expose_secret().chars().count() > MAX_LEN {
            return false;
        }
        self.matches(password.expose_secret().as_bytes(), phc)
            .unwrap_or(false)
    }

    /// None when `phc` can't be read.
    fn matches(&mut self, password: &[u8], phc: &str) -> Option<bool> {
        let phc = PasswordHash::new(phc).ok()?;
        let (salt, expected) = (phc.salt.as_ref()?, phc.hash.as_ref()?);
        let algorithm = Algorithm::new(phc.algorithm.as_str()).ok()?;
        let version = phc
            .version
            .map_or(Ok(Version::default()), Version::try_from);
        let params = Params::try_from(&phc).ok()?;
        if self.memory.len() < params.block_count() {
            self.memory.resize(params.block_count(), Block::new());
        }
        let mut output = vec![0; expected.len()];
        Argon2::new(algorithm, version.ok()?, params)
            .hash_password_into_with_memory(password, salt, &mut output, &mut self.memory)
            .ok()?;
        // Outputs are compared in constant time.
        Some(Output::new(&output).ok()? == *expected)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

/// A random password of 24 characters (144 bits).
///
/// # Errors
///
/// When the operating system has no randomness to give.
pub fn generate() -> Result<SecretString, getrandom::Error> {
    let mut bytes = [0; 18];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost {
        memory_kib: 64,
        passes: 1,
        parallelism: 1,
    };

    #[test]
    fn the_right_password_opens_and_a_wrong_one_does_not() {
        let phc = hash(&"correct horse".into(), CHEAP).unwrap();

        let mut verifier = Verifier::default();
        assert!(verifier.verify(&"correct horse".into(), &phc));
        assert!(!verifier.verify(&"correct house".into(), &phc));
        assert!(!verifier.verify(&"correct horse".into(), "not a hash"));
    }

    #[test]
    fn memory_that_served_one_hash_serves_another_of_any_cost() {
        let dear = Cost {
            memory_kib: 256,
            passes: 2,
            ..CHEAP
        };
        let hashes = [CHEAP, dear, CHEAP].map(|cost| hash(&"correct horse".into(), cost).unwrap());
        let mut verifier = Verifier::default();

        for phc in &hashes {
            assert!(verifier.verify(&"correct horse".into(), phc));
            assert!(!verifier.verify(&"correct house".into(), phc));
        }
    }

    #[test]
    fn the_default_cost_is_written_into_the_hash() {
        let phc = hash(&"correct horse".into(), Cost::default()).unwrap();

        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    }

    #[test]
    fn a_hash_says_what_it_has_cost() {
        let phc = hash(&"correct horse".into(), CHEAP).unwrap();

        assert_eq!(cost_of(&phc), Some(CHEAP));
        assert_eq!(cost_of(&phc.replace("argon2id", "argon2i")), None);
        assert_eq!(cost_of("not a hash"), None);
    }

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        assert!(matches!(
            check(&"ñ".repeat(9).into()),
            Err(PasswordError::TooShort)
        ));
        assert!(check(&"ñ".repeat(10).into()).is_ok());
        assert!(check(&"ñ".repeat(128).into()).is_ok());
        assert!(matches!(
            check(&"ñ".repeat(129).into()),
            Err(PasswordError::TooLong)
        ));
    }

    #[test]
    fn an_impossible_cost_is_an_error() {
        let cost = Cost {
            memory_kib: 1,
            ..CHEAP
        };

        assert!(matches!(
            hash(&"correct horse".into(), cost),
            Err(PasswordError::Hash(_))
        ));
    }

    #[test]
    fn generated_passwords_keep_the_rules() {
        assert!(check(&generate().unwrap()).is_ok());
    }
}
