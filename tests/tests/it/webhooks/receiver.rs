//! A receiver: a web server of our own, which does what it is told and keeps what it got.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use rustls::ServerConfig;
use serde_json::Value;
use tests::eventually;

/// What it got.
#[derive(Debug, Clone)]
pub struct Got {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

/// What it does at a path.
#[derive(Debug, Clone)]
pub enum Reaction {
    Status(u16),
    /// With `Retry-After`, in seconds or as a time.
    Busy(u16, String),
    Redirect(String),
    Hang,
    /// 200 and a body of so many bytes.
    Long(usize),
}

#[derive(Debug, Default)]
struct Kept {
    got: Mutex<Vec<Got>>,
    reactions: Mutex<HashMap<String, Reaction>>,
}

/// A receiver; at a path of which nothing was said it answers 204.
#[derive(Debug)]
pub struct Receiver {
    pub port: u16,
    kept: Arc<Kept>,
    handle: actix_web::dev::ServerHandle,
}

impl Receiver {
    /// One that listens at all addresses of this machine.
    pub async fn start() -> Self {
        Self::start_speaking(None).await
    }

    /// The same, speaking TLS if it has something to speak it with.
    pub async fn start_speaking(tls: Option<ServerConfig>) -> Self {
        let kept = Arc::<Kept>::default();
        let data = web::Data::from(kept.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .default_service(web::to(receive))
        })
        .workers(1)
        .disable_signals();
        let server = match tls {
            Some(tls) => server.bind_rustls_0_23("0.0.0.0:0", tls),
            None => server.bind("0.0.0.0:0"),
        };
        let server = server.unwrap();
        let port = server.addrs()[0].port();
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { port, kept, handle }
    }

    /// An address of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Has it do something at a path from now on.
    pub fn reacts(&self, path: &str, reaction: Reaction) {
        let mut reactions = self.kept.reactions.lock().unwrap();
        reactions.insert(path.to_owned(), reaction);
    }

    /// What it got at a path.
    pub fn got(&self, path: &str) -> Vec<Got> {
        let all = self.kept.got.lock().unwrap();
        all.iter().filter(|it| it.path == path).cloned().collect()
    }

    /// The same, once it is so much.
    pub async fn got_all(&self, path: &str, many: usize) -> Vec<Got> {
        let what = format!("{many} arrive at {path}");
        eventually(&what, async || self.got(path).len() >= many).await;
        let got = self.got(path);
        assert_eq!(got.len(), many, "{got:#?}");
        got
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Got {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn receive(req: HttpRequest, body: String, kept: web::Data<Kept>) -> HttpResponse {
    let path = req.path().to_owned();
    let headers = req.headers().iter();
    let headers = headers.map(|(name, value)| {
        let text = value.to_str().unwrap_or_default();
        (name.to_string(), text.to_owned())
    });
    let headers = headers.collect();
    let reaction = kept.reactions.lock().unwrap().get(&path).cloned();
    let got = Got {
        path,
        headers,
        body,
    };
    kept.got.lock().unwrap().push(got);
    match reaction.unwrap_or(Reaction::Status(204)) {
        Reaction::Status(status) => answer(status).finish(),
        Reaction::Busy(status, until) => answer(status)
            .insert_header(("retry-after", until))
            .finish(),
        Reaction::Redirect(to) => answer(302).insert_header(("location", to)).finish(),
        Reaction::Hang => {
            actix_web::rt::time::sleep(Duration::from_secs(3600)).await;
            HttpResponse::Ok().finish()
        }
        Reaction::Long(bytes) => answer(200).body("a\0".repeat(bytes / 2)),
    }
}

fn answer(status: u16) -> actix_web::HttpResponseBuilder {
    HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap())
}
