//! Passes on what a migration says, statement by statement, and looks at the schema after each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ProxyDatabaseConnector, ProxyDatabaseTrait, ProxyExecResult, ProxyRow, Statement,
    from_query_result_to_proxy_row,
};

use super::script::{statements, words};
use crate::SchemaName;
use crate::check::snapshot::{Snapshot, snapshot};
use crate::fleet::asks_catalogue;

/// The schema after a statement.
#[derive(Clone, Debug)]
pub(in crate::check) struct Shot {
    pub(in crate::check) statement: String,
    pub(in crate::check) after: Snapshot,
}

/// What was heard so far; the other thread looks at it where this one hangs.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) shots: Vec<Shot>,
    pub(super) bounds: Vec<String>,
    pub(super) question: Option<String>,
    /// The statement that is being run, or was the last.
    pub(super) under_way: Option<String>,
    /// The first that was refused.
    pub(super) refused: Option<String>,
    /// How long looking took.
    pub(super) watching: Duration,
}

#[derive(Debug)]
pub(super) struct Ear {
    tx: Arc<DatabaseTransaction>,
    heard: Arc<Mutex<Heard>>,
    /// The schema to look at, if it is to be looked at.
    watched: Option<SchemaName>,
}

impl Ear {
    /// A connection that says in `tx` what it is told.
    pub(super) fn connect(
        tx: Arc<DatabaseTransaction>,
        heard: Arc<Mutex<Heard>>,
        watched: Option<SchemaName>,
    ) -> Result<DatabaseConnection, DbErr> {
        let ear: Box<dyn ProxyDatabaseTrait> = Box::new(Self { tx, heard, watched });
        ProxyDatabaseConnector::connect(DbBackend::Postgres, Arc::new(ear))
    }

    fn note<T>(&self, note: impl FnOnce(&mut Heard) -> T) -> T {
        note(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes what is about to be run, and whether it failed.
    async fn say<T>(
        &self,
        text: &str,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        self.note(|heard| heard.under_way = Some(text.to_owned()));
        let outcome = work.await;
        if outcome.is_err() {
            self.note(|heard| {
                heard.refused.get_or_insert_with(|| text.to_owned());
            });
        }
        outcome
    }

    async fn look(&self, text: &str) -> Result<(), DbErr> {
        let Some(schema) = &self.watched else {
            return Ok(());
        };
        let begun = Instant::now();
        let after = snapshot(&self.tx, schema).await?;
        self.note(|heard| {
            heard.shots.push(Shot {
                statement: text.to_owned(),
                after,
            });
            heard.watching += begun.elapsed();
        });
        Ok(())
    }

    /// A script, one statement after the other.
    async fn run(&self, script: &str) -> Result<ProxyExecResult, DbErr> {
        let mut rows = 0;
        for text in statements(script) {
            if is_bound(text) {
                // Passed on, it would end the transaction that all of this is undone with.
                self.note(|heard| heard.bounds.push(text.to_owned()));
                continue;
            }
            let done = self.say(text, self.tx.execute_unprepared(text)).await?;
            rows = done.rows_affected();
            self.look(text).await?;
        }
        Ok(ProxyExecResult {
            rows_affected: rows,
            ..ProxyExecResult::default()
        })
    }
}

#[async_trait::async_trait]
impl ProxyDatabaseTrait for Ear {
    async fn query(&self, statement: Statement) -> Result<Vec<ProxyRow>, DbErr> {
        let text = statement.to_string();
        let rows = self.say(&text, self.tx.query_all_raw(statement)).await?;
        if !asks_catalogue(&text) {
            self.note(|heard| heard.question = Some(text.clone()));
            self.look(&text).await?;
        }
        Ok(rows.iter().map(from_query_result_to_proxy_row).collect())
    }

    async fn execute(&self, statement: Statement) -> Result<ProxyExecResult, DbErr> {
        if statement.values.is_none() {
            return self.run(&statement.sql).await;
        }
        let text = statement.to_string();
        let done = self.say(&text, self.tx.execute_raw(statement)).await?;
        self.look(&text).await?;
        Ok(done.into())
    }
}

/// Whether a statement begins or ends a transaction. Savepoints are a migration's own business.
fn is_bound(text: &str) -> bool {
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["rollback", rest @ ..] => !rest.contains(&"to"),
        ["begin" | "commit" | "end" | "abort", ..] | ["start" | "prepare", "transaction", ..] => {
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_to_a_savepoint_ends_no_transaction() {
        assert!(is_bound("-- now\nCOMMIT"));
        assert!(is_bound("rollback work"));
        assert!(is_bound("START TRANSACTION READ ONLY"));
        assert!(!is_bound("ROLLBACK TO SAVEPOINT a"));
        assert!(!is_bound("PREPARE p AS SELECT 1"));
        assert!(!is_bound("CREATE TABLE begin ()"));
    }
}
