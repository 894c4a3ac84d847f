//! The document that describes the API, and the API it describes.

pub mod bodies;
mod document;
mod pages;
pub mod walk;

use serde_json::Value;
use tests::Actor;

pub const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation of the document.
pub struct Operation {
    pub method: &'static str,
    pub path: String,
    pub says: Value,
}

impl Operation {
    /// Whether it needs a token.
    pub fn is_secured(&self) -> bool {
        self.says["security"]
            .as_array()
            .is_some_and(|ways| !ways.is_empty())
    }

    /// The permission that it asks for, or `own`, or `anybody`.
    pub fn permission(&self) -> &str {
        let permission = self.says["x-permission"].as_str();
        permission.unwrap_or_else(|| panic!("{} asks for nobody", self.name()))
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

pub async fn document(who: &Actor) -> Value {
    who.signed_out()
        .get("/api/openapi.json")
        .await
        .expect(200)
        .json
}

pub fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            if let Some(says) = item.get(method) {
                found.push(Operation {
                    method,
                    path: path.clone(),
                    says: says.clone(),
                });
            }
        }
    }
    found
}
