//! How far a role reaches: over all, over a branch, over a team, over oneself.

use serde_json::json;
use tests::{Actor, Dealer, TestApp};

use super::{beside, id_of, invite, join, refused};

const NORTH: &str = "01890000-0000-7000-8000-00000000000b";
const SOUTH: &str = "01890000-0000-7000-8000-00000000000c";

/// A dealer with two branches, and somebody in each.
struct Branches {
    app: TestApp,
    dealer: Dealer,
    manager: Actor,
    north: Actor,
    south: Actor,
}

async fn branches() -> Branches {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let two = format!(
        "INSERT INTO {{schema}}.branch (id, name, created_at, updated_at)
         VALUES ('{NORTH}', 'North', now(), now()), ('{SOUTH}', 'South', now(), now())"
    );
    beside(&app, &dealer, &two).await;
    let manager = at(
        &app,
        &dealer,
        ("manager@team.example", "branch_manager"),
        NORTH,
    )
    .await;
    let north = at(&app, &dealer, ("north@team.example", "sales"), NORTH).await;
    let south = at(&app, &dealer, ("south@team.example", "sales"), SOUTH).await;
    Branches {
        app,
        dealer,
        manager,
        north,
        south,
    }
}

async fn at(app: &TestApp, dealer: &Dealer, (email, role): (&str, &str), branch: &str) -> Actor {
    let body = json!({"email": email, "role": role, "branch_id": branch});
    dealer.post("/invitations", body).await.expect(201);
    let token = app.token_for(email, 1).await;
    let accepted = super::accept(dealer, &token, super::STRONG).await;
    super::signed_in(dealer, &accepted.expect(200))
}

async fn seen(who: &Actor) -> Vec<String> {
    let list = who.get("/members").await.expect(200).json;
    let rows = list["data"].as_array().unwrap().iter();
    rows.map(|row| row["email"].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn everybody_sees_as_far_as_their_role_reaches() {
    let team = branches().await;
    let viewer = join(&team.app, &team.dealer, "viewer@team.example", "viewer").await;

    assert_eq!(seen(&team.dealer).await.len(), 5);
    for who in [&team.manager, &team.north] {
        assert_eq!(
            seen(who).await,
            ["manager@team.example", "north@team.example"]
        );
    }
    assert_eq!(seen(&team.south).await, ["south@team.example"]);
    assert_eq!(seen(&viewer).await, ["viewer@team.example"]);
    let south = format!("/members/{}", id_of(&team.south).await);
    refused(&team.north.get(&south).await, 404, "member_not_found");
}

#[actix_web::test]
async fn a_team_is_seen_by_who_is_in_it() {
    let team = branches().await;
    let (north, south) = (id_of(&team.north).await, id_of(&team.south).await);
    // A role of the dealer's own that sees its teams.
    let (role, mates) = (
        "01890000-0000-7000-8000-00000000000d",
        "01890000-0000-7000-8000-00000000000e",
    );
    let statement = format!(
        "INSERT INTO {{schema}}.role (id, name, created_at, updated_at)
         VALUES ('{role}', 'Mate', now(), now());
         INSERT INTO {{schema}}.role_grant VALUES ('{role}', 'member.read', 'team');
         INSERT INTO {{schema}}.team (id, name, created_at, updated_at)
         VALUES ('{mates}', 'Mates', now(), now());
         INSERT INTO {{schema}}.team_member VALUES ('{mates}', '{north}'), ('{mates}', '{south}')"
    );
    beside(&team.app, &team.dealer, &statement).await;
    let path = format!("/members/{north}");
    let changed = team.dealer.patch(&path, 1, json!({"role_id": role})).await;
    assert_eq!(changed.expect(200).json["role"], "viewer");

    tests::eventually("the team is seen", async || {
        seen(&team.north).await == ["north@team.example", "south@team.example"]
    })
    .await;
}

#[actix_web::test]
async fn a_branch_manager_changes_their_own_branch_and_gives_no_more_than_they_hold() {
    let team = branches().await;
    let (north, south) = (id_of(&team.north).await, id_of(&team.south).await);
    let (north, south) = (format!("/members/{north}"), format!("/members/{south}"));
    let admin = ("admin@team.example", "admin");
    let admin = at(&team.app, &team.dealer, admin, NORTH).await;
    let admin = format!("/members/{}", id_of(&admin).await);
    let manager = &team.manager;

    let named = manager.patch(&north, 1, json!({"name": "Nora"})).await;
    named.expect(200);
    let elsewhere = manager.patch(&south, 1, json!({"name": "S"})).await;
    refused(&elsewhere, 404, "member_not_found");
    let moved = manager.patch(&north, 2, json!({"branch_id": SOUTH})).await;
    refused(&moved, 403, "permission_denied");
    let let_go = manager.patch(&north, 2, json!({"branch_id": null})).await;
    refused(&let_go, 403, "permission_denied");
    let raised = manager.patch(&north, 2, json!({"role": "admin"})).await;
    refused(&raised, 403, "grants_too_much");
    let lowered = manager.patch(&admin, 1, json!({"role": "viewer"})).await;
    refused(&lowered, 403, "grants_too_much");
    let out = manager
        .post(&format!("{admin}/deactivate"), json!({}))
        .await;
    refused(&out, 403, "grants_too_much");
    let out = manager
        .post(&format!("{north}/deactivate"), json!({}))
        .await;
    out.expect(200);
}

#[actix_web::test]
async fn a_branch_manager_invites_into_their_own_branch_only() {
    let team = branches().await;
    let manager = &team.manager;
    let south = json!({"email": "s@team.example", "role": "sales", "branch_id": SOUTH});
    let theirs = json!({"email": "t@team.example", "role": "sales", "branch_id": SOUTH});
    let theirs = team.dealer.post("/invitations", theirs).await.expect(201);
    let theirs = theirs.json["id"].as_str().unwrap().to_owned();

    let ours = invite(manager, "n@team.example", "counter").await;
    let elsewhere = manager.post("/invitations", south).await;
    let too_much = invite(manager, "a@team.example", "admin").await;
    let list = manager.get("/invitations").await.expect(200).json;
    let again = manager
        .post(&format!("/invitations/{theirs}/resend"), json!({}))
        .await;
    let back = manager.delete(&format!("/invitations/{theirs}")).await;

    assert_eq!(ours.expect(201).json["branch_id"], NORTH);
    refused(&elsewhere, 403, "permission_denied");
    refused(&too_much, 403, "grants_too_much");
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
    refused(&again, 404, "invitation_not_found");
    refused(&back, 404, "invitation_not_found");
}
