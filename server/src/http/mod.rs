//! Transport: who is asked, who asks, what goes wrong, and how all of it looks on the wire.

mod addresses;
mod answer;
pub mod body;
mod client;
mod code;
mod etag;
mod gate;
pub mod health;
mod host;
mod idempotency;
pub mod limits;
mod member;
mod page;
mod pages;
mod problem;
mod request;
mod resolve;
mod tokens;

pub use addresses::Addresses;
pub use answer::{Answer, Done};
pub use body::Body;
pub use client::client_address;
pub use code::Code;
pub use etag::{ETag, IfMatch};
pub use gate::{Entry, Gate, Passage, put_on_record};
pub use idempotency::{BodyDigest, forget_expired as forget_expired_answers};
pub use member::{Caller, Leaver, Member, OpenedBy, bearer};
pub use page::{PageOut, PageQuery};
pub use pages::{docs, landing, problems};
pub use problem::{FieldError, Problem, ProblemOut};
pub use request::{RequestId, each_request};
pub use resolve::{Dealer, is_admin_host, known_host, resolve};
pub use tokens::{RefreshIn, SignInIn, TokensOut, handed_out, visitor};

use actix_web::web;

/// Makes every extractor fail in our own words.
pub fn extractors(cfg: &mut web::ServiceConfig) {
    cfg.app_data(
        web::QueryConfig::default()
            .error_handler(|error, _| Problem::new(Code::QueryInvalid).detail(error).into()),
    )
    .app_data(web::PathConfig::default().error_handler(|_, _| Problem::new(Code::NotFound).into()));
}
