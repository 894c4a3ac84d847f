//! Signing in, staying signed in, ending sessions.

use serde_json::json;

use super::{Act, Target, World};

pub(super) async fn act(world: &World, operation_id: &str) -> Option<Act> {
    let (acme, me) = (&world.acme, world.me.as_str());
    let anybody = acme.signed_out();
    let proof = json!({"email": acme.email, "password": acme.password});
    match operation_id {
        "sign_in" => {
            let act = world.act("session.begin", Target::One("session"));
            Some(act.by(anybody, Some(me)).json(proof))
        }
        "refresh" => {
            let tokens = anybody
                .sign_in(&acme.email, &acme.password)
                .await
                .expect(200);
            let token = json!({"refresh_token": tokens.json["refresh_token"]});
            let act = world.act("session.refresh", Target::One("session"));
            Some(act.by(anybody, None).json(token))
        }
        "sign_out" => {
            let leaver = world.app.enter("acme").await.owner;
            let act = world.act("session.end", Target::One("session"));
            Some(act.by(leaver, Some(me)))
        }
        "end_my_session" => {
            let other = world.app.enter("acme").await;
            let sessions = other.get("/me/sessions").await.expect(200).json;
            let rows = sessions["data"].as_array().unwrap().iter();
            let current = rows.into_iter().find(|row| row["is_current"] == true);
            let id = current.unwrap()["id"].as_str().unwrap().to_owned();
            let act = world.act("session.end", Target::Known("session", id.clone()));
            Some(act.on(id))
        }
        "end_my_other_sessions" => {
            let of_me = Target::Known("member", me.to_owned());
            Some(world.act("session.end_others", of_me))
        }
        "end_member_sessions" => {
            let driver = world.app.member(acme, "driver").await;
            let id = crate::audit::id_of(&driver).await;
            let act = world.act("session.end_all", Target::Known("member", id.clone()));
            Some(act.on(id))
        }
        "void_all_tokens" => {
            let act = world.act("token.void_all", Target::One("dealer"));
            Some(act.json(json!({"confirm": "acme"})))
        }
        _ => None,
    }
}
