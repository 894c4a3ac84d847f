//! The real `server` program: its configuration, its log, its end, its worker.

mod configuration;
mod life;
mod log;
pub mod program;
mod worker;
