//! API keys: made, used, limited, replaced, revoked, and attacked.

mod attacks;
mod ends;
mod life;
mod notes;

use serde_json::{Value, json};
use tests::{Actor, Reply};

/// A key that was made: its text, its id, and whoever uses it.
pub struct Made {
    pub text: String,
    pub id: String,
    pub machine: Actor,
}

/// Makes a key; `more` wins over its name and the permission to read items.
pub async fn key(maker: &Actor, more: Value) -> Made {
    made(maker, &ask(maker, more).await.expect(201))
}

/// Asks for a key.
pub async fn ask(maker: &Actor, more: Value) -> Reply {
    let mut body = json!({"name": "Shop", "permissions": ["item.read"]});
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    maker.post("/api-keys", body).await
}

/// What an answer tells of a key that was made.
pub fn made(maker: &Actor, reply: &Reply) -> Made {
    let text = reply.json["key"].as_str().unwrap().to_owned();
    Made {
        id: reply.json["api_key"]["id"].as_str().unwrap().to_owned(),
        machine: maker.with_token(&text),
        text,
    }
}

/// Whether somebody is let in.
pub async fn opens(machine: &Actor) -> bool {
    let reply = machine.get("/items?limit=1").await;
    match reply.status.as_u16() {
        200 => true,
        401 => false,
        _ => panic!("{}", reply.text()),
    }
}
