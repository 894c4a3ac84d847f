//! A client of server-sent events, as browsers have one: blocks, ids, and the cursor it goes on from.

use reqwest::{Method, Response};
use serde_json::Value;

use super::actor::Actor;
use super::eventually::PATIENCE;

/// A stream that is open.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    unread: Vec<u8>,
    /// The last id that was heard, as a browser would send it when it comes again.
    pub last_id: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Its id, or that of the one before.
    pub id: String,
    /// Its name.
    pub event: String,
    /// What it says.
    pub data: Value,
}

impl EventStream {
    /// Opens a stream, such as `/events?topics=items`, going on after an id if there is one, and
    /// waits until it begins.
    ///
    /// # Panics
    ///
    /// When it isn't answered with a stream.
    pub async fn open(who: &Actor, path: &str, last_id: Option<&str>) -> Self {
        let mut stream = Self::open_quietly(who, path, last_id).await;
        let ready = stream.next().await.expect("a stream begins");
        assert_eq!(ready.event, "ready", "{ready:?}");
        stream
    }

    /// The same without waiting for what it says first.
    ///
    /// # Panics
    ///
    /// When it isn't answered with a stream.
    pub async fn open_quietly(who: &Actor, path: &str, last_id: Option<&str>) -> Self {
        let mut request = who
            .request(Method::GET, path)
            .header("accept", "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self::over(response, last_id.unwrap_or_default())
    }

    /// A stream that has been answered with.
    pub(crate) fn over(response: Response, last_id: &str) -> Self {
        Self {
            response,
            unread: Vec::new(),
            last_id: last_id.to_owned(),
        }
    }

    /// The headers it began with.
    pub fn headers(&self) -> &reqwest::header::HeaderMap {
        self.response.headers()
    }

    /// The next event; nothing when the stream has ended.
    ///
    /// # Panics
    ///
    /// When nothing comes for so long that nothing will.
    pub async fn next(&mut self) -> Option<Heard> {
        loop {
            let block = self.block().await?;
            if let Some(heard) = self.take(&block) {
                return Some(heard);
            }
        }
    }

    /// The next block as it came, whether it is an event or a comment.
    ///
    /// # Panics
    ///
    /// As [`EventStream::next`].
    pub async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                return Some(String::from_utf8(block).expect("streams are text"));
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("something comes, or the stream ends");
            // A server that was killed ends it in its middle.
            let chunk = chunk.ok().flatten()?;
            self.unread.extend_from_slice(&chunk);
        }
    }

    /// Reads until `enough` says so, and returns all that was heard.
    ///
    /// # Panics
    ///
    /// When it ends before.
    pub async fn until(&mut self, mut enough: impl FnMut(&Heard) -> bool) -> Vec<Heard> {
        let mut all = Vec::new();
        loop {
            let heard = self.next().await;
            let heard = heard.unwrap_or_else(|| panic!("it ended after {all:?}"));
            let is_enough = enough(&heard);
            all.push(heard);
            if is_enough {
                return all;
            }
        }
    }

    /// Reads to its end; the last thing said is why.
    ///
    /// # Panics
    ///
    /// When it doesn't end, or without a word.
    pub async fn end(&mut self) -> String {
        let mut reason = None;
        while let Some(heard) = self.next().await {
            if heard.event == "closed" {
                reason = heard.data["reason"].as_str().map(ToOwned::to_owned);
            }
        }
        reason.expect("a stream says why it ends")
    }

    fn take(&mut self, block: &str) -> Option<Heard> {
        let (mut event, mut data) = ("message".to_owned(), Vec::new());
        for line in block.lines() {
            match line.split_once(": ") {
                Some(("id", id)) => id.clone_into(&mut self.last_id),
                Some(("event", name)) => name.clone_into(&mut event),
                Some(("data", text)) => data.push(text),
                _ => {}
            }
        }
        if data.is_empty() {
            return None;
        }
        Some(Heard {
            id: self.last_id.clone(),
            event,
            data: serde_json::from_str(&data.join("\n")).expect("data is JSON"),
        })
    }
}
