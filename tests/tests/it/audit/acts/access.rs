//! Branches, teams, roles of the dealer's own, API keys.

use serde_json::{Value, json};

use super::{Act, Target, World};

pub(super) async fn act(world: &World, operation_id: &str) -> Option<Act> {
    let (verb, kind) = operation_id.split_once('_')?;
    let (path, new, action): (_, _, [&'static str; 3]) = match kind {
        "branch" => (
            "/branches",
            json!({"name": format!("{verb} branch")}),
            ["branch.create", "branch.change", "branch.remove"],
        ),
        "team" => (
            "/teams",
            json!({"name": format!("{verb} team")}),
            ["team.create", "team.change", "team.remove"],
        ),
        "role" => (
            "/roles",
            json!({"name": format!("{verb} role"), "grants": [{"permission": "item.read"}]}),
            ["role.create", "role.change", "role.remove"],
        ),
        "api_key" => (
            "/api-keys",
            json!({"name": format!("{verb} key"), "permissions": ["item.read"]}),
            ["api_key.create", "api_key.change", "api_key.revoke"],
        ),
        _ => return places(world, operation_id).await,
    };
    let kind = action[0].split_once('.')?.0;
    match verb {
        "create" if kind == "api_key" => Some(world.act(action[0], Target::One(kind)).json(new)),
        "create" => Some(world.act(action[0], Target::Told(kind, "id")).json(new)),
        "change" => {
            let id = made(world, path, new).await;
            let act = world.act(action[1], Target::Known(kind, id.clone()));
            Some(act.on(id).json(json!({"name": format!("Changed {kind}")})))
        }
        "remove" | "revoke" => {
            let id = made(world, path, new).await;
            let act = world.act(action[2], Target::Known(kind, id.clone()));
            Some(act.on(id))
        }
        "rotate" => {
            let id = made(world, path, new).await;
            let act = world.act("api_key.rotate", Target::One(kind));
            Some(act.on(id).json(json!({})))
        }
        _ => None,
    }
}

/// Who is in a team.
async fn places(world: &World, operation_id: &str) -> Option<Act> {
    let action = match operation_id {
        "add_team_member" => "team.take_in",
        "remove_team_member" => "team.take_out",
        _ => return None,
    };
    let name = json!({"name": format!("Team of {operation_id}")});
    let team = made(world, "/teams", name).await;
    if operation_id == "remove_team_member" {
        let path = format!("/teams/{team}/members/{}", world.me);
        let request = world.acme.request(reqwest::Method::PUT, &path);
        let taken_in = world.acme.send(request).await;
        assert!(taken_in.status.is_success(), "{}", taken_in.text());
    }
    let act = world.act(action, Target::Known("team", team.clone()));
    Some(act.on(team).on(&world.me))
}

async fn made(world: &World, path: &str, body: Value) -> String {
    let made = world.acme.post(path, body).await.expect(201).json;
    let id = made["id"].as_str().or(made["api_key"]["id"].as_str());
    id.unwrap().to_owned()
}
