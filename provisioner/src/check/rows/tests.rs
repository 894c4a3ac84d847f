//! Rows for tables as nasty as people make them, on a real Postgres; nothing stays.

mod probes;
mod real;
mod rules;
mod shapes;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, SqlxPostgresConnector,
};
use sqlx::postgres::PgPoolOptions;

use super::{Filled, fill};
use crate::SchemaName;
use crate::query::column;
use crate::transaction::{Limits, begin, enter};

const LIMITS: Limits = Limits {
    lock_timeout: std::time::Duration::from_secs(30),
    statement_timeout: std::time::Duration::from_secs(60),
    silence: None,
};

/// A schema of a test's own, in a transaction that is never committed.
struct Bench {
    tx: DatabaseTransaction,
    schema: SchemaName,
    // Goes when the test ends, and the transaction's connection with it.
    _db: DatabaseConnection,
}

impl Bench {
    async fn new(ddl: &str) -> Self {
        let url = std::env::var("TUBEX_TEST_DATABASE_URL")
            .expect("TUBEX_TEST_DATABASE_URL is not set: run `make test`, which starts a Postgres");
        let pool = PgPoolOptions::new().max_connections(1);
        let pool = pool.connect(&url).await.unwrap();
        let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        let tx = begin(&db, LIMITS).await.unwrap();
        let schema = SchemaName::generate().unwrap();
        tx.execute_unprepared(&format!("CREATE SCHEMA {schema}"))
            .await
            .unwrap();
        enter(&tx, &schema).await.unwrap();
        let bench = Self {
            tx,
            schema,
            _db: db,
        };
        bench.run(ddl).await;
        bench
    }

    async fn run(&self, sql: &str) {
        self.tx.execute_unprepared(sql).await.unwrap();
    }

    async fn fill(&self, wanted: usize) -> Filled {
        fill(&self.tx, &self.schema, wanted, 7).await.unwrap()
    }

    /// Fills and says that every table has rows.
    async fn fill_all(&self, wanted: usize) -> Filled {
        let filled = self.fill(wanted).await;
        assert_eq!(filled.empty, []);
        filled
    }

    async fn count(&self, question: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {question}");
        column::<i64, 0>(&self.tx, &sql, []).await.unwrap()[0]
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        column(&self.tx, sql, []).await.unwrap()
    }
}
