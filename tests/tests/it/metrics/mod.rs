//! What is measured, and where it is told.

mod alerts;
mod ports;
mod scrape;
