//! One trail, read in order and in pieces: it may be longer than memory.

use std::collections::VecDeque;

use provisioner::copy::CopyError;
use provisioner::{KeptMark, Provisioner, TenantEntry};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::cli::dealers::Dealers;

/// Records read at a time.
const RECORDS: i64 = 2_000;
/// Notes read at a time.
const NOTES: u64 = 1_000;

/// What a look at a trail came to.
#[derive(Debug)]
pub(super) struct Verdict {
    /// How many records were read and found in order.
    pub(super) records: u64,
    /// How many notes they agree with.
    pub(super) notes: u64,
    /// The newest record that a note was made of.
    pub(super) noted_until: i64,
    /// The first thing that is wrong.
    pub(super) broken: Option<Broken>,
}

/// Where a trail is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) seq: i64,
    pub(super) kind: Kind,
}

/// In which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Kind {
    #[error("a record is missing")]
    Missing,
    #[error("the record or one before it is not what was written")]
    Altered,
    #[error("a column of the record says another thing than its content")]
    Column,
    #[error("the trail ends elsewhere than its head says")]
    End,
    #[error("a note of it was not made by a server of this platform")]
    ForgedNote,
    #[error("the record is not the one that a note was made of")]
    Rewritten,
    #[error("a note was made of a record that is gone")]
    CutOff,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Altered => "altered",
            Self::Column => "column",
            Self::End => "end",
            Self::ForgedNote => "forged_note",
            Self::Rewritten => "rewritten",
            Self::CutOff => "cut_off",
        }
    }
}

/// A record as it is stored.
#[derive(Debug, FromQueryResult)]
struct Record {
    seq: i64,
    content: String,
    hash: Vec<u8>,
    id: Uuid,
    at: OffsetDateTime,
    action: String,
    actor_kind: String,
    actor_id: Option<String>,
    target_kind: String,
    target_id: Option<String>,
}

/// What the columns are said to repeat.
#[derive(Debug, Deserialize)]
struct Content {
    id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    action: String,
    actor: Named,
    target: Named,
}

#[derive(Debug, Deserialize)]
struct Named {
    kind: String,
    id: Option<String>,
}

#[derive(Debug, FromQueryResult)]
struct Head {
    seq: i64,
    hash: Vec<u8>,
}

/// Reads a trail from its beginning to its end, or to where it is broken.
///
/// # Errors
///
/// [`CopyError`] when it can't be read.
pub(super) async fn verify(
    provisioner: &Provisioner<Dealers>,
    tenant: &TenantEntry,
) -> Result<Verdict, CopyError> {
    // Before the look begins: what is noted later may be of records that it doesn't see.
    let noted_until = provisioner.newest_mark(tenant.id).await?;
    let rows = provisioner.look_at(&tenant.id.to_string()).await?;
    let mut walk = Walk {
        provisioner,
        tenant_id: tenant.id,
        noted_until,
        notes_read: 0,
        waiting: VecDeque::new(),
        last: Head {
            seq: 0,
            hash: Vec::new(),
        },
        verdict: Verdict {
            records: 0,
            notes: 0,
            noted_until,
            broken: None,
        },
    };
    let broken = walk.walk_to_the_end(&rows).await?;
    walk.verdict.broken = broken;
    Ok(walk.verdict)
}

struct Walk<'a> {
    provisioner: &'a Provisioner<Dealers>,
    tenant_id: Uuid,
    noted_until: i64,
    /// Of the newest note that was read.
    notes_read: i64,
    /// Notes that were read, of records that are still to come.
    waiting: VecDeque<KeptMark>,
    /// The record before the next one.
    last: Head,
    verdict: Verdict,
}

impl Walk<'_> {
    async fn walk_to_the_end(
        &mut self,
        rows: &impl ConnectionTrait,
    ) -> Result<Option<Broken>, DbErr> {
        loop {
            let batch = batch(rows, self.last.seq).await?;
            if batch.is_empty() {
                return self.end(rows).await;
            }
            for record in batch {
                let found = match fault_of(&self.last, &record) {
                    Some(fault) => Some(fault),
                    None => self.against_notes(&record).await?,
                };
                if found.is_some() {
                    return Ok(found);
                }
                self.verdict.records += 1;
                self.last = Head {
                    seq: record.seq,
                    hash: record.hash,
                };
            }
        }
    }

    /// What the notes of a record say.
    async fn against_notes(&mut self, record: &Record) -> Result<Option<Broken>, DbErr> {
        while let Some(next) = self.next_note().await? {
            if next.mark.seq > record.seq {
                break;
            }
            let broken = |kind| {
                let seq = next.mark.seq;
                Ok(Some(Broken { seq, kind }))
            };
            if !next.is_genuine {
                return broken(Kind::ForgedNote);
            }
            if next.mark.hash != record.hash {
                return broken(Kind::Rewritten);
            }
            self.waiting.pop_front();
            self.verdict.notes += 1;
        }
        Ok(None)
    }

    async fn next_note(&mut self) -> Result<Option<KeptMark>, DbErr> {
        if self.waiting.is_empty() && self.notes_read < self.noted_until {
            let span = (self.notes_read, self.noted_until);
            let more = self.provisioner.marks(self.tenant_id, span, NOTES).await?;
            let read = more.last().map(|kept| kept.mark.seq);
            self.notes_read = read.unwrap_or(self.noted_until);
            self.waiting.extend(more);
        }
        Ok(self.waiting.front().cloned())
    }

    async fn end(&mut self, rows: &impl ConnectionTrait) -> Result<Option<Broken>, DbErr> {
        let seq = self.last.seq + 1;
        let sql = "SELECT seq, hash FROM audit_head";
        let head = Head::find_by_statement(Statement::from_string(DbBackend::Postgres, sql))
            .one(rows)
            .await?;
        let (says, hash) = head.map_or((0, Vec::new()), |head| (head.seq, head.hash));
        if let Some(note) = self.next_note().await? {
            let kind = match note.is_genuine {
                true => Kind::CutOff,
                false => Kind::ForgedNote,
            };
            return Ok(Some(Broken { seq, kind }));
        }
        let ends_there = says == self.last.seq && hash == self.last.hash;
        let kind = Kind::End;
        Ok((!ends_there).then_some(Broken { seq, kind }))
    }
}

async fn batch(rows: &impl ConnectionTrait, after: i64) -> Result<Vec<Record>, DbErr> {
    let sql = "SELECT seq, content::text AS content, hash, id, at, action, actor_kind, actor_id,
            target_kind, target_id
        FROM audit_record WHERE seq > $1 ORDER BY seq LIMIT $2";
    let values = [after.into(), RECORDS.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Record::find_by_statement(statement).all(rows).await
}

fn fault_of(last: &Head, record: &Record) -> Option<Broken> {
    let broken = |seq, kind| Some(Broken { seq, kind });
    if record.seq != last.seq + 1 {
        return broken(last.seq + 1, Kind::Missing);
    }
    let hash = Sha256::new()
        .chain_update(&last.hash)
        .chain_update(record.content.as_bytes())
        .finalize();
    if hash.as_slice() != record.hash {
        return broken(record.seq, Kind::Altered);
    }
    match serde_json::from_str::<Content>(&record.content) {
        Ok(content) if agrees(record, &content) => None,
        Ok(_) | Err(_) => broken(record.seq, Kind::Column),
    }
}

/// Whether what is searched says the same as what was hashed. Columns keep microseconds.
fn agrees(record: &Record, content: &Content) -> bool {
    (record.at - content.at).abs() <= Duration::MICROSECOND
        && record.id == content.id
        && record.action == content.action
        && record.actor_kind == content.actor.kind
        && record.actor_id == content.actor.id
        && record.target_kind == content.target.kind
        && record.target_id == content.target.id
}
