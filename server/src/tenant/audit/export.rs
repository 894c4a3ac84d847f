//! The trail as a file: written page by page, however long it is.

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use sea_orm::DbErr;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::model::Filter;
use super::store::{self, Row};
use super::wire::{Content, Costs, FormatIn, hex};
use crate::db::TenantDb;
use crate::kernel::guarded;

/// Records read at a time, each time in a transaction of its own: a reader who is slow keeps no
/// connection.
const ROWS: u64 = 500;

const HEADING: &str = "seq,id,at,action,actor_kind,actor_id,target_kind,target_id,before,after,\
    request_id,address,hash\r\n";

/// What is taken out.
#[derive(Debug)]
pub(super) struct Export {
    pub db: TenantDb,
    pub filter: Filter,
    pub format: FormatIn,
    pub costs: Costs,
    /// The last record that belongs to it; what comes later does not.
    pub last: i64,
}

/// Why an export broke off. The client sees an answer without its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokenOff {
    #[error("the database failed")]
    Db(#[from] DbErr),
    #[error("a record can't be read")]
    Record(#[from] serde_json::Error),
}

impl Export {
    pub(super) fn content_type(&self) -> &'static str {
        match self.format {
            FormatIn::Ndjson => "application/x-ndjson",
            FormatIn::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    pub(super) fn file_name(&self) -> &'static str {
        match self.format {
            FormatIn::Ndjson => "audit-records.ndjson",
            FormatIn::Csv => "audit-records.csv",
        }
    }

    /// All of it, some records at a time.
    pub(super) fn pages(self) -> impl Stream<Item = Result<Bytes, BrokenOff>> {
        stream::try_unfold((self, Some(0)), |(export, after)| async move {
            let Some(after) = after else {
                return Ok(None);
            };
            let (page, next) = export.page(after).await.inspect_err(|error| {
                tracing::error!(error = ?error, "an export of an audit trail broke off");
            })?;
            Ok(Some((Bytes::from(page), (export, next))))
        })
    }

    /// The records after one, and where to go on if there are more.
    async fn page(&self, after: i64) -> Result<(String, Option<i64>), BrokenOff> {
        let span = (after, self.last);
        let rows = self
            .db
            .read(async |tx| store::in_order(tx, &self.filter, span, ROWS).await)
            .await?;
        let mut text = match (self.format, after) {
            (FormatIn::Csv, 0) => HEADING.to_owned(),
            _ => String::new(),
        };
        for row in &rows {
            match self.format {
                FormatIn::Ndjson => text.push_str(&self.line(row)?),
                FormatIn::Csv => text.push_str(&cells(row, self.costs)?),
            }
        }
        let is_last = u64::try_from(rows.len()).is_ok_and(|length| length < ROWS);
        let next = rows.last().map(|row| row.seq).filter(|_| !is_last);
        Ok((text, next))
    }

    /// The content stands in it as it was hashed, so that whoever has the file can follow the
    /// chain; without costs it can't.
    fn line(&self, row: &Row) -> Result<String, BrokenOff> {
        let content = match self.costs {
            Costs::Shown => row.content.clone(),
            Costs::Hidden => {
                let mut whole: Value = serde_json::from_str(&row.content)?;
                let shown = Content::of(row, self.costs)?;
                for (name, state) in [("before", shown.before), ("after", shown.after)] {
                    if let (Some(field), Some(state)) = (whole.get_mut(name), state) {
                        *field = state;
                    }
                }
                whole.to_string()
            }
        };
        let (seq, hash) = (row.seq, hex(&row.hash));
        Ok(format!(
            "{{\"seq\":{seq},\"hash\":\"{hash}\",\"content\":{content}}}\n"
        ))
    }
}

fn cells(row: &Row, costs: Costs) -> Result<String, BrokenOff> {
    let content = Content::of(row, costs)?;
    let state = |state: Option<Value>| state.map(|state| state.to_string());
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
    let at = content.at.format(&Rfc3339);
    let cells = [
        Some(row.seq.to_string()),
        Some(content.id.to_string()),
        at.ok(),
        Some(content.action),
        Some(content.actor.kind),
        id(content.actor.id),
        Some(content.target.kind),
        content.target.id,
        state(content.before),
        state(content.after),
        content.request_id,
        content.address,
        Some(hex(&row.hash)),
    ];
    let cells = cells.map(|cell| quoted(&cell.unwrap_or_default()));
    Ok(cells.join(",") + "\r\n")
}

/// A cell in quotes, and no formula.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", guarded(cell).replace('"', "\"\""))
}

/// What goes on record of an export.
pub(super) fn told(format: FormatIn, filter: &Filter) -> Value {
    let moment = |at: Option<time::OffsetDateTime>| at.and_then(|at| at.format(&Rfc3339).ok());
    json!({
        "format": format,
        "actor_id": filter.actor_id,
        "actor_kind": filter.actor_kind,
        "action": filter.action,
        "target_kind": filter.target_kind,
        "target_id": filter.target_id,
        "since": moment(filter.since),
        "until": moment(filter.until),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@a", "\ta", "\ra"] {
            assert_eq!(quoted(text), format!("\"'{text}\""));
        }
        assert_eq!(quoted("'=1"), "\"''=1\"");
        assert_eq!(quoted("a \"b\",=c"), "\"a \"\"b\"\",=c\"");
        assert_eq!(quoted(""), "\"\"");
    }
}
