//! Background work that is retried and discarded.

use serde_json::json;

use super::{Act, Target, World};
use crate::jobs::hand_over;

pub(super) async fn act(world: &World, operation_id: &str) -> Option<Act> {
    let action = match operation_id.split_once('_')? {
        ("retry", "job" | "jobs") => "job.retry",
        ("discard", "job" | "jobs") => "job.discard",
        _ => return None,
    };
    if operation_id.ends_with("jobs") {
        let act = world.act(action, Target::All("job"));
        return Some(act.json(json!({"kind": "nothing.like_that"})));
    }
    let id = hand_over(&world.app, &world.acme, "nothing", operation_id).await;
    let bury = format!("UPDATE jobs.job SET state = 'dead', ended_at = now() WHERE id = '{id}'");
    world.app.sql(&bury).await;
    Some(
        world
            .act(action, Target::Known("job", id.to_string()))
            .on(id),
    )
}
