//! Listens to what a migration says to the database, so that it can be said again to thousands of
//! schemas in one message each.

use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ProxyDatabaseConnector, ProxyDatabaseTrait, ProxyExecResult, ProxyRow, Statement,
    from_query_result_to_proxy_row,
};
use sea_orm_migration::{MigrationTrait, SchemaManager};

/// What one migration said, in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recording {
    /// Its statements, complete: values are written into them.
    pub(crate) statements: Vec<String>,
    /// A question whose answer may differ from tenant to tenant: then what was said can't be said
    /// again to another.
    pub(crate) question: Option<String>,
}

/// Which way a migration is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// A transaction that remembers.
pub(crate) struct Recorder {
    connection: DatabaseConnection,
    heard: Arc<Mutex<Recording>>,
}

impl Recorder {
    /// Remembers what is said in `tx`, which nobody may end before the recorder is dropped.
    pub(crate) fn new(tx: Arc<DatabaseTransaction>) -> Result<Self, DbErr> {
        let heard = Arc::new(Mutex::new(Recording::default()));
        let ear: Box<dyn ProxyDatabaseTrait> = Box::new(Ear {
            tx,
            heard: Arc::clone(&heard),
        });
        let connection = ProxyDatabaseConnector::connect(DbBackend::Postgres, Arc::new(ear))?;
        Ok(Self { connection, heard })
    }

    /// Runs one migration, without its line in the history, and says what it said.
    pub(crate) async fn run(
        &self,
        migration: &dyn MigrationTrait,
        direction: Direction,
    ) -> Result<Recording, DbErr> {
        let manager = SchemaManager::new(&self.connection);
        match direction {
            Direction::Up => migration.up(&manager).await?,
            Direction::Down => migration.down(&manager).await?,
        }
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *heard))
    }
}

/// Passes everything on to the real transaction.
#[derive(Debug)]
struct Ear {
    tx: Arc<DatabaseTransaction>,
    heard: Arc<Mutex<Recording>>,
}

impl Ear {
    fn note(&self, note: impl FnOnce(&mut Recording)) {
        note(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

// A migration's own savepoints need no counterpart: if anything fails, all of it is thrown away.
#[async_trait::async_trait]
impl ProxyDatabaseTrait for Ear {
    async fn query(&self, statement: Statement) -> Result<Vec<ProxyRow>, DbErr> {
        let text = statement.to_string();
        let rows = self.tx.query_all_raw(statement).await?;
        if !asks_catalogue(&text) {
            self.note(|heard| heard.question = Some(text));
        }
        Ok(rows.iter().map(from_query_result_to_proxy_row).collect())
    }

    async fn execute(&self, statement: Statement) -> Result<ProxyExecResult, DbErr> {
        let text = statement.to_string();
        let done = if statement.values.is_none() {
            self.tx.execute_unprepared(&statement.sql).await?
        } else {
            self.tx.execute_raw(statement).await?
        };
        self.note(|heard| heard.statements.push(text));
        Ok(done.into())
    }
}

/// Whether a question is about structure, which is the same for all tenants of a version.
pub(crate) fn asks_catalogue(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.trim_start().starts_with("select")
        && (text.contains("information_schema") || text.contains("pg_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_about_structure_is_harmless_and_one_about_rows_is_not() {
        assert!(asks_catalogue(
            "SELECT COUNT(*) > 0 FROM information_schema.tables"
        ));
        assert!(!asks_catalogue("SELECT id FROM widget"));
        assert!(!asks_catalogue(
            "INSERT INTO widget DEFAULT VALUES RETURNING pg_typeof(id)"
        ));
    }
}
