//! Takes back what an import did: undone, cancelled half-way, or failed half-way. Items that somebody
//! has changed since are left alone and told of; units and groups that it brought stay.

use super::journal;
use super::model::{Finding, Kind, Status, Summary};
use super::notice;
use super::rows::{self, NewRow};
use super::store::{self, Import, Turn};
use super::work::{Desk, Halt, turn};

pub(super) async fn take_back(desk: &Desk<'_>, import: &Import) -> Result<(), Halt> {
    let (id, here) = (import.row.id, [import.status]);
    loop {
        desk.go_on()?;
        let now = desk.state.clock.now();
        let is_over = desk
            .task
            .step(async |tx| {
                // Two jobs may be at it, such as when somebody stops one at work: one after the other.
                let import = store::find_locked(tx, id).await?;
                if import.status != here[0] {
                    return Err(Halt::Turned);
                }
                let taken = journal::take_back(tx, id, now).await?;
                if taken.is_empty() {
                    return Ok(true);
                }
                let mut next = import.summary.clone();
                let kept: Vec<_> = taken.kept_skus.iter().map(|sku| kept(sku)).collect();
                rows::add(tx, id, next.findings, &kept).await?;
                add(&mut next, &taken);
                let how = Turn {
                    summary: Some(&next),
                    ..Turn::default()
                };
                turn(tx, id, (&here, import.status), how, now).await?;
                Ok::<_, Halt>(false)
            })
            .await?;
        if is_over {
            return end(desk, import).await;
        }
    }
}

async fn end(desk: &Desk<'_>, import: &Import) -> Result<(), Halt> {
    let (id, now) = (import.row.id, desk.state.clock.now());
    let to = match (import.status, &import.row.error) {
        (Status::Undoing, _) => Status::Undone,
        (_, Some(_)) => Status::Failed,
        (_, None) => Status::Cancelled,
    };
    desk.task
        .step(async |tx| {
            turn(tx, id, (&[import.status], to), Turn::default(), now).await?;
            let ended = store::find(tx, id).await?;
            notice::status(tx, &ended, now).await?;
            Ok::<_, Halt>(())
        })
        .await
}

fn add(summary: &mut Summary, taken: &journal::TakenBack) {
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    summary.undone.restored += count(taken.restored);
    summary.undone.removed += count(taken.removed);
    summary.undone.kept += count(taken.kept);
    summary.findings += i64::try_from(taken.kept_skus.len()).unwrap_or_default();
}

fn kept(sku: &str) -> NewRow {
    NewRow {
        kind: Kind::Kept,
        finding: Finding {
            line: 0,
            column: None,
            value: sku.to_owned(),
            code: "changed_since".to_owned(),
            hint: "it was changed after the import, and was left as it is".to_owned(),
        },
        raw: None,
    }
}
