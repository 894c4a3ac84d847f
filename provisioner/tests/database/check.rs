//! Checks of migrations that were written to be found, each beside one that does the same safely.

mod cases;
mod cases_of_kind;
mod differential;
mod fatal;
mod parts;
mod trial;
