//! What came back.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
    /// Its body as JSON, or null when it is none.
    pub json: Value,
}

impl Reply {
    /// Reads an answer to its end.
    ///
    /// # Panics
    ///
    /// When the connection breaks.
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .expect("the answer has an end")
            .to_vec();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Self {
            status,
            headers,
            body,
            json,
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The code of the problem it is, or nothing.
    pub fn problem(&self) -> &str {
        let is_problem = self.header("content-type") == "application/problem+json";
        if is_problem {
            self.json["code"].as_str().unwrap_or_default()
        } else {
            ""
        }
    }

    /// Itself, if it has this status.
    ///
    /// # Panics
    ///
    /// When it hasn't.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}
