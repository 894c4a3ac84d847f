//! Where messages leave, and what they are sealed and written with.

use std::sync::PoisonError;

use anyhow::Context;
use lettre::message::Mailbox;

use super::letter::Letter;
use super::links::Links;
use super::outbox::Outbox;
use super::transport::{Sent, Transport};
use crate::config::Config;
use crate::kernel::{Sealer, TenantKey};

/// Seals, writes and sends messages.
pub struct Mailer {
    pub(super) sealer: Sealer,
    pub(super) transport: Transport,
    pub(super) from: Mailbox,
    links: Links,
}

impl Mailer {
    /// Prepares the way; nobody is asked before there is a message.
    ///
    /// # Errors
    ///
    /// When the way can't be made from its configuration.
    pub fn new(config: &Config, sealer: Sealer) -> Result<Self, anyhow::Error> {
        let (transport, from) = Self::read(config)?;
        Ok(Self {
            sealer,
            transport,
            from,
            links: Links::new(&config.http),
        })
    }

    /// Looks at what only using the configuration can tell.
    ///
    /// # Errors
    ///
    /// As [`Mailer::new`].
    pub fn check(config: &Config) -> Result<(), anyhow::Error> {
        Self::read(config).map(drop)
    }

    fn read(config: &Config) -> Result<(Transport, Mailbox), anyhow::Error> {
        let from = config.mail.from.parse().context("mail.from")?;
        Ok((Transport::new(&config.mail)?, from))
    }

    /// Whether no messages leave at all.
    pub fn is_off(&self) -> bool {
        matches!(self.transport, Transport::None)
    }

    /// Makes links to dealers' hosts.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Where messages of a dealer are put down.
    pub fn of(&self, key: TenantKey) -> Outbox<'_> {
        Outbox { mailer: self, key }
    }

    /// The messages that left by memory, oldest first.
    pub fn sent(&self) -> Vec<Letter> {
        let Transport::Memory(sent) = &self.transport else {
            return Vec::new();
        };
        let sent: &Sent = sent;
        sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailer")
    }
}
