//! What is left once the traffic has ended: every row bears its own dealer's marker, no log or
//! metric bears any, and nobody is in a transaction.

use sqlx::{AssertSqlSafe, PgConnection};

use super::flock::Flock;
use super::marker;
use super::report::Report;
use crate::harness::{Scratch, ServerProcess, eventually};

impl Flock {
    /// Looks at every row of every canary, and adds what doesn't belong to the report.
    ///
    /// # Panics
    ///
    /// When the database can't be read, or a transaction stays open.
    pub async fn look_around(&self, database: &Scratch, report: &mut Report) {
        for canary in &self.canaries {
            let schema = database.schema_of(&canary.slug).await;
            let mut home = database.connect_to_home_of(&canary.slug).await;
            let mut own_rows = 0;
            for table in tables(&mut home, &schema).await {
                for row in marked_rows(&mut home, &schema, &table).await {
                    own_rows += 1;
                    if let Some(foreign) = marker::foreign(&row, Some(&canary.marker)) {
                        report.find(format!("{foreign} in {table} of {}: {row}", canary.slug));
                    }
                }
            }
            if own_rows == 0 {
                report.find(format!("no row of {} bears its marker", canary.slug));
            }
            nobody_is_in_a_transaction(&mut home).await;
        }
        nobody_is_in_a_transaction(&mut database.connect().await).await;
    }
}

impl ServerProcess {
    /// Looks at what a server has said and measured, where no marker has any business.
    pub async fn look_for_breaches(&self, report: &mut Report) {
        for line in self.breaches() {
            report.find(format!("a server said: {line}"));
        }
        let Some(metrics) = self.metrics().await else {
            report.find("a server told no metrics".to_owned());
            return;
        };
        if let Some(foreign) = marker::foreign(&metrics, None) {
            report.find(format!("{foreign} in the metrics"));
        }
    }
}

async fn tables(home: &mut PgConnection, schema: &str) -> Vec<String> {
    let tables = "SELECT relname::text FROM pg_class
         WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p') ORDER BY relname";
    sqlx::query_scalar(tables)
        .bind(schema)
        .fetch_all(home)
        .await
        .expect("the schema is there")
}

async fn marked_rows(home: &mut PgConnection, schema: &str, table: &str) -> Vec<String> {
    let rows = format!("SELECT t::text FROM {schema}.{table} t WHERE lower(t::text) LIKE $1");
    sqlx::query_scalar(AssertSqlSafe(rows))
        .bind(format!("%{}%", marker::PREFIX))
        .fetch_all(home)
        .await
        .expect("the table can be read")
}

/// Backends of closed connections need a moment to notice.
async fn nobody_is_in_a_transaction(connection: &mut PgConnection) {
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
         AND backend_type = 'client backend'";
    eventually("all transactions have ended", async || {
        let open = sqlx::query_scalar::<_, i64>(open).fetch_one(&mut *connection);
        open.await.expect("activity can be read") == 0
    })
    .await;
}
