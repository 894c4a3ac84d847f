//! Being sure: what can't be taken back is asked for twice.

use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;

use super::failure::Failure;
use super::output::complain;

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Yes {
    /// Don't ask; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
}

/// Goes on if that was said beforehand, or if a person types the tenant's name once more.
pub(super) fn confirm(tenant: &str, yes: Yes, what: &str) -> Result<(), Failure> {
    if yes.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::stuck(
            "not_confirmed",
            format!("{what}, and nobody said yes to that"),
        )
        .hint("give --yes if that is what you want"));
    }
    complain(&format!("{what}. Type {tenant} to go on:"));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read {
        Ok(_) if line.trim() == tenant => Ok(()),
        _ => Err(Failure::stuck("not_confirmed", "nothing was done")
            .hint("type the tenant as you named it, or give --yes")),
    }
}
