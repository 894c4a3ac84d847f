//! There is always an owner who can sign in, and owners are owners' business.

use serde_json::json;
use tests::{Dealer, TestApp};

use super::{beside, id_of, join, me, refused, text_of};

async fn path_of(who: &tests::Actor) -> String {
    format!("/members/{}", id_of(who).await)
}

#[actix_web::test]
async fn the_last_owner_stays_one() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let owner = path_of(&dealer).await;
    // An owner who can't sign in is none to rely on.
    let other = join(&app, &dealer, "olga@team.example", "owner").await;
    let other = path_of(&other).await;
    dealer
        .post(&format!("{other}/deactivate"), json!({}))
        .await
        .expect(200);

    let demoted = dealer.patch(&owner, 1, json!({"role": "admin"})).await;
    let out = dealer.post(&format!("{owner}/deactivate"), json!({})).await;

    refused(&demoted, 409, "last_owner");
    refused(&out, 409, "last_owner");
    dealer
        .post(&format!("{other}/reactivate"), json!({}))
        .await
        .expect(200);
    let demoted = dealer.patch(&owner, 1, json!({"role": "admin"})).await;
    demoted.expect(200);
}

#[actix_web::test]
async fn a_role_of_ones_own_in_place_of_the_last_owners_is_refused_too() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let owner = path_of(&dealer).await;
    let role = "01890000-0000-7000-8000-00000000000a";
    beside(
        &app,
        &dealer,
        &format!(
            "INSERT INTO {{schema}}.role (id, name, created_at, updated_at)
             VALUES ('{role}', 'Nothing', now(), now())"
        ),
    )
    .await;

    let demoted = dealer.patch(&owner, 1, json!({"role_id": role})).await;

    refused(&demoted, 409, "last_owner");
}

#[actix_web::test]
async fn of_two_owners_who_are_demoted_at_once_one_stays() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let other = join(&app, &dealer, "olga@team.example", "owner").await;
    let paths = [path_of(&dealer).await, path_of(&other).await];

    for _ in 0..8 {
        let demote = json!({"role": "admin"});
        let patch = |path: &str| {
            let request = dealer
                .request(reqwest::Method::PATCH, path)
                .header("if-match", "*");
            dealer.send(request.json(&demote))
        };

        let (one, two) = tokio::join!(patch(&paths[0]), patch(&paths[1]));

        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        // The second may find that whoever asks is no owner any more.
        assert!(
            statuses == [200, 409] || statuses == [200, 403],
            "{} {}",
            one.text(),
            two.text()
        );
        assert_eq!(owners(&app, &dealer).await, "1");
        let again = "UPDATE {schema}.member SET role = 'owner';
             UPDATE {schema}.access_state SET epoch = epoch + 1";
        beside(&app, &dealer, again).await;
        tests::eventually("both are owners again", async || {
            me(&dealer).await["role"] == "owner" && me(&other).await["role"] == "owner"
        })
        .await;
    }
}

#[actix_web::test]
async fn only_an_owner_makes_changes_or_unmakes_an_owner() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let admin = join(&app, &dealer, "admin@team.example", "admin").await;
    let sales = join(&app, &dealer, "sales@team.example", "sales").await;
    let (owner, sales) = (path_of(&dealer).await, path_of(&sales).await);
    let crown = json!({"role": "owner"});

    for reply in [
        admin.patch(&sales, 1, crown.clone()).await,
        admin.patch(&path_of(&admin).await, 1, crown.clone()).await,
        admin.patch(&owner, 1, json!({"role": "viewer"})).await,
        admin.patch(&owner, 1, json!({"name": "Nobody"})).await,
        admin.post(&format!("{owner}/deactivate"), json!({})).await,
        super::invite(&admin, "crown@team.example", "owner").await,
    ] {
        refused(&reply, 403, "owners_only");
    }
    dealer.patch(&sales, 1, crown).await.expect(200);
}

async fn owners(app: &TestApp, dealer: &Dealer) -> String {
    let count = "SELECT count(*)::text FROM {schema}.member
         WHERE role = 'owner' AND status = 'active'";
    text_of(app, dealer, count).await
}
