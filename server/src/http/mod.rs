//! Transport: who is asked, who asks, what goes wrong, and how all of it looks on the wire.

mod account_pages;
mod addresses;
mod answer;
pub mod body;
mod browser;
mod client;
mod code;
mod cors;
mod deprecation;
mod etag;
mod fields;
mod finishing;
mod gate;
pub mod health;
mod host;
mod idempotency;
mod jwks;
pub mod limits;
mod listing;
mod member;
mod opened;
mod page;
mod pages;
mod problem;
mod representation;
mod request;
mod resolve;
mod security;
mod tls;
mod tokens;

pub use account_pages::{
    accept_invitation, account_script, confirm_email, reset_password, verify_email,
};
pub use addresses::Addresses;
pub use answer::{Answer, Done};
pub use body::Body;
pub use browser::{csrf_token, must_be_own_page, refresh_cookie, socket_must_be_own_pages};
pub use client::client_address;
pub use code::Code;
pub use cors::cross_origin;
pub use deprecation::Operations;
pub use etag::{ETag, IfMatch};
pub use fields::Fields;
pub use gate::{Entry, Gate, Passage, put_on_record};
pub use idempotency::{BodyDigest, forget_expired as forget_expired_answers};
pub use jwks::key_set;
pub use listing::Listing;
pub use member::{Caller, Leaver, Member, bearer};
pub(crate) use opened::opened;
pub use opened::{ANYBODY, Anybody, OWN, OpenedBy, Probe, opened_only};
pub use page::{FieldsQuery, PageOut, PageQuery, page_limit};
pub use pages::{docs, landing, problems, style};
pub use problem::{FieldError, Problem, ProblemOut};
pub use representation::represent;
pub use request::{RequestId, each_request};
pub use resolve::{Dealer, is_admin_host, known_host, resolve};
pub use tls::acceptor;
pub use tokens::{RefreshIn, SignInIn, TokensOut, handed_out, visitor};

use actix_web::web;

/// Makes every extractor fail in our own words.
pub fn extractors(cfg: &mut web::ServiceConfig) {
    cfg.app_data(
        web::QueryConfig::default()
            .error_handler(|error, _| Problem::new(Code::QueryInvalid).detail(error).into()),
    )
    .app_data(web::PathConfig::default().error_handler(|_, req| {
        let addresses = req.app_data::<web::Data<Addresses>>();
        addresses
            .map_or_else(
                || Problem::new(Code::NotFound),
                |addresses| addresses.refusal_of_a_name(req),
            )
            .into()
    }));
}
