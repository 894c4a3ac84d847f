//! What a test needs: `TestApp::start()`, `app.dealer()`, and then HTTP.

mod actor;
mod app;
mod browser;
mod database;
mod event_socket;
mod event_stream;
mod eventually;
mod imports;
mod mails;
mod nodes;
mod oidc_provider;
mod older;
mod pooler;
mod programs;
mod reply;
mod server_process;
mod wire;

pub use actor::{Actor, Dealer};
pub use app::TestApp;
pub use browser::Browser;
pub(crate) use database::PASSWORD;
pub use database::Scratch;
pub use event_socket::EventSocket;
pub use event_stream::{EventStream, Heard};
pub use eventually::eventually;
pub use mails::token_in;
pub use nodes::node_urls;
pub use oidc_provider::{OidcClient, OidcProvider, OldKeys, SignedBy};
pub use older::OlderDealers;
pub use pooler::PgBouncer;
pub use programs::{server_binary, tubex, tubex_command};
pub use reply::Reply;
pub use server_process::ServerProcess;
pub use wire::{Asked, Wire};
