//! A back-fill's batches, run on the copy's rows before its `up` is: whether they are bounded, come
//! to an end, and lead where `up` leads.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, Statement};

use super::{LIMITS, Walk};
use crate::check::error::CheckError;
use crate::check::stage::words;
use crate::check::{Code, Finding};
use crate::query::{all, column};
use crate::transaction::{begin, enter};
use crate::{Product, SchemaName, db_error};

/// Small, so that a few rows make several batches.
const BATCH: u64 = 7;

/// Words that give another answer each time.
const VOLATILE: [&str; 9] = [
    "now",
    "current_timestamp",
    "current_date",
    "clock_timestamp",
    "statement_timestamp",
    "localtimestamp",
    "random",
    "gen_random_uuid",
    "nextval",
];

/// Where the batches led.
pub(super) struct Filled {
    findings: Vec<Finding>,
    /// Nothing where the batches did not come to an end.
    contents: Option<Contents>,
    statement: String,
}

/// What tables hold: how many rows, how many of each column are empty, and a hash of all.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Contents {
    counts: BTreeMap<String, String>,
    hashes: BTreeMap<String, String>,
}

/// Runs the batches, looks, and undoes them.
pub(super) async fn prepare_fill<P: Product>(
    walk: &Walk<'_, P>,
    name: &str,
    statement: &str,
) -> Result<Filled, CheckError> {
    let filled = async {
        let tx = begin(&walk.scratch.db, LIMITS).await?;
        let outcome = batches(&tx, &walk.schema, name, statement).await;
        tx.rollback().await?;
        outcome
    };
    filled.await.map_err(|error| walk.scratch.trouble(error))
}

async fn batches(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    name: &str,
    statement: &str,
) -> Result<Filled, DbErr> {
    enter(tx, schema).await?;
    let mut filled = Filled {
        findings: vec![],
        contents: None,
        statement: statement.to_owned(),
    };
    let mut complain = |code, message: String| {
        let finding = Finding::new(code, message).of(name).by(statement);
        filled.findings.push(finding);
    };
    // Each batch that changes anything changes a row at least.
    let most = contents(tx, schema).await?.rows() + 20;
    for batch in 0..=most {
        tx.execute_unprepared("SAVEPOINT batch").await?;
        let rows = i64::try_from(BATCH).unwrap_or(1).into();
        let asked = Statement::from_sql_and_values(DbBackend::Postgres, statement, [rows]);
        let changed = match tx.execute_raw(asked).await {
            Ok(done) => done.rows_affected(),
            Err(error) => {
                tx.execute_unprepared("ROLLBACK TO SAVEPOINT batch").await?;
                let words = db_error::describe(&error);
                complain(Code::FailsOnRows, format!("a batch fails: {words}"));
                return Ok(filled);
            }
        };
        tx.execute_unprepared("RELEASE SAVEPOINT batch").await?;
        if changed == 0 {
            filled.contents = Some(contents(tx, schema).await?);
            return Ok(filled);
        }
        if changed > BATCH {
            let message = format!("a batch of {BATCH} changes {changed} rows");
            complain(Code::FillUnbounded, message);
            return Ok(filled);
        }
        if batch == most {
            let message = format!("{most} batches of {BATCH} rows did not come to an end");
            complain(Code::FillEndless, message);
        }
    }
    Ok(filled)
}

/// Compares where the batches led with where `up` has led.
pub(super) async fn run_fill<P: Product>(
    walk: &Walk<'_, P>,
    name: &str,
    filled: Filled,
) -> Result<Vec<Finding>, CheckError> {
    let mut findings = filled.findings;
    let Some(by_batches) = filled.contents else {
        return Ok(findings);
    };
    let schema = &walk.schema;
    let by_up = walk.within(async |tx| contents(tx, schema).await).await?;
    let words = words(&filled.statement);
    let is_volatile = words.iter().any(|word| VOLATILE.contains(&word.as_str()));
    let differs = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| {
        let differing = a.iter().find(|(table, is)| b.get(*table) != Some(is));
        differing.map(|(table, _)| table.clone())
    };
    let differing = differs(&by_batches.counts, &by_up.counts).or_else(|| match is_volatile {
        true => None,
        false => differs(&by_batches.hashes, &by_up.hashes),
    });
    if let Some(table) = differing {
        let message = format!("rows of {table} are not what its `up` makes of them");
        let finding = Finding::new(Code::FillDiffers, message).of(name).at(table);
        findings.push(finding.by(&filled.statement));
    }
    Ok(findings)
}

impl Contents {
    fn rows(&self) -> u64 {
        let first = |counts: &String| {
            let count = counts.split(' ').next().unwrap_or_default();
            count.parse::<u64>().unwrap_or_default()
        };
        self.counts.values().map(first).sum()
    }
}

async fn contents(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<Contents, DbErr> {
    let tables: Vec<String> = column(
        tx,
        "SELECT c.relname::text FROM pg_catalog.pg_class c
         WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' ORDER BY 1",
        [schema.as_str().into()],
    )
    .await?;
    let mut contents = Contents {
        counts: BTreeMap::new(),
        hashes: BTreeMap::new(),
    };
    for table in tables {
        let columns: Vec<String> = column(
            tx,
            "SELECT format('|| '' '' || count(%I)', a.attname) FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = format('%I.%I', $1::text, $2::text)::regclass AND a.attnum > 0
                 AND NOT a.attisdropped ORDER BY a.attnum",
            [schema.as_str().into(), table.as_str().into()],
        )
        .await?;
        let sql = format!(
            "SELECT count(*)::text {} AS counts,
                 coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') AS hash
             FROM {schema}.\"{}\" t",
            columns.join(" "),
            table.replace('"', "\"\"")
        );
        for row in all(tx, &sql, []).await? {
            contents
                .counts
                .insert(table.clone(), row.try_get("", "counts")?);
            contents
                .hashes
                .insert(table.clone(), row.try_get("", "hash")?);
        }
    }
    Ok(contents)
}
