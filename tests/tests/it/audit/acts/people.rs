//! Members, invitations, and one's own account.

use serde_json::{Value, json};
use server::tenant::notifications::Kind;

use super::{Act, Target, World};

pub(super) async fn act(world: &World, operation_id: &str) -> Option<Act> {
    let (acme, me) = (&world.acme, world.me.clone());
    match operation_id {
        "create_invitation" => {
            let act = world.act("invitation.create", Target::Told("invitation", "id"));
            Some(act.json(invited("created")))
        }
        "resend_invitation" => {
            let id = invitation(world, "resent").await;
            let act = world.act("invitation.resend", Target::Known("invitation", id.clone()));
            Some(act.on(id))
        }
        "revoke_invitation" => {
            let id = invitation(world, "revoked").await;
            let act = world.act("invitation.revoke", Target::Known("invitation", id.clone()));
            Some(act.on(id))
        }
        "change_member" => {
            let id = member(world, "counter").await;
            let act = world.act("member.change", Target::Known("member", id.clone()));
            Some(act.on(id).json(json!({"name": "Changed"})))
        }
        "deactivate_member" => {
            let id = member(world, "warehouse").await;
            let act = world.act("member.deactivate", Target::Known("member", id.clone()));
            Some(act.on(id))
        }
        "reactivate_member" => {
            let id = member(world, "accounts").await;
            let path = format!("/members/{id}/deactivate");
            let request = acme.request(reqwest::Method::POST, &path);
            acme.send(request.header("if-match", "*")).await.expect(200);
            let act = world.act("member.reactivate", Target::Known("member", id.clone()));
            Some(act.on(id))
        }
        "forgot_password" => {
            let act = world.act("password.forget", Target::All("member"));
            let act = act.json(json!({"email": "nobody@acme.example"}));
            Some(act.by(acme.signed_out(), None))
        }
        "change_password" => {
            let buyer = world.app.member(acme, "sales").await;
            let id = crate::audit::id_of(&buyer).await;
            let act = world.act("password.change", Target::Known("member", id.clone()));
            let new = "another quite long passphrase 17";
            let body = json!({"current": acme.password, "new": new});
            Some(act.by(buyer, Some(&id)).json(body))
        }
        "read_my_notification" => {
            world
                .app
                .tell(acme, &me, Kind::ExportReady, json!({}))
                .await;
            let told = acme.get("/me/notifications?unread=true").await.expect(200);
            let id = told.json["data"][0]["id"].as_str().unwrap().to_owned();
            let target = Target::Known("notification", id.clone());
            Some(world.act("notification.read", target).on(id))
        }
        "read_all_my_notifications" => {
            Some(world.act("notification.read_all", Target::All("notification")))
        }
        "replace_my_notification_preferences" => {
            let target = Target::Known("member", me);
            let act = world.act("notification_preference.change", target);
            Some(act.json(json!({"language": "pt", "choices": []})))
        }
        "ask_to_verify_email" => Some(world.act("email.ask", Target::Known("member", me))),
        "change_email" => {
            let act = world.act("email.change_ask", Target::Known("member", me));
            let body = json!({"email": "olga.new@acme.example", "password": acme.password});
            Some(act.json(body))
        }
        _ => None,
    }
}

async fn member(world: &World, role: &str) -> String {
    let member = world.app.member(&world.acme, role).await;
    crate::audit::id_of(&member).await
}

fn invited(name: &str) -> Value {
    json!({"email": format!("{name}@guests.example"), "role": "viewer"})
}

async fn invitation(world: &World, name: &str) -> String {
    let made = world.acme.post("/invitations", invited(name)).await;
    made.expect(201).json["id"].as_str().unwrap().to_owned()
}
