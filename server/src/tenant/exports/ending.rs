//! Ends an export whose job has died. The dead letter can be tried again, and finds an export that is
//! over: whoever wants the file asks for another.

use serde_json::json;
use uuid::Uuid;

use super::service;
use crate::events::{Event, kind_named, publish};
use crate::jobs::{Aftermath, JobError};
use crate::state::AppState;
use crate::tenant::notifications::{Audience, Kind, Notice, notify};

/// What is said of an export that was tried too often in vain: what went wrong within is nothing that
/// whoever asked for it could mend.
const GIVEN_UP: &str = "the server could not write it: ask for another";

pub(super) async fn end(aftermath: &Aftermath<'_, AppState>, id: Uuid) -> Result<(), JobError> {
    let (tx, state, death) = (aftermath.tx, aftermath.state, aftermath.death);
    let now = state.clock.now();
    let why = match death.is_refusal() {
        true => &*death.error,
        false => GIVEN_UP,
    };
    let Some(export) = service::give_up(tx, id, why, now).await? else {
        return Ok(());
    };
    let event = Event {
        kind: kind_named("export.failed").expect("the catalogue has it"),
        audience: None,
        data: json!({"id": id}),
    };
    publish(tx, &event, now).await?;
    let notice = Notice {
        audience: Audience::Members(vec![export.member_id]),
        kind: Kind::ExportFailed,
        data: json!({"id": id}),
    };
    let outbox = state.mailer.of(aftermath.task.db()?.tenant().key());
    Ok(notify(tx, &outbox, &notice, now).await?)
}
