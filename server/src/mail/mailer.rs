//! The queue of messages, and the task that sends them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use lettre::message::Mailbox;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::letter::{Letter, Letterhead, Occasion};
use super::links::Links;
use super::transport::{Sent, Transport};
use crate::config::Config;
use crate::kernel::Email;

/// Messages under way at once.
const AT_ONCE: usize = 4;
/// Before a message that a mail server did not take is sent again.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(15)];

/// Takes messages without making anybody wait.
#[derive(Clone)]
pub struct Mailer {
    queue: mpsc::Sender<Letter>,
    links: Links,
    is_off: bool,
    /// Where messages are kept that leave by memory.
    sent: Option<Sent>,
}

impl Mailer {
    /// Prepares the way and starts the task that sends; it ends when the last sender is gone.
    ///
    /// # Errors
    ///
    /// When the way can't be made from its configuration.
    pub fn start(config: &Config) -> Result<(Self, JoinHandle<()>), anyhow::Error> {
        let (transport, from) = Self::read(config)?;
        let (queue, letters) = mpsc::channel(config.mail.queue);
        let mailer = Self {
            queue,
            links: Links::new(&config.http),
            is_off: matches!(transport, Transport::None),
            sent: match &transport {
                Transport::Memory(sent) => Some(sent.clone()),
                _ => None,
            },
        };
        let sending = tokio::spawn(send_all(letters, Arc::new(transport), Arc::new(from)));
        Ok((mailer, sending))
    }

    /// Looks at what only using the configuration can tell.
    ///
    /// # Errors
    ///
    /// As [`Mailer::start`].
    pub fn check(config: &Config) -> Result<(), anyhow::Error> {
        Self::read(config).map(drop)
    }

    fn read(config: &Config) -> Result<(Transport, Mailbox), anyhow::Error> {
        let from = config.mail.from.parse().context("mail.from")?;
        Ok((Transport::new(&config.mail)?, from))
    }

    /// Whether messages leave at all.
    pub fn is_off(&self) -> bool {
        self.is_off
    }

    /// Makes links to dealers' hosts.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Writes a message and has it sent: to be called after the commit of what it tells.
    pub fn post(&self, head: Letterhead<'_>, to: (&Email, &str), occasion: Occasion<'_>) {
        match Letter::write(&self.links, head, to, occasion) {
            Ok(letter) => {
                if self.queue.try_send(letter).is_err() {
                    tracing::error!("too many messages are waiting: one was dropped");
                }
            }
            Err(error) => tracing::error!(error = %error, "a message could not be written"),
        }
    }

    /// The messages that left by memory, oldest first.
    pub fn sent(&self) -> Vec<Letter> {
        let Some(sent) = &self.sent else {
            return Vec::new();
        };
        sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailer")
    }
}

async fn send_all(
    mut letters: mpsc::Receiver<Letter>,
    transport: Arc<Transport>,
    from: Arc<Mailbox>,
) {
    let letters = futures_util::stream::poll_fn(move |cx| letters.poll_recv(cx));
    letters
        .for_each_concurrent(AT_ONCE, |letter| {
            let (transport, from) = (transport.clone(), from.clone());
            async move { send(&transport, &from, &letter).await }
        })
        .await;
}

async fn send(transport: &Transport, from: &Mailbox, letter: &Letter) {
    let mut pauses = PAUSES.iter();
    while let Err(error) = transport.send(from, letter).await {
        let Some(pause) = pauses.next() else {
            // The chain is not told: what a mail server says may name the address.
            tracing::error!("a message could not be sent and was dropped");
            return;
        };
        tracing::warn!(
            is_smtp = error.is::<lettre::transport::smtp::Error>(),
            "a message could not be sent yet"
        );
        tokio::time::sleep(*pause).await;
    }
}
