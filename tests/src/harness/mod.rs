//! What a test needs: `TestApp::start()`, `app.dealer()`, and then HTTP.

mod actor;
mod app;
mod database;
mod programs;
mod reply;

pub use actor::{Actor, Dealer};
pub use app::TestApp;
pub use database::Scratch;
pub use programs::{server_binary, tubex};
pub use reply::Reply;
