//! What is measured, and where it is told.

mod ports;
mod scrape;
