//! Items, groups, units, price files and settings.

use serde_json::json;

use super::{Act, Target, World};

pub(super) async fn act(world: &World, operation_id: &str) -> Option<Act> {
    let told = |action, kind, field| Some(world.act(action, Target::Told(kind, field)));
    match operation_id {
        "create_item" => told("item.create", "item", "id")
            .map(|act| act.json(json!({"sku": "ACT", "name": "a", "base_unit": "pcs"}))),
        "change_item" => {
            let id = item(world, "CHANGED").await;
            let act = world.act("item.change", Target::Known("item", id.clone()));
            Some(act.on(id).json(json!({"name": "changed"})))
        }
        "retire_item" => {
            let id = item(world, "RETIRED").await;
            let act = world.act("item.retire", Target::Known("item", id.clone()));
            Some(act.on(id))
        }
        "restore_item" => {
            let id = item(world, "RESTORED").await;
            world.acme.delete(&format!("/items/{id}")).await.expect(204);
            let act = world.act("item.restore", Target::Known("item", id.clone()));
            Some(act.on(id))
        }
        "create_item_group" => told("item_group.create", "item_group", "id")
            .map(|act| act.json(json!({"name": "Act"}))),
        "change_item_group" => {
            let id = group(world, "Changed").await;
            let act = world.act("item_group.change", Target::Known("item_group", id.clone()));
            Some(act.on(id).json(json!({"name": "Changed since"})))
        }
        "remove_item_group" => {
            let id = group(world, "Removed").await;
            let act = world.act("item_group.remove", Target::Known("item_group", id.clone()));
            Some(act.on(id))
        }
        "create_unit" => told("unit.create", "unit", "code").map(|act| act.json(unit("act"))),
        "change_unit" => {
            world.acme.post("/units", unit("changed")).await.expect(201);
            let act = world.act("unit.change", Target::Known("unit", "changed".to_owned()));
            Some(act.on("changed").json(json!({"name": "Changed"})))
        }
        "remove_unit" => {
            world.acme.post("/units", unit("removed")).await.expect(201);
            let act = world.act("unit.remove", Target::Known("unit", "removed".to_owned()));
            Some(act.on("removed"))
        }
        "create_export" => told("export.create", "export", "id")
            .map(|act| act.json(json!({"kind": "items", "format": "csv"}))),
        "replace_cors_origins" => {
            let act = world.act("setting.change", Target::One("setting"));
            Some(act.json(json!({"origins": ["https://act.example"]})))
        }
        "replace_correspondence" => {
            let act = world.act("setting.change", Target::One("setting"));
            Some(act.json(json!({"language": "et"})))
        }
        _ => None,
    }
}

async fn item(world: &World, sku: &str) -> String {
    let made = world.acme.item(sku, json!({})).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn group(world: &World, name: &str) -> String {
    let made = world.acme.post("/item-groups", json!({"name": name})).await;
    made.expect(201).json["id"].as_str().unwrap().to_owned()
}

fn unit(code: &str) -> serde_json::Value {
    json!({"code": code, "name": code, "symbol": "x", "decimals": 0})
}
