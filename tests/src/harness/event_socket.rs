//! A client of the WebSocket.

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Message, http};

use super::actor::Actor;
use super::eventually::PATIENCE;

/// A socket that is open.
#[derive(Debug)]
pub struct EventSocket(WebSocketStream<TcpStream>);

impl EventSocket {
    /// Opens it, such as at `/ws?topics=items`, and waits until it begins.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub async fn open(who: &Actor, path: &str) -> Self {
        let opened = Self::try_open(who, path, &[]).await;
        let mut socket = opened.unwrap_or_else(|status| panic!("{path}: {status}"));
        let ready = socket.next().await.expect("it begins");
        assert_eq!(ready["type"], "ready");
        socket
    }

    /// The same with more headers.
    ///
    /// # Errors
    ///
    /// The status it is refused with.
    ///
    /// # Panics
    ///
    /// When nobody answers.
    pub async fn try_open(
        who: &Actor,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, http::StatusCode> {
        let asked = who.request(Method::GET, path).build().expect("plain parts");
        let url = asked.url();
        let address = (
            url.host_str().expect("a host").to_owned(),
            url.port().expect("a port"),
        );
        let ours = url.as_str().replacen("http", "ws", 1);
        let mut request = ours.into_client_request().expect("plain parts");
        let added = asked
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().expect("ASCII")));
        for (name, value) in added.chain(headers.iter().copied()) {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            let value = HeaderValue::from_str(value).expect("ASCII");
            request.headers_mut().insert(name, value);
        }
        let stream = TcpStream::connect(address).await.expect("somebody listens");
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(refused)) => Err(refused.status()),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Says something.
    ///
    /// # Panics
    ///
    /// When the other end has gone.
    pub async fn say(&mut self, said: &Value) {
        self.say_text(said.to_string()).await;
    }

    /// The same, whatever it is.
    ///
    /// # Panics
    ///
    /// When the other end has gone.
    pub async fn say_text(&mut self, text: String) {
        let sent = self.0.send(Message::text(text)).await;
        sent.expect("the other end is there");
    }

    /// The next message; nothing once it is closed.
    ///
    /// # Panics
    ///
    /// When nothing comes for so long that nothing will.
    pub async fn next(&mut self) -> Option<Value> {
        self.message()
            .await
            .map(|text| serde_json::from_str(&text).expect("messages are JSON"))
    }

    /// Reads to its end: the code it is closed with, and why; nothing when it just broke off.
    ///
    /// # Panics
    ///
    /// When it doesn't end.
    pub async fn end(&mut self) -> Option<(u16, String)> {
        loop {
            match self.read().await? {
                Message::Close(Some(frame)) => {
                    return Some((frame.code.into(), frame.reason.to_string()));
                }
                _ => continue,
            }
        }
    }

    async fn message(&mut self) -> Option<String> {
        loop {
            match self.read().await? {
                Message::Text(text) => return Some(text.to_string()),
                Message::Close(_) => return None,
                _ => continue,
            }
        }
    }

    async fn read(&mut self) -> Option<Message> {
        let read = tokio::time::timeout(PATIENCE, self.0.next()).await;
        read.expect("something comes, or it is closed")?.ok()
    }
}
