//! Single sign-on, as far as no provider is asked.

use serde_json::json;

use super::{Act, Target, World};

pub(super) async fn act(world: &World, operation_id: &str) -> Option<Act> {
    let kind = "sso_connection";
    match operation_id {
        "change_sso_connection" => {
            let id = connection(world, "Changed").await;
            let act = world.act("sso_connection.change", Target::Known(kind, id.clone()));
            Some(act.on(id).json(json!({"name": "Changed since"})))
        }
        "remove_sso_connection" => {
            let id = connection(world, "Removed").await;
            let act = world.act("sso_connection.remove", Target::Known(kind, id.clone()));
            Some(act.on(id))
        }
        "claim_sso_domain" => {
            let id = connection(world, "Claims").await;
            let act = world.act("sso_domain.claim", Target::Known(kind, id.clone()));
            Some(act.on(id).json(json!({"domain": "claimed.example"})))
        }
        "remove_sso_domain" => {
            let id = connection(world, "Forgets").await;
            let claim = json!({"domain": "forgotten.example"});
            let path = format!("/sso-connections/{id}/domains");
            world.acme.post(&path, claim).await.expect(200);
            let act = world.act("sso_domain.remove", Target::Known(kind, id.clone()));
            Some(act.on(id).on("forgotten.example"))
        }
        _ => None,
    }
}

/// Put there beside the server: making one asks the provider.
async fn connection(world: &World, name: &str) -> String {
    let schema = world.app.database.schema_of(&world.acme.slug).await;
    let id = uuid::Uuid::now_v7();
    let insert = format!(
        "INSERT INTO {schema}.sso_connection (id, name, issuer, client_id, sealed_client_secret,
             default_role, created_at, updated_at)
         VALUES ('{id}', '{name}', 'https://login.example', 'tubex', '', 'viewer', now(), now())"
    );
    world.app.sql(&insert).await;
    id.to_string()
}
