//! Codes: those of an authenticator app (RFC 6238), and those to recover with.

use time::OffsetDateTime;
use totp_rs::{Builder, Totp};

use super::error::SecondFactorError;

/// Recovery codes that somebody is given.
pub(super) const RECOVERY_CODES: usize = 10;
/// Base 32 in small letters: neither 0 nor 1, and a random byte picks one without favour.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Letters of a recovery code: 80 bits.
const LETTERS: usize = 16;
/// Letters between two dashes.
const GROUP: usize = 4;

/// What somebody gives to prove that they have their second factor.
#[derive(Clone, PartialEq, Eq)]
pub enum Given {
    /// What their app shows.
    Code(String),
    /// One of their recovery codes.
    RecoveryCode(String),
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Given")
    }
}

/// The app of somebody: six digits, every thirty seconds, one step before and after is fine.
/// SHA-1 is what all apps compute; its weakness is no matter here (RFC 4226, appendix B.2).
///
/// # Errors
///
/// [`SecondFactorError::Broken`] for a secret that is too short.
pub(super) fn app(secret: &[u8]) -> Result<Totp, SecondFactorError> {
    named_app(secret, "", "")
}

/// The same with names for people, for its address.
pub(super) fn named_app(
    secret: &[u8],
    dealer: &str,
    account: &str,
) -> Result<Totp, SecondFactorError> {
    // A colon would end the name.
    let plain = |text: &str| text.replace(':', " ");
    Builder::new()
        .with_secret(secret.to_vec())
        .with_issuer(Some(plain(dealer)))
        .with_account_name(plain(account))
        .build()
        .map_err(|error| SecondFactorError::Broken(error.to_string()))
}

/// The time step whose code this is, if it is one of about now.
pub(super) fn step_of(app: &Totp, code: &str, now: OffsetDateTime) -> Option<i64> {
    let digits: String = code.chars().filter(|it| !it.is_whitespace()).collect();
    let seconds = u64::try_from(now.unix_timestamp()).ok()?;
    app.check(&digits, seconds)
        .and_then(|step| i64::try_from(step).ok())
}

/// A secret for an app, 160 bits.
pub(super) fn new_secret() -> Result<[u8; 20], SecondFactorError> {
    random()
}

/// New recovery codes, as they are shown.
pub(super) fn new_recovery_codes() -> Result<Vec<String>, SecondFactorError> {
    (0..RECOVERY_CODES).map(|_| new_recovery_code()).collect()
}

fn new_recovery_code() -> Result<String, SecondFactorError> {
    let bytes: [u8; LETTERS] = random()?;
    let letters: Vec<char> = bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    let groups: Vec<String> = letters.chunks(GROUP).map(String::from_iter).collect();
    Ok(groups.join("-"))
}

/// A recovery code as it is compared: typed in capitals, with or without dashes, it is the same.
pub(super) fn folded(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Randomness of the operating system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], SecondFactorError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| SecondFactorError::Broken(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: its eight digits end with our six.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let app = app(b"12345678901234567890").unwrap();
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap();

            assert_eq!(step_of(&app, code, at), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_and_late_and_no_more() {
        let app = app(b"12345678901234567890").unwrap();
        let at = |seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap();

        for (seconds, step) in [
            (29, None),
            (30, Some(37_037_036)),
            (119, Some(37_037_036)),
            (120, None),
        ] {
            let now = at(1_111_111_020 + seconds);
            assert_eq!(step_of(&app, "081 804", now), step, "{seconds}");
        }
    }

    #[test]
    fn recovery_codes_differ_and_are_read_however_they_are_typed() {
        let codes = new_recovery_codes().unwrap();
        let different: std::collections::HashSet<_> = codes.iter().collect();

        assert_eq!(different.len(), RECOVERY_CODES);
        assert_eq!(folded(" ABCD-efgh 2345"), "abcdefgh2345");
        for code in &codes {
            assert_eq!(code.len(), 19, "{code}");
            assert_eq!(folded(&code.to_uppercase()), code.replace('-', ""));
        }
    }
}
