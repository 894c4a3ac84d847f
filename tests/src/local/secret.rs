//! Random secrets, and files that only their owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Short words that are easy to read aloud and name neither a dealer nor the trade: the
/// password check refuses what can be guessed from the account.
const WORDS: [&str; 64] = [
    "amber", "apple", "april", "basil", "beach", "birch", "breeze", "canyon", "cedar", "cherry",
    "cloud", "clover", "comet", "coral", "cotton", "crystal", "daisy", "delta", "dune", "eagle",
    "ember", "falcon", "fern", "forest", "garnet", "ginger", "glacier", "harbor", "hazel", "heron",
    "honey", "island", "ivory", "jasmine", "juniper", "lagoon", "lark", "lemon", "lilac", "lotus",
    "maple", "meadow", "mint", "moss", "nectar", "ocean", "olive", "orchid", "otter", "pebble",
    "pepper", "plum", "poppy", "quartz", "raven", "river", "saffron", "sage", "sparrow", "sunset",
    "thyme", "tulip", "violet", "willow",
];

/// `N` bytes from the operating system.
///
/// # Errors
///
/// When `/dev/urandom` cannot be read.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes)
}

/// `N` random bytes as base64url without padding: safe in URLs, files and environments.
///
/// # Errors
///
/// As [`random_bytes`].
pub fn random_text<const N: usize>() -> Result<String> {
    Ok(base64url(&random_bytes::<N>()?))
}

/// A password for a demo account: four words and three digits, 34 bits, to read and to type.
///
/// # Errors
///
/// As [`random_bytes`].
pub fn readable_password() -> Result<String> {
    let bytes = random_bytes::<6>()?;
    let word = |byte: u8| WORDS[usize::from(byte) % WORDS.len()];
    let digits = u16::from_be_bytes([bytes[4], bytes[5]]) % 1_000;
    let [a, b, c, d] = [bytes[0], bytes[1], bytes[2], bytes[3]].map(word);
    Ok(format!("{a}-{b}-{c}-{d}-{digits:03}"))
}

/// Writes a file of mode 0600, so that readers see either the old content or all of the new.
///
/// # Errors
///
/// When the directory is not writable or the disk is full.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let staged = path.with_extension("new");
    let write = || {
        // A leftover of an interrupted write could have another mode or owner.
        match fs::remove_file(&staged) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&staged)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&staged, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Makes or empties a file of mode 0600, for a log.
///
/// # Errors
///
/// When the directory is not writable or the disk is full.
pub fn create_private(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = [0, 1, 2].map(|i| chunk.get(i).copied().unwrap_or(0));
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for position in 0..=chunk.len() {
            let sextet = (bits >> (18 - 6 * position)) & 0x3f;
            text.push(char::from(BASE64URL[sextet as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_follows_the_rfc() {
        let expected = ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"];

        for (length, expected) in expected.iter().enumerate() {
            assert_eq!(base64url(&b"foobar"[..length]), *expected);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn demo_passwords_are_long_enough_and_differ() {
        let (one, other) = (readable_password().unwrap(), readable_password().unwrap());

        assert!(one.len() >= 10, "{one}");
        assert_ne!(one, other);
    }

    #[test]
    fn forty_eight_bytes_make_sixty_four_characters() {
        assert_eq!(random_text::<48>().unwrap().len(), 64);
    }
}
