//! The provisioner against a real Postgres, with a toy product: no dealer is needed anywhere.

#![expect(
    clippy::disallowed_types,
    reason = "the provisioner is one of the two doors to a database, and this looks behind it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a test's own connection is nobody else's: a begin that is cancelled harms no one"
)]
#![expect(
    clippy::unwrap_used,
    reason = "these are tests, and so is what they share"
)]

mod check;
mod clone;
mod command_line;
mod creation;
mod dealers;
mod domains;
mod drift;
mod elsewhere;
mod entries;
mod export;
mod fence;
mod kill;
mod kill_copies;
mod kill_rehearsals;
mod kill_runs;
mod lanes;
mod life;
mod moves;
mod nodes;
mod operators;
mod plans;
mod platform;
mod rehearse;
mod runs;
mod scratch;
mod spares;
mod toy;
