//! `local clean`: ends what is left running and removes everything that `make dev` has made.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::account::{Account, own_uid};
use super::dev::server;
use super::place::{self, Place};
use super::say::say;
use super::{postgres, redis};

/// Removes `.local` and its stand-in.
///
/// # Errors
///
/// When `make dev` is at work here, or a file belongs to somebody else.
pub fn clean() -> Result<()> {
    let checkout = place::checkout()?;
    let home = checkout.join(".local");
    let stand_in = place::stand_in(&checkout);
    let mut removed = false;
    if home.exists() {
        let place = Place {
            checkout,
            home: home.clone(),
            instances: home.clone(),
        };
        Account::detect()?;
        let _alone = place.lock()?;
        server::end_leftover(&place);
        removed |= remove(&home)?;
    }
    if let Ok(found) = fs::symlink_metadata(&stand_in) {
        if !found.is_dir() || found.uid() != own_uid()? {
            bail!("{} is not ours; remove it as its owner", stand_in.display());
        }
        removed |= remove(&stand_in)?;
    }
    say(if removed {
        "removed the local stack and its data"
    } else {
        "nothing to remove"
    });
    Ok(())
}

fn remove(instances: &Path) -> Result<bool> {
    redis::end_leftover(&instances.join("redis"));
    postgres::end_leftover(&instances.join("postgres"));
    match fs::remove_dir_all(instances) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| {
            format!(
                "cannot remove {}; was it made with sudo?",
                instances.display()
            )
        }),
    }
}
