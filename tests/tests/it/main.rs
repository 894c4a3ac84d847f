//! The suite: one binary, a module for each thing that is promised.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests look from outside: raw connections and clocks are theirs, and a panic is how \
              they fail"
)]

mod api_keys;
mod architecture;
mod audit;
mod authorization;
mod catalogue;
mod check_reports;
mod clients;
mod command_line;
mod contract;
mod deaths;
mod doctor;
mod edge;
mod exports;
mod fuzz;
mod idempotency;
mod imports;
mod isolation;
mod jobs;
mod lanes;
mod live;
mod mail;
mod metrics;
mod notifications;
mod oidc_provider;
mod openapi;
mod organisation;
mod outages;
mod pages;
mod people;
mod platform;
mod pooler;
mod problems;
mod process;
mod resolution;
mod schema;
mod second_factor;
mod sessions;
mod sso;
mod staleness;
mod storage;
mod tokens;
mod transactions;
mod version_skew;
mod walk_through;
mod webhooks;
