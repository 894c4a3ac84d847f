//! Who may what: permissions of routes, roles of the dealer's own, scopes, fields, and why.

mod costs;
mod explain;
mod permissions;
mod reach;
mod report;
mod roles;
mod surplus;

use serde_json::{Value, json};
use tests::{Actor, Dealer, TestApp};
use uuid::Uuid;

/// A role of the dealer's own that allows this.
pub async fn role(dealer: &Actor, name: &str, grants: Value) -> String {
    let role = json!({"name": name, "grants": grants});
    let made = dealer.post("/roles", role).await.expect(201);
    made.json["id"].as_str().unwrap().to_owned()
}

/// A member who has a role of the dealer's own, signed in, and their id.
pub async fn member_with(
    app: &TestApp,
    dealer: &Dealer,
    name: &str,
    grants: Value,
) -> (Actor, Uuid) {
    let role = role(dealer, name, grants).await;
    let schema = app.database.schema_of(&dealer.slug).await;
    let (id, email) = (Uuid::now_v7(), format!("{name}@{}.example", dealer.slug));
    app.sql(&format!(
        "INSERT INTO {schema}.member (id, email, name, role, role_id, status, password_hash)
         SELECT '{id}', '{email}', '{name}', 'viewer', '{role}', 'active', password_hash
         FROM {schema}.member WHERE role = 'owner'"
    ))
    .await;
    let anybody = dealer.owner.signed_out();
    let signed_in = anybody.sign_in(&email, &dealer.password).await.expect(200);
    let token = signed_in.json["access_token"].as_str().unwrap();
    (anybody.with_token(token), id)
}

/// One permission over all.
pub fn only(permission: &str) -> Value {
    json!([{"permission": permission}])
}

/// Who somebody is.
pub async fn id_of(actor: &Actor) -> Uuid {
    let me = actor.get("/me").await.expect(200);
    me.json["id"].as_str().unwrap().parse().unwrap()
}
