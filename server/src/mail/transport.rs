//! The ways that messages leave by.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;

use super::letter::Letter;
use crate::config::{self, Mail};

/// One way.
pub(super) enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Files(AsyncFileTransport<Tokio1Executor>),
    Memory(Sent),
    None,
}

/// Messages that were kept in memory, oldest first.
pub(super) type Sent = Arc<Mutex<Vec<Letter>>>;

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
                Self::Files(AsyncFileTransport::new(&config.directory))
            }
            (config::Transport::Memory, _) => Self::Memory(Sent::default()),
            (config::Transport::None, _) => Self::None,
        })
    }

    /// Sends one message.
    pub(super) async fn send(&self, from: &Mailbox, letter: &Letter) -> Result<(), anyhow::Error> {
        match self {
            Self::Smtp(smtp) => {
                smtp.send(message(from, letter)?).await?;
            }
            Self::Files(files) => {
                files.send(message(from, letter)?).await?;
            }
            Self::Memory(sent) => {
                // What can't be written for a mail server is none here either.
                message(from, letter)?;
                let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
                sent.push(letter.clone());
            }
            Self::None => {}
        }
        Ok(())
    }
}

fn message(from: &Mailbox, letter: &Letter) -> Result<Message, anyhow::Error> {
    let to = letter.to.as_str().parse()?;
    let both = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
    Ok(Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject.clone())
        .multipart(both)?)
}
