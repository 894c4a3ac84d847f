//! How far a permission reaches: the list of a team's members shows whom one may see.

use serde_json::json;
use tests::{Actor, TestApp, eventually};
use uuid::Uuid;

use super::{id_of, member_with};

async fn team(dealer: &Actor, name: &str, members: &[Uuid]) -> String {
    let team = dealer
        .post("/teams", json!({ "name": name }))
        .await
        .expect(201);
    let team = team.json["id"].as_str().unwrap().to_owned();
    for member in members {
        let place = format!("/teams/{team}/members/{member}");
        let put = dealer.request(reqwest::Method::PUT, &place);
        dealer.send(put).await.expect(204);
    }
    team
}

#[actix_web::test]
async fn each_scope_shows_its_own_people_and_no_others() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let yard = dealer
        .post("/branches", json!({"name": "Yard"}))
        .await
        .expect(201);
    let yard = yard.json["id"].as_str().unwrap().to_owned();
    let mut listed = Vec::new();
    for role in ["sales", "counter", "driver"] {
        listed.push(id_of(&app.member(&dealer, role).await).await);
    }
    let (at_the_yard, mate) = (listed[0], listed[1]);
    let mut observers = Vec::new();
    for scope in ["own", "team", "branch", "all"] {
        let grants = json!([{"permission": "member.read", "scope": scope}]);
        observers.push(member_with(&app, &dealer, &format!("sees-{scope}"), grants).await);
    }
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&format!(
        "UPDATE {schema}.member SET branch_id = '{yard}'
         WHERE id = '{at_the_yard}' OR name LIKE 'sees-%'"
    ))
    .await;
    let ids = observers.iter().map(|(_, id)| *id);
    team(&dealer, "Mates", &ids.chain([mate]).collect::<Vec<_>>()).await;
    let listed = team(&dealer, "Listed", &listed).await;

    // What one is, and whom one works with, may be remembered for a moment.
    eventually("each sees whom their scope reaches", async || {
        let mut counts = Vec::new();
        for (who, _) in &observers {
            let list = who
                .get(&format!("/teams/{listed}/members"))
                .await
                .expect(200);
            counts.push(list.json["data"].as_array().unwrap().len());
        }
        counts == [0, 1, 2, 3]
    })
    .await;
}
