//! SCRAM-SHA-256 verifiers, made here so that no password ever travels in a statement and lands
//! in the server's log (RFC 5802, RFC 7677; the format of `pg_authid.rolpassword`).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// Postgres' own default. The passwords are 256 random-looking bits, so more would cost logins
/// time and buy nothing.
const ITERATIONS: u32 = 4096;
const SALT_LEN: usize = 16;

/// A verifier for `password` with a fresh salt; safe to write between single quotes.
///
/// `password` must be ASCII: SASLprep, which changes nothing about ASCII, is left out.
pub(crate) fn verifier(password: &SecretString) -> Result<String, getrandom::Error> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt)?;
    Ok(build(password, &salt, ITERATIONS))
}

/// Whether a stored verifier was made from `password`. Anything unreadable was not.
pub(crate) fn matches(stored: &str, password: &SecretString) -> bool {
    let Some((iterations, salt)) = read(stored) else {
        return false;
    };
    build(password, &salt, iterations) == stored
}

fn read(stored: &str) -> Option<(u32, Vec<u8>)> {
    let (iterations, rest) = stored.strip_prefix("SCRAM-SHA-256$")?.split_once(':')?;
    let (salt, _) = rest.split_once('$')?;
    Some((iterations.parse().ok()?, BASE64_STANDARD.decode(salt).ok()?))
}

fn build(password: &SecretString, salt: &[u8], iterations: u32) -> String {
    let salted = stretch(password.expose_secret().as_bytes(), salt, iterations);
    let stored_key = Sha256::digest(hmac(&salted, &[b"Client Key"]));
    let server_key = hmac(&salted, &[b"Server Key"]);
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        BASE64_STANDARD.encode(salt),
        BASE64_STANDARD.encode(stored_key),
        BASE64_STANDARD.encode(server_key),
    )
}

/// `Hi` of RFC 5802: PBKDF2 with HMAC-SHA-256 and one block of output.
fn stretch(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut round = hmac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut result = round;
    for _ in 1..iterations {
        round = hmac(password, &[&round]);
        for (sum, byte) in result.iter_mut().zip(round) {
            *sum ^= byte;
        }
    }
    result
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Postgres 15 stored for `ALTER ROLE ... PASSWORD 'pencil'`.
    const STORED: &str = "SCRAM-SHA-256$4096:JsTPUpexYbek5F9aLA9C8g==$\
        1zl4IOTOqArRll1Xm0cqizl0EqPZ1CXcae+QWu89lWs=:oriLoP8+s8VIAWz5h6SsP8wWvdvLsBRI8GiivcmVk3g=";

    #[test]
    fn a_verifier_is_what_postgres_would_have_made() {
        assert!(matches(STORED, &"pencil".into()));
        assert!(!matches(STORED, &"pencils".into()));
    }

    #[test]
    fn every_verifier_has_its_own_salt() {
        let password = SecretString::from("pencil");

        let (one, two) = (verifier(&password).unwrap(), verifier(&password).unwrap());

        assert_ne!(one, two);
        assert!(matches(&one, &password) && matches(&two, &password));
    }

    #[test]
    fn other_formats_never_match() {
        for stored in [
            "",
            "md5abc",
            "SCRAM-SHA-256$x:y$z",
            "SCRAM-SHA-256$4096:!!$a:b",
        ] {
            assert!(!matches(stored, &"pencil".into()), "{stored}");
        }
    }
}
