//! Signing in, staying signed in, and everything that ends it.

mod attempts;
mod browser;
mod ending;
mod families;
mod lifetimes;
mod places;
mod sign_in;
mod tokens;

use serde_json::json;
use tests::{Actor, Dealer, Reply};

/// Two tokens of one session.
struct Tokens {
    access: String,
    refresh: String,
}

impl Tokens {
    async fn of(dealer: &Dealer) -> Self {
        let reply = dealer.sign_in(&dealer.email, &dealer.password);
        Self::in_reply(&reply.await)
    }

    #[track_caller]
    fn in_reply(reply: &Reply) -> Self {
        let token = |name: &str| reply.json[name].as_str().map(ToOwned::to_owned);
        Self {
            access: token("access_token").unwrap_or_else(|| panic!("{}", reply.text())),
            refresh: token("refresh_token").unwrap_or_else(|| panic!("{}", reply.text())),
        }
    }
}

async fn refresh(actor: &Actor, token: &str) -> Reply {
    let body = json!({ "refresh_token": token });
    actor.signed_out().post("/auth/refresh", body).await
}

#[track_caller]
fn assert_refused(reply: &Reply, code: &str) {
    let seen = (reply.status.as_u16(), reply.problem());
    assert_eq!(seen, (401, code), "{}", reply.text());
}
