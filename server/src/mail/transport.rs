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
    /// It is not taken, and that is no fault of the address: how we sign in, what the relay puts up
    /// with, what the message is like.
    #[error("the mail server answered {0}, which is not about the address")]
    NotOurs(u16),
    /// It can't be written.
    #[error("it can't be written: {0}")]
    Unwritable(String),
}

/// Answers that are about the address (RFC 5321): there is no such mailbox, it isn't here, its name is
/// none. All others are about us, our relay, or the message.
const ABOUT_THE_ADDRESS: [u16; 3] = [550, 551, 553];
/// A code with more to say (RFC 3463) says whom it is about: `5.1.x` is an address, but for these two
/// the sender's.
const SENDER: [&str; 2] = ["5.1.7", "5.1.8"];
/// The mailbox is there, and takes nothing any more.
const DISABLED: &str = "5.2.1";

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
        Some(code) if error.is_permanent() => {
            let said = std::error::Error::source(error).map(ToString::to_string);
            permanent(code, said.as_deref().unwrap_or_default())
        }
        Some(code) => Refusal::ForNow(format!("the mail server answered {code}")),
        None if error.is_timeout() => Refusal::ForNow("the mail server took too long".to_owned()),
        None => Refusal::ForNow("the mail server could not be asked".to_owned()),
    }
}

/// Tells whether nobody is at an address, or nobody takes our mail, by the code and what was said
/// beside it.
fn permanent(code: u16, said: &str) -> Refusal {
    let enhanced = said.split_whitespace().next().filter(|it| is_enhanced(it));
    let is_about_the_address = match enhanced {
        Some(DISABLED) => true,
        Some(enhanced) => enhanced.starts_with("5.1.") && !SENDER.contains(&enhanced),
        None => ABOUT_THE_ADDRESS.contains(&code),
    };
    if is_about_the_address {
        Refusal::ForGood(code)
    } else {
        Refusal::NotOurs(code)
    }
}

/// Such as `5.7.1`.
fn is_enhanced(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    parts.len() == 3 && parts[0] == "5" && parts.iter().all(is_number)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_address_makes_mail_come_back() {
        let comes_back =
            |code, said: &str| matches!(permanent(code, said), Refusal::ForGood(it) if it == code);

        for (code, said) in [
            (550, "nobody here"),
            (551, ""),
            (553, "what is that"),
            (550, "5.1.1 nobody here"),
            (554, "5.1.1 nobody here"),
            (550, "5.2.1 closed"),
        ] {
            assert!(comes_back(code, said), "{code} {said}");
        }
        for (code, said) in [
            (530, "sign in first"),
            (535, "5.7.8 not you"),
            (552, "too much"),
            (554, "no"),
            (550, "5.7.1 we don't relay"),
            (553, "5.1.8 who are you"),
            (552, "5.2.2 full"),
        ] {
            assert!(!comes_back(code, said), "{code} {said}");
        }
    }
}
