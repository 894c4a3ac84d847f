//! The ways that messages leave by.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use time::OffsetDateTime;
use uuid::Uuid;

use super::letter::Letter;
use crate::config::{self, Mail};

/// One way.
pub(super) enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Files(PathBuf),
    Memory(Sent),
    None,
}

/// Messages that were kept in memory, oldest first.
pub(super) type Sent = Arc<Mutex<Vec<Letter>>>;

/// What tells one message from another, the same each time that it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamped<'a> {
    pub id: Uuid,
    pub from: &'a Mailbox,
    pub at: OffsetDateTime,
}

/// Why a message did not leave. What a mail server says in words is not told: it may name the address.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// It may be taken another time.
    #[error("{0}")]
    ForNow(String),
    /// It is never taken for this address.
    #[error("the mail server answered {0}")]
    ForGood(u16),
    /// It can't be written.
    #[error("it can't be written: {0}")]
    Unwritable(String),
}

/// Answers that are about how we sign in (RFC 4954) rather than about the message: people who look
/// after this server can mend that, and then it is taken.
const ABOUT_US: [u16; 4] = [530, 534, 535, 538];

impl Transport {
    /// Prepares the way; nobody is asked before there is a message.
    pub(super) fn new(config: &Mail) -> Result<Self, anyhow::Error> {
        Ok(match (config.transport, &config.url) {
            (config::Transport::Smtp, Some(url)) => {
                // The address may hold a password, so the reason is not told.
                let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
                    .map_err(|_| anyhow::anyhow!("mail.url can't be read"))?;
                let timeout = Duration::from_millis(config.timeout_ms);
                Self::Smtp(builder.timeout(Some(timeout)).build())
            }
            (config::Transport::Smtp, None) => anyhow::bail!("mail.url is missing"),
            (config::Transport::Files, _) => {
                std::fs::create_dir_all(&config.directory).context("mail.directory")?;
                Self::Files(config.directory.clone())
            }
            (config::Transport::Memory, _) => Self::Memory(Sent::default()),
            (config::Transport::None, _) => Self::None,
        })
    }

    /// Sends one message.
    pub(super) async fn send(&self, letter: &Letter, stamped: Stamped<'_>) -> Result<(), Refusal> {
        // What can't be written for a mail server is none anywhere.
        let message =
            message(letter, stamped).map_err(|error| Refusal::Unwritable(error.to_string()))?;
        match self {
            Self::Smtp(smtp) => {
                smtp.send(message).await.map_err(|error| refusal(&error))?;
            }
            Self::Files(directory) => {
                // The message as a mail program opens it, and its parts for the page that shows them.
                let parts = serde_json::to_vec(letter).unwrap_or_default();
                let written = [("json", parts), ("eml", message.formatted())];
                for (ending, bytes) in written {
                    let path = directory.join(format!("{}.{ending}", stamped.id));
                    std::fs::write(path, bytes).map_err(|error| {
                        Refusal::ForNow(format!("a file can't be written: {error}"))
                    })?;
                }
            }
            Self::Memory(sent) => {
                let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
                sent.push(letter.clone());
            }
            Self::None => return Err(Refusal::ForNow("no messages are sent here".to_owned())),
        }
        Ok(())
    }
}

fn refusal(error: &Error) -> Refusal {
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && !ABOUT_US.contains(&code) => Refusal::ForGood(code),
        Some(code) => Refusal::ForNow(format!("the mail server answered {code}")),
        None if error.is_timeout() => Refusal::ForNow("the mail server took too long".to_owned()),
        None => Refusal::ForNow("the mail server could not be asked".to_owned()),
    }
}

fn message(letter: &Letter, stamped: Stamped<'_>) -> Result<Message, anyhow::Error> {
    let both = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
    let id = format!("<{}@{}>", stamped.id, stamped.from.email.domain());
    let mut message = Message::builder()
        .message_id(Some(id))
        .date(stamped.at.into())
        .from(stamped.from.clone())
        .to(Mailbox::new(None, letter.to.parse()?))
        .subject(letter.subject.clone())
        .multipart(both)?;
    // So that nobody's absence note answers (RFC 3834).
    message.headers_mut().insert_raw(HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    ));
    Ok(message)
}
