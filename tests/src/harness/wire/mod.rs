//! The wire between a server and its database: it can be cut and mended, hold answers back, and
//! write down what is asked.

mod frontend;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use url::Url;

pub use self::frontend::Asked;
use self::frontend::Frontend;
use super::database::Scratch;

/// A way to a test's database that passes through our hands.
#[derive(Debug)]
pub struct Wire {
    url: String,
    flow: watch::Sender<Flow>,
    held: Arc<Notify>,
    asked: Asking,
}

/// What was asked, each time with the login that asked; nothing while nobody wants to know.
type Asking = Arc<Mutex<Option<Vec<(String, Asked)>>>>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Flow {
    /// Everything passes.
    Open,
    /// Questions pass, answers don't.
    Silent,
    /// The answer to a question with this word in it is held back, and all that would follow it.
    HeldAfter(Arc<str>),
    /// Nobody is there: connections end, new ones end at once.
    Cut,
}

impl Wire {
    /// A wire to this database, open.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub async fn to(database: &Scratch) -> Self {
        let mut url = Url::parse(&database.server_url()).expect("an address");
        let target = (
            url.host_str().expect("a host").to_owned(),
            url.port().unwrap_or(5432),
        );
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(port)).expect("a port");
        let (flow, seen) = watch::channel(Flow::Open);
        let (held, asked) = (Arc::new(Notify::new()), Asking::default());
        tokio::spawn(accept(listener, target, seen, held.clone(), asked.clone()));
        Self {
            url: url.into(),
            flow,
            held,
            asked,
        }
    }

    /// Writes down what is asked from now on.
    pub fn record(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// What dealers' lanes have asked since [`Wire::record`], in the order in which it passed.
    pub fn asked_by_lanes(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = asked.iter().flatten();
        asked
            .filter(|(login, _)| login.starts_with("lane_"))
            .map(|(_, asked)| asked.clone())
            .collect()
    }

    /// The server's address of the database, by way of this wire.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends every connection, and each new one at once.
    pub fn cut(&self) {
        self.flow.send_replace(Flow::Cut);
    }

    /// Lets no answer pass, as if the other end had gone without a word.
    pub fn silence(&self) {
        self.flow.send_replace(Flow::Silent);
    }

    /// Holds back the answer to the next question with this word in it.
    pub fn hold_after(&self, word: &str) {
        self.flow.send_replace(Flow::HeldAfter(word.into()));
    }

    /// Returns once an answer is held back.
    pub async fn holds(&self) {
        self.held.notified().await;
    }

    /// Lets everything pass again.
    pub fn mend(&self) {
        self.flow.send_replace(Flow::Open);
    }
}

async fn accept(
    listener: TcpListener,
    target: (String, u16),
    flow: watch::Receiver<Flow>,
    held: Arc<Notify>,
    asked: Asking,
) {
    while let Ok((client, _)) = listener.accept().await {
        if *flow.borrow() == Flow::Cut || flow.has_changed().is_err() {
            continue;
        }
        let (target, flow, held) = (target.clone(), flow.clone(), held.clone());
        let asked = asked.clone();
        tokio::spawn(async move {
            if let Ok(server) = TcpStream::connect((target.0.as_str(), target.1)).await {
                pass(client, server, flow, held, asked).await;
            }
        });
    }
}

/// Ends when either side does, or when the wire is cut; both sides are closed then.
async fn pass(
    client: TcpStream,
    server: TcpStream,
    flow: watch::Receiver<Flow>,
    held: Arc<Notify>,
    asked: Asking,
) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (hold, is_held) = watch::channel(false);
    let mut cut = flow.clone();
    tokio::select! {
        () = ask(from_client, to_server, &flow, &hold, &held, &asked) => {}
        () = answer(from_server, to_client, flow.clone(), is_held) => {}
        _ = cut.wait_for(|flow| *flow == Flow::Cut) => {}
    }
}

async fn ask(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    flow: &watch::Receiver<Flow>,
    hold: &watch::Sender<bool>,
    held: &Notify,
    asked: &Asking,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut frontend = Frontend::default();
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let question = &buffer[..length];
        let messages = frontend.read(question);
        if let (Some(asked), Some(login)) = (
            &mut *asked.lock().unwrap_or_else(PoisonError::into_inner),
            &frontend.login,
        ) {
            asked.extend(messages.into_iter().map(|message| (login.clone(), message)));
        }
        let is_named = match &*flow.borrow() {
            Flow::HeldAfter(word) => question.windows(word.len()).any(|w| w == word.as_bytes()),
            _ => false,
        };
        hold.send_replace(is_named);
        if to.write_all(question).await.is_err() {
            return;
        }
        if is_named {
            held.notify_one();
        }
    }
}

async fn answer(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut flow: watch::Receiver<Flow>,
    is_held: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let may_pass = |flow: &Flow| match flow {
            Flow::Open => true,
            Flow::HeldAfter(_) => !*is_held.borrow(),
            Flow::Silent | Flow::Cut => false,
        };
        if flow.wait_for(may_pass).await.is_err() || to.write_all(&buffer[..length]).await.is_err()
        {
            return;
        }
    }
}
