//! Putting a message down, in the transaction that wants it sent.

use ::entity::tenant::mail;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::correspondence::language_of;
use super::delivery::SendMail;
use super::language::Language;
use super::mailer::Mailer;
use super::occasion::Occasion;
use crate::db::TenantTx;
use crate::jobs::{Enqueue, enqueue};
use crate::kernel::{Email, TenantKey};

/// Where one dealer's messages are put down.
#[derive(Debug, Clone, Copy)]
pub struct Outbox<'a> {
    pub(super) mailer: &'a Mailer,
    pub(super) key: TenantKey,
}

/// To whom.
#[derive(Debug, Clone, Copy, Default)]
pub struct To<'a> {
    /// Nobody: then the message costs what any does, and is thrown away.
    pub email: Option<&'a Email>,
    /// How to address them; may be empty.
    pub name: &'a str,
    /// Who they are, if they are a member: they may have a language of their own.
    pub member: Option<Uuid>,
    /// Their language, where it was looked up before.
    pub language: Option<Language>,
}

/// What is sealed of a message.
#[derive(Serialize, Deserialize)]
pub(super) struct Inside {
    pub(super) name: String,
    pub(super) occasion: Occasion,
}

impl Outbox<'_> {
    /// Puts a message down: it is sent if the transaction commits. Where no messages are sent, nothing
    /// is.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    ///
    /// # Panics
    ///
    /// Never: what a message is made of is plain.
    pub async fn post(
        &self,
        tx: &TenantTx,
        to: To<'_>,
        occasion: Occasion,
        now: OffsetDateTime,
    ) -> Result<(), DbErr> {
        if self.mailer.is_off() {
            return Ok(());
        }
        let language = match to.language {
            Some(language) => language,
            None => language_of(tx, to.member).await?,
        };
        let (id, kind) = (Uuid::now_v7(), occasion.kind());
        let inside = Inside {
            name: to.name.to_owned(),
            occasion,
        };
        let inside = serde_json::to_vec(&inside).expect("what a message is made of is plain");
        let sealed = self.mailer.sealer.seal(&place(self.key, id), &inside);
        let new = mail::ActiveModel {
            id: Set(id),
            recipient: Set(to.email.map(ToString::to_string)),
            kind: Set(kind.to_owned()),
            language: Set(language.code().to_owned()),
            sealed: Set(Some(sealed)),
            status: Set(mail::Status::Queued),
            attempts: Set(0),
            refusal_code: Set(None),
            created_at: Set(now),
            ended_at: Set(None),
        };
        new.insert(tx).await?;
        enqueue(tx, &SendMail { mail: id }, Enqueue::now()).await?;
        Ok(())
    }
}

/// What a message's inside is sealed for.
pub(super) fn place(key: TenantKey, id: Uuid) -> String {
    key.scoped(format_args!("mail:{id}"))
}
