//! Webhooks: endpoints, their secrets, and what is sent anew.

use serde_json::{Value, json};

use super::{Act, Target, World};
use crate::openapi::bodies::body_of;

pub(super) async fn act(world: &World, operation_id: &str) -> Option<Act> {
    let kind = "webhook_endpoint";
    let action = match operation_id {
        "create_webhook_endpoint" => {
            let act = world.act("webhook_endpoint.create", Target::One(kind));
            return Some(act.json(body_of(operation_id)));
        }
        "replay_webhook_delivery" => {
            let path = format!("/webhook-endpoints/{}/test", endpoint(world).await);
            let tested = world.acme.request(reqwest::Method::POST, &path);
            let tested: Value = world.acme.send(tested).await.expect(202).json;
            let act = world.act(
                "webhook_delivery.replay",
                Target::Told("webhook_delivery", "id"),
            );
            return Some(act.on(tested["id"].as_str().unwrap()));
        }
        "change_webhook_endpoint" => "webhook_endpoint.change",
        "remove_webhook_endpoint" => "webhook_endpoint.remove",
        "rotate_webhook_secret" => "webhook_endpoint.rotate",
        "test_webhook_endpoint" => "webhook_endpoint.test",
        "replay_webhook_endpoint" => "webhook_endpoint.replay",
        _ => return None,
    };
    let id = endpoint(world).await;
    let act = world.act(action, Target::Known(kind, id.clone())).on(id);
    Some(match operation_id {
        "remove_webhook_endpoint" | "test_webhook_endpoint" => act,
        "rotate_webhook_secret" => act.json(json!({"overlap_hours": 1})),
        other => act.json(body_of(other)),
    })
}

async fn endpoint(world: &World) -> String {
    let new = body_of("create_webhook_endpoint");
    let made = world.acme.post("/webhook-endpoints", new).await;
    let id = made.expect(201).json["endpoint"]["id"].clone();
    id.as_str().unwrap().to_owned()
}
