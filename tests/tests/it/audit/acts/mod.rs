//! One real act for every operation that writes, area by area, on real things.

mod access;
mod auth;
mod catalogue;
mod imports;
mod jobs;
mod people;
mod second_factor;
mod sso;
mod webhooks;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tests::{Actor, Dealer, Reply, TestApp};

use crate::openapi::Operation;

/// Where acts are done.
pub struct World {
    pub app: TestApp,
    pub acme: Dealer,
    /// The owner's id.
    pub me: String,
}

/// What is sent.
pub enum Sent {
    Nothing,
    Json(Value),
    File(&'static str),
}

/// What the record says it was done to.
pub enum Target {
    /// This very thing.
    Known(&'static str, String),
    /// The thing that the answer tells, by this field.
    Told(&'static str, &'static str),
    /// Something of this kind; the answer doesn't tell which.
    One(&'static str),
    /// None that has an id.
    All(&'static str),
}

/// Something that can be done once.
pub struct Act {
    pub who: Actor,
    /// What the braces of the address stand for, in their order.
    pub names: Vec<String>,
    pub sent: Sent,
    pub action: &'static str,
    pub target: Target,
    /// Of the record.
    pub actor: Value,
}

impl World {
    pub async fn start() -> Self {
        let app = TestApp::start().await;
        let acme = app.dealer().await;
        let me = super::id_of(&acme).await;
        Self { app, acme, me }
    }

    /// An act of the owner.
    pub fn act(&self, action: &'static str, target: Target) -> Act {
        Act {
            who: self.acme.owner.clone(),
            names: Vec::new(),
            sent: Sent::Nothing,
            action,
            target,
            actor: json!({"kind": "member", "id": self.me}),
        }
    }

    /// The act of an operation, if an area has one.
    pub async fn of(&self, operation_id: &str) -> Option<Act> {
        if let Some(act) = catalogue::act(self, operation_id).await {
            return Some(act);
        }
        if let Some(act) = jobs::act(self, operation_id).await {
            return Some(act);
        }
        if let Some(act) = imports::act(self, operation_id).await {
            return Some(act);
        }
        if let Some(act) = auth::act(self, operation_id).await {
            return Some(act);
        }
        if let Some(act) = access::act(self, operation_id).await {
            return Some(act);
        }
        if let Some(act) = people::act(self, operation_id).await {
            return Some(act);
        }
        if let Some(act) = second_factor::act(self, operation_id).await {
            return Some(act);
        }
        if let Some(act) = webhooks::act(self, operation_id).await {
            return Some(act);
        }
        sso::act(self, operation_id).await
    }
}

impl Act {
    pub fn on(mut self, name: impl ToString) -> Self {
        self.names.push(name.to_string());
        self
    }

    pub fn json(self, body: Value) -> Self {
        self.send(Sent::Json(body))
    }

    pub fn send(mut self, sent: Sent) -> Self {
        self.sent = sent;
        self
    }

    /// The same by somebody else: their id, if they are a member who has signed in.
    pub fn by(mut self, who: Actor, id: Option<&str>) -> Self {
        self.who = who;
        self.actor = match id {
            Some(id) => json!({"kind": "member", "id": id}),
            None => json!({"kind": "anonymous"}),
        };
        self
    }

    /// Does it.
    pub async fn done(&self, operation: &Operation, if_match: Option<&str>) -> Reply {
        let mut path = operation.path.clone();
        for name in &self.names {
            let (from, to) = (path.find('{').unwrap(), path.find('}').unwrap());
            path.replace_range(from..=to, name);
        }
        assert!(!path.contains('{'), "{path}: say what it is done to");
        let method = Method::from_bytes(operation.method.to_uppercase().as_bytes()).unwrap();
        let mut request = self.who.request(method, &path);
        if let Some(version) = if_match {
            request = request.header("if-match", version);
        }
        let request = match &self.sent {
            Sent::Nothing => request,
            Sent::Json(body) => request.json(body),
            Sent::File(text) => {
                let part = Part::bytes(text.as_bytes()).file_name("prices.csv");
                request.multipart(Form::new().part("file", part))
            }
        };
        self.who.send(request).await
    }
}
