//! Why a migration could not be taken: told by what the database and the thread say, and where that
//! doesn't tell, by taking it again on a schema without rows.

use std::sync::Arc;

use sea_orm::DbErr;

use super::new_schema;
use crate::check::error::CheckError;
use crate::check::scratch::{APPLICATION, Scratch};
use crate::check::stage::{Act, Task, Trouble, take};
use crate::check::{CheckOptions, Code, Finding};
use crate::query::{column, one};
use crate::{Product, db_error};

/// A migration that could not be taken.
#[derive(Clone, Copy)]
pub(super) struct Victim<'a, P> {
    pub(super) scratch: &'a Scratch,
    pub(super) product: &'a Arc<P>,
    pub(super) options: &'a CheckOptions,
    pub(super) place: usize,
    pub(super) name: &'a str,
}

/// What is to be said of it.
pub(super) async fn explain<P: Product>(
    victim: Victim<'_, P>,
    trouble: Trouble,
) -> Result<Finding, CheckError> {
    let scratch = victim.scratch;
    // A server that is gone is no migration's fault.
    one(&scratch.db, "SELECT 1 AS yes", [])
        .await
        .map_err(|error| scratch.trouble(error))?;
    let strangers = strangers(scratch).await?;
    let finding = |code, message: String| Finding::new(code, message).of(victim.name);
    let found = match trouble {
        Trouble::Unreachable(error) => return Err(scratch.trouble(error)),
        Trouble::Hung { statement } | Trouble::Aborted { statement } if strangers > 0 => {
            let message = "opens a connection of its own, and waits for it".to_owned();
            by(finding(Code::OwnConnection, message), statement)
        }
        Trouble::Hung { statement } => {
            let limit = victim.options.timeout.as_secs();
            let message = format!("did not end within {limit} s");
            by(finding(Code::Hangs, message), statement)
        }
        Trouble::Aborted { statement } => {
            let message = "goes on after a statement that failed".to_owned();
            by(finding(Code::TransactionAborted, message), statement)
        }
        Trouble::Panicked(words) => finding(Code::Panics, format!("panics: {words}")),
        Trouble::Failed {
            cause,
            statement,
            way,
        } => {
            let code = match db_error::sqlstate(&cause).as_deref() {
                Some("57014") => Code::Hangs,
                // COMMIT within a block of PL/pgSQL.
                Some("2D000") => Code::TransactionEnded,
                Some("25P02") => Code::TransactionAborted,
                _ if strangers > 0 => Code::OwnConnection,
                _ if way != "up" => Code::DownFails,
                _ => with_or_without_rows(victim).await?,
            };
            by(finding(code, refusal(&cause, way)), statement)
        }
    };
    Ok(found)
}

fn by(finding: Finding, statement: Option<String>) -> Finding {
    match statement {
        Some(statement) => finding.by(&statement),
        None => finding,
    }
}

fn refusal(cause: &DbErr, way: &str) -> String {
    let words = db_error::describe(cause);
    match way {
        "up" => format!("fails: {words}"),
        _ => format!("fails on its way back: {words}"),
    }
}

/// Sessions in the database that are neither ours nor the server's.
async fn strangers(scratch: &Scratch) -> Result<i64, CheckError> {
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND backend_type = 'client backend'
                   AND application_name <> $1";
    let found = column(&scratch.db, sql, [APPLICATION.into()]).await;
    let found: Vec<i64> = found.map_err(|error| scratch.trouble(error))?;
    Ok(found.first().copied().unwrap_or_default())
}

/// Takes all again up to this one, without any rows: whether it is they who are in the way.
async fn with_or_without_rows<P: Product>(victim: Victim<'_, P>) -> Result<Code, CheckError> {
    let scratch = victim.scratch;
    let schema = new_schema(scratch).await?;
    for place in 0..=victim.place {
        let task = Task {
            product: Arc::clone(victim.product),
            place,
            schema: schema.clone(),
            act: Act::Up,
            timeout: victim.options.timeout,
        };
        if take(&scratch.db, &scratch.options, task).await.is_err() {
            return Ok(Code::Fails);
        }
    }
    Ok(Code::FailsOnRows)
}
