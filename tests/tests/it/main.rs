//! The suite: one binary, a module for each thing that is promised.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests look from outside: raw connections and clocks are theirs"
)]

mod architecture;
mod catalogue;
mod pages;
