//! Roles of the dealer's own.

use std::time::Duration;

use serde_json::json;
use tests::{TestApp, eventually};
use tokio::time::Instant;

use super::{member_with, only, role};

#[actix_web::test]
async fn a_role_is_made_read_changed_and_removed() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let grants = json!([
        {"permission": "member.read", "scope": "team"},
        {"permission": "item.read"},
    ]);

    let id = role(&dealer, "Keeper", grants).await;
    let path = format!("/roles/{id}");
    let made = dealer.get(&path).await.expect(200);
    let renamed = json!({"name": "Looker", "grants": [{"permission": "item.read"}]});
    let changed = dealer.patch(&path, 1, renamed).await.expect(200);
    let listed = dealer.get("/roles").await.expect(200);

    let in_order = json!([
        {"permission": "item.read", "scope": "all"},
        {"permission": "member.read", "scope": "team"},
    ]);
    assert_eq!(made.json["grants"], in_order);
    assert_eq!(made.header("etag"), "\"1\"");
    assert_eq!(changed.json["version"], 2);
    assert_eq!(listed.json["data"], json!([changed.json]));
    let stale = dealer.patch(&path, 1, json!({"name": "Late"})).await;
    assert_eq!(stale.problem(), "precondition_failed");
    dealer.delete(&path).await.expect(204);
    assert_eq!(dealer.get(&path).await.problem(), "role_not_found");
}

#[actix_web::test]
async fn built_in_roles_are_told_and_can_not_be_had_by_name() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;

    let told = dealer.get("/roles/built-in").await.expect(200);

    let roles = told.json["data"].as_array().unwrap().clone();
    assert_eq!(roles.len(), 10);
    let viewer = roles.iter().find(|role| role["name"] == "viewer").unwrap();
    let holds = |name: &str| {
        let grants = viewer["grants"].as_array().unwrap();
        grants.iter().any(|grant| grant["permission"] == name)
    };
    assert!(holds("item.read") && !holds("item.write") && !holds("price.cost.read"));
}

#[actix_web::test]
async fn what_is_in_no_catalogue_twice_or_without_scopes_is_refused_by_line() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let grants = json!([
        {"permission": "item.read"},
        {"permission": "item.destroy"},
        {"permission": "item.read"},
        {"permission": "item.write", "scope": "own"},
    ]);

    let refused = dealer
        .post("/roles", json!({"name": "Wrong", "grants": grants}))
        .await
        .expect(422);

    let errors = refused.json["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|one| one["pointer"].as_str()).collect();
    let expected = [
        Some("/grants/1/permission"),
        Some("/grants/2/permission"),
        Some("/grants/3/scope"),
    ];
    assert_eq!(pointers, expected);
}

#[actix_web::test]
async fn nobody_gives_what_they_do_not_hold_or_not_as_far() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let held = json!([
        {"permission": "role.manage"},
        {"permission": "role.read"},
        {"permission": "member.read", "scope": "branch"},
    ]);
    let (manager, _) = member_with(&app, &dealer, "manager", held).await;
    let strong = role(&dealer, "Strong", only("security.manage")).await;

    let ask = async |grants| {
        let role = json!({"name": "New", "grants": grants});
        manager.post("/roles", role).await
    };
    let more = ask(only("item.write")).await;
    let further = ask(only("member.read")).await;
    let as_far = ask(json!([{"permission": "member.read", "scope": "branch"}])).await;
    let path = format!("/roles/{strong}");
    let weaken = manager.patch(&path, 1, json!({"grants": []})).await;
    let remove = manager.delete(&path).await;

    for refused in [more, further, weaken, remove] {
        let got = (refused.status.as_u16(), refused.problem());
        assert_eq!(got, (403, "grant_too_wide"), "{}", refused.text());
    }
    as_far.expect(201);
    let grants = dealer.get(&path).await.expect(200).json["grants"].clone();
    assert_eq!(grants[0]["permission"], "security.manage");
}

#[actix_web::test]
async fn a_role_that_somebody_has_or_is_invited_to_stays() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let (member, _) = member_with(&app, &dealer, "somebody", only("item.read")).await;
    member.get("/items").await.expect(200);
    let invited = role(&dealer, "Invited", only("item.read")).await;
    let schema = app.database.schema_of(&dealer.slug).await;
    app.sql(&format!(
        "INSERT INTO {schema}.invitation
             (id, email, role, role_id, token_hash, created_at, updated_at, expires_at)
         VALUES (gen_random_uuid(), 'new@acme.example', 'viewer', '{invited}', 'x', now(), now(),
             now() + interval '1 day')"
    ))
    .await;
    let roles = dealer.get("/roles").await.expect(200).json["data"].clone();

    for role in roles.as_array().unwrap() {
        let path = format!("/roles/{}", role["id"].as_str().unwrap());
        let refused = dealer.delete(&path).await;
        assert_eq!(
            (refused.status.as_u16(), refused.problem()),
            (409, "role_in_use")
        );
    }
    member.get("/items").await.expect(200);
}

#[actix_web::test]
async fn what_a_role_loses_its_holders_lose_within_a_second_on_every_server() {
    let app = TestApp::start().await;
    let other = TestApp::start_on(app.database.clone(), &[]).await;
    let dealer = app.dealer().await;
    let (member, _) = member_with(&app, &dealer, "looker", only("item.read")).await;
    let there = other
        .stranger(&member.host)
        .with_token(member.token.as_deref().unwrap());
    there.get("/items").await.expect(200);
    member.get("/items").await.expect(200);
    let roles = dealer.get("/roles").await.expect(200).json["data"].clone();
    let path = format!("/roles/{}", roles[0]["id"].as_str().unwrap());

    dealer
        .patch(&path, 1, json!({"grants": []}))
        .await
        .expect(200);

    let begun = Instant::now();
    eventually("it is gone everywhere", async || {
        let replies = [member.get("/items").await, there.get("/items").await];
        replies
            .iter()
            .all(|reply| reply.problem() == "permission_denied")
    })
    .await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[actix_web::test]
async fn changing_roles_needs_a_proof_of_a_moment_ago() {
    let app = TestApp::start_with(&[("TUBEX_AUTH__ACCESS_MINUTES", "60")]).await;
    let dealer = app.dealer().await;
    dealer
        .post("/roles", json!({"name": "Now", "grants": []}))
        .await
        .expect(201);

    app.advance(time::Duration::minutes(59));
    let later = dealer
        .post("/roles", json!({"name": "Later", "grants": []}))
        .await;

    assert_eq!(
        (later.status.as_u16(), later.problem()),
        (403, "proof_required")
    );
    dealer.get("/roles").await.expect(200);
}
