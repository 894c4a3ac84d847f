//! Second factors: each act with somebody of its own, so that the owner needs none.

use serde_json::json;
use tests::Actor;
use time::Duration;

use super::{Act, Target, World};
use crate::second_factor::Phone;

pub(super) async fn act(world: &World, operation_id: &str) -> Option<Act> {
    match operation_id {
        "begin_totp" => {
            let (who, id) = somebody(world, "begins").await;
            let act = world.act("second_factor.begin", Target::Known("member", id.clone()));
            Some(act.by(who, Some(&id)))
        }
        "confirm_totp" => {
            let (who, id) = somebody(world, "confirms").await;
            let told = who
                .post("/me/second-factor/totp", json!({}))
                .await
                .expect(200);
            let code = Phone::told(&told.json).code(&world.app);
            let act = world.act("second_factor.confirm", Target::Known("member", id.clone()));
            Some(act.by(who, Some(&id)).json(json!({"code": code})))
        }
        "renew_recovery_codes" => {
            let (who, id) = with_a_phone(world, "renews").await;
            let of_them = Target::Known("member", id.clone());
            let act = world.act("second_factor.renew_recovery_codes", of_them);
            Some(act.by(who, Some(&id)))
        }
        "remove_second_factor" => {
            let (who, id) = with_a_phone(world, "removes").await;
            let act = world.act("second_factor.remove", Target::Known("member", id.clone()));
            Some(act.by(who, Some(&id)))
        }
        "reset_second_factor" => {
            let (_, id) = with_a_phone(world, "forgets").await;
            let act = world.act("second_factor.reset", Target::Known("member", id.clone()));
            Some(act.on(id))
        }
        "step_up" => {
            let (who, id) = somebody(world, "steps").await;
            let act = world.act("session.step_up", Target::One("session"));
            let body = json!({"password": world.acme.password});
            Some(act.by(who, Some(&id)).json(body))
        }
        "change_security_settings" => {
            let act = world.act("setting.change", Target::One("setting"));
            Some(act.json(json!({"second_factor_roles": ["driver"]})))
        }
        _ => None,
    }
}

/// A viewer of this name, signed in.
async fn somebody(world: &World, name: &str) -> (Actor, String) {
    let schema = world.app.database.schema_of(&world.acme.slug).await;
    let email = format!("{name}@acme.example");
    let insert = format!(
        "INSERT INTO {schema}.member (id, email, name, role, status, password_hash)
         SELECT gen_random_uuid(), '{email}', '{name}', 'viewer', 'active', password_hash
         FROM {schema}.member WHERE role = 'owner'"
    );
    world.app.sql(&insert).await;
    let anybody = world.acme.signed_out();
    let tokens = anybody
        .sign_in(&email, &world.acme.password)
        .await
        .expect(200);
    let who = anybody.with_token(tokens.json["access_token"].as_str().unwrap());
    let id = crate::audit::id_of(&who).await;
    (who, id)
}

async fn with_a_phone(world: &World, name: &str) -> (Actor, String) {
    let (who, id) = somebody(world, name).await;
    let phone = Phone::of(&world.app, &who).await;
    world.app.advance(Duration::seconds(30));
    let code = json!({"code": phone.code(&world.app)});
    who.post("/auth/step-up", code).await.expect(204);
    (who, id)
}
