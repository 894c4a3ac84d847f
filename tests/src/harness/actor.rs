//! Those who use the app: owners, members, strangers, neighbours.

use std::ops::Deref;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::reply::Reply;

/// Somebody at a host, signed in or not.
#[derive(Debug, Clone)]
pub struct Actor {
    client: Client,
    base: String,
    /// The host header they send.
    pub host: String,
    /// Their access token, if they have signed in.
    pub token: Option<String>,
}

/// A dealer, seen through its owner.
#[derive(Debug, Clone)]
pub struct Dealer {
    /// First label of its host.
    pub slug: String,
    /// Its owner's address.
    pub email: String,
    /// Its owner's password.
    pub password: String,
    /// Its owner, signed in.
    pub owner: Actor,
}

impl Deref for Dealer {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.owner
    }
}

impl Actor {
    /// Somebody who has not signed in.
    pub fn stranger(client: Client, base: &str, host: &str) -> Self {
        Self {
            client,
            base: base.to_owned(),
            host: host.to_owned(),
            token: None,
        }
    }

    /// The same person without their token.
    pub fn signed_out(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    /// The same person at another host.
    pub fn at(&self, host: &str) -> Self {
        Self {
            host: host.to_owned(),
            ..self.clone()
        }
    }

    /// The same person with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// A request to be filled in. `path` lies under `/api/v1` unless it begins with another root.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let is_api = ![
            "/api/",
            "/platform/",
            "/livez",
            "/readyz",
            "/problems",
            "/account/",
            "/assets/",
            "/dev/",
            "/.well-known/",
        ]
        .iter()
        .any(|root| path.starts_with(root))
            && path != "/";
        let prefix = if is_api { "/api/v1" } else { "" };
        let request = self
            .client
            .request(method, format!("{}{prefix}{path}", self.base))
            .header("host", &self.host);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Reads something.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&body))
            .await
    }

    /// Changes something that was at a version.
    pub async fn patch(&self, path: &str, version: i64, body: Value) -> Reply {
        let request = self
            .request(Method::PATCH, path)
            .header("if-match", format!("\"{version}\""));
        self.send(request.json(&body)).await
    }

    /// Removes something, whatever its version.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path).header("if-match", "*"))
            .await
    }

    /// Tries to sign in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Reply {
        self.post(
            "/auth/sign-in",
            json!({ "email": email, "password": password }),
        )
        .await
    }

    /// Creates an item and returns it. `fields` win over the defaults.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub async fn item(&self, sku: &str, fields: Value) -> Value {
        let mut body = json!({ "sku": sku, "name": format!("Item {sku}"), "base_unit": "pcs" });
        let fields = fields.as_object().expect("fields are an object").clone();
        body.as_object_mut().expect("made above").extend(fields);
        self.post("/items", body).await.expect(201).json
    }

    /// Sends a request that was filled in.
    ///
    /// # Panics
    ///
    /// When the server doesn't answer.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        Reply::of(request.send().await.expect("the server answers")).await
    }
}
