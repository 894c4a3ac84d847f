//! Access tokens: how they are attacked, and the keys they are signed with.

mod attacks;
mod keys;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tests::{Actor, Reply};

/// A part of a token, as JSON.
fn part(token: &str, number: usize) -> Value {
    let text = token
        .split('.')
        .nth(number)
        .expect("a token has three parts");
    let bytes = URL_SAFE_NO_PAD.decode(text).expect("it is base64");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

fn encoded(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// Names of the keys that are published at somebody's host.
async fn published(who: &Actor) -> Vec<String> {
    let reply = jwks(who).await.expect(200);
    let keys = reply.json["keys"].as_array().expect("a key set");
    let kids = keys.iter().map(|key| key["kid"].as_str());
    kids.map(|kid| kid.expect("a key has a name").to_owned())
        .collect()
}

async fn jwks(who: &Actor) -> Reply {
    let url = who.request(reqwest::Method::GET, "/.well-known/jwks.json");
    who.send(url).await
}
