//! Canaries that listen: each follows its own events while the traffic lasts, and must hear all of
//! them, each once, and nothing of anybody else's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;

use super::flock::{Canary, Flock};
use super::marker;
use super::report::Report;
use super::target::Target;
use crate::harness::{EventStream, Scratch, within};

/// Before a stream that was refused or broke off is asked for again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the last events may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// All who listen.
#[derive(Debug)]
pub struct Ears {
    ears: Vec<Arc<Ear>>,
    // They end with it.
    _listening: JoinSet<()>,
}

#[derive(Debug)]
struct Ear {
    canary: Canary,
    server: Target,
    /// The last event before it began to listen.
    begin: i64,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    ids: Vec<i64>,
    /// How many of them bore the dealer's own marker.
    own: usize,
    findings: Vec<String>,
}

impl Ears {
    /// Has each canary follow its events, at one of these servers, and makes sure that there will be
    /// something to hear.
    ///
    /// # Panics
    ///
    /// When a stream doesn't begin.
    pub async fn listen(flock: &Flock, servers: &[Target]) -> Self {
        let (mut ears, mut listening) = (Vec::new(), JoinSet::new());
        for (canary, server) in flock.canaries.iter().zip(servers.iter().cycle()) {
            let response = ask(canary, server, None).await.expect("a server answers");
            let mut stream = EventStream::over(response, "");
            let ready = stream.next().await.expect("a stream begins");
            let ear = Arc::new(Ear {
                canary: canary.clone(),
                server: server.clone(),
                begin: ready.id.parse().expect("ids are numbers"),
                heard: Mutex::default(),
            });
            ears.push(ear.clone());
            listening.spawn(async move { ear.listen(stream).await });
            let code = format!("{}_heard", canary.marker);
            let unit = json!({"code": code, "name": code, "symbol": "u", "decimals": 0});
            let owner = canary.owner_at(server);
            owner.post("/units", unit).await.expect(201);
        }
        Self {
            ears,
            _listening: listening,
        }
    }

    /// Waits until all was heard, compares it with the dealers' logs, and adds what doesn't belong to
    /// the report.
    ///
    /// # Panics
    ///
    /// When something is never heard, or a log can't be read.
    pub async fn compare(self, database: &Scratch, report: &mut Report) {
        for ear in &self.ears {
            let slug = &ear.canary.slug;
            let log = log_after(database, slug, ear.begin).await;
            within(PATIENCE, "all was heard", async || {
                ear.heard().ids.last() >= log.last()
            })
            .await;
            let mut heard = ear.heard();
            for finding in heard.findings.drain(..) {
                report.find(finding);
            }
            heard
                .ids
                .retain(|id| log.last().is_some_and(|last| id <= last));
            if heard.ids != log {
                let (heard, log) = (heard.ids.len(), log.len());
                report.find(format!(
                    "{slug} heard {heard} of {log} events, or not in order"
                ));
            }
            if heard.own == 0 {
                report.find(format!("nothing that {slug} heard bears its marker"));
            }
        }
    }
}

impl Ear {
    async fn listen(&self, mut stream: EventStream) {
        loop {
            while let Some(heard) = stream.next().await {
                let text = format!("{} {} {}", heard.id, heard.event, heard.data);
                self.take(&heard.id, heard.event.contains('.'), &text);
            }
            stream = self.come_again(&stream.last_id).await;
        }
    }

    async fn come_again(&self, last_id: &str) -> EventStream {
        loop {
            let asked = ask(&self.canary, &self.server, Some(last_id)).await;
            match asked {
                Some(response) if response.status() == 200 => {
                    return EventStream::over(response, last_id);
                }
                // The server is away, the dealer is shut, or nobody gets to its rows now.
                Some(refused) => {
                    let text = refused.text().await.unwrap_or_default();
                    self.take("", false, &text);
                }
                None => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn take(&self, id: &str, is_event: bool, text: &str) {
        let (slug, own) = (&self.canary.slug, &self.canary.marker);
        let mut heard = self.heard();
        if let Some(foreign) = marker::foreign(text, Some(own)) {
            heard
                .findings
                .push(format!("{slug} heard {foreign}: {text}"));
        }
        if is_event {
            heard.own += usize::from(text.contains(own.as_str()));
            heard.ids.push(id.parse().unwrap_or_default());
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(canary: &Canary, server: &Target, last_id: Option<&str>) -> Option<Response> {
    let owner = canary.owner_at(server);
    let mut request = owner.request(Method::GET, "/events");
    if let Some(id) = last_id {
        request = request.header("last-event-id", id);
    }
    let request = request.header("accept", "text/event-stream");
    request.send().await.ok()
}

async fn log_after(database: &Scratch, slug: &str, begin: i64) -> Vec<i64> {
    let schema = database.schema_of(slug).await;
    let sql = format!("SELECT id FROM {schema}.event WHERE id > $1 ORDER BY id");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(begin)
        .fetch_all(&mut database.connect_to_home_of(slug).await)
        .await
        .expect("the log can be read")
}
