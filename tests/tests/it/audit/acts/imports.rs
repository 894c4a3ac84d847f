//! Price files. No worker runs here: where an import stands is said by hand.

use serde_json::json;

use super::{Act, Sent, Target, World};

const FILE: &str = "sku,name,unit,price\nFILE,a,pcs,1.50\n";

pub(super) async fn act(world: &World, operation_id: &str) -> Option<Act> {
    Some(match operation_id {
        "import_price_file" => {
            let act = world.act("import.create", Target::Told("import", "id"));
            act.send(Sent::File(FILE))
        }
        "apply_import" => turned(world, "import.start", "ready").await,
        "cancel_import" => turned(world, "import.cancel", "uploaded").await,
        "undo_import" => turned(world, "import.undo", "applied").await,
        "create_import_profile" => {
            let act = world.act(
                "import_profile.create",
                Target::Told("import_profile", "id"),
            );
            act.json(json!({"name": "Created"}))
        }
        "change_import_profile" => {
            let id = profile(world, "Before").await;
            let target = Target::Known("import_profile", id.clone());
            let act = world.act("import_profile.change", target).on(id);
            act.json(json!({"name": "After"}))
        }
        "remove_import_profile" => {
            let id = profile(world, "Removed").await;
            let target = Target::Known("import_profile", id.clone());
            world.act("import_profile.remove", target).on(id)
        }
        _ => return None,
    })
}

/// Something done to an import that stands at a status.
async fn turned(world: &World, action: &'static str, status: &str) -> Act {
    let sent = world.acme.send_file("", FILE).await.expect(202);
    let id = sent.json["id"].as_str().unwrap().to_owned();
    let schema = world.app.database.schema_of(&world.acme.slug).await;
    let turn = format!(
        "UPDATE {schema}.import SET status = '{status}', finished_at = now() WHERE id = '{id}'"
    );
    world.app.sql(&turn).await;
    let target = Target::Known("import", id.clone());
    world.act(action, target).on(id)
}

async fn profile(world: &World, name: &str) -> String {
    let new = json!({"name": name});
    let made = world.acme.post("/import-profiles", new).await.expect(201);
    made.json["id"].as_str().unwrap().to_owned()
}
