//! The way to the provider and back, and whom it leads to.

use serde_json::json;

use super::{ADA, World, assert_problem, parameter};
use crate::second_factor::{Phone, answer};

#[actix_web::test]
async fn somebody_new_becomes_a_member_with_the_default_role() {
    let world = World::start().await;

    let journey = world.leave().await;
    let to = url::Url::parse(&journey.to).unwrap();
    let back = world.at_provider(&journey, ADA).await;
    let reply = world.back(&back, &journey.cookie).await.expect(200);
    let me = world.me(&reply).await;

    assert_eq!(
        parameter(&to, "code_challenge_method").as_deref(),
        Some("S256")
    );
    assert!(parameter(&to, "nonce").is_some() && parameter(&to, "state").is_some());
    assert_eq!(me["email"], ADA);
    assert_eq!(me["name"], "Ada");
    assert_eq!(me["role"], "viewer");
    assert_eq!(world.count("member", "email = 'ada@acme.example'").await, 1);
    let spent = reply.header("set-cookie");
    assert!(
        spent.starts_with("__Host-tubex_sso=;") && spent.contains("Max-Age=0"),
        "{spent}"
    );
    let on_record = "action = 'member.provision' AND actor_kind = 'member'";
    assert_eq!(world.count("audit_record", on_record).await, 1);
    let second = world.sign_in(ADA).await.expect(200);
    assert_eq!(world.me(&second).await["id"], me["id"]);
    assert_eq!(world.count("session", "method = 'sso'").await, 2);
}

#[actix_web::test]
async fn the_cookie_is_bound_to_the_host_and_kept_from_scripts() {
    let world = World::start().await;

    let path = format!("/auth/sso/{}/start", world.connection);
    let reply = world.browser.get(&path).await.expect(302);

    let cookie = reply.header("set-cookie");
    assert!(cookie.starts_with("__Host-tubex_sso="), "{cookie}");
    for attribute in [
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
        "Path=/",
        "Max-Age=600",
    ] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn a_member_by_the_same_address_is_linked_and_stays_who_they_are() {
    let world = World::start().await;
    let sales = world.app.member(&world.acme, "sales").await;
    let id = sales.get("/me").await.expect(200).json["id"].clone();
    let who = json!({ "sub": "7" });
    world.provider.user("sales@acme.example", who.clone()).await;

    let first = world.sign_in("sales@acme.example").await.expect(200);
    // Their address changes at the provider, within the domain.
    world.provider.user("new-name@acme.example", who).await;
    let second = world.sign_in("new-name@acme.example").await.expect(200);

    let (first, second) = (world.me(&first).await, world.me(&second).await);
    assert_eq!((&first["id"], &first["role"]), (&id, &json!("sales")));
    assert_eq!(
        (&second["id"], &second["email"]),
        (&id, &json!("sales@acme.example"))
    );
}

#[actix_web::test]
async fn nobody_becomes_a_member_where_the_dealer_does_not_want_it() {
    let world = World::start_with(&[], json!({ "provisions": false })).await;

    let refused = world.sign_in(ADA).await;

    assert_problem(&refused, 401, "sso_refused");
    assert_eq!(world.count("member", "email = 'ada@acme.example'").await, 0);
    world.app.recorded("sso_refused", &world.acme, 1).await;
}

#[actix_web::test]
async fn a_disabled_member_is_not_let_in() {
    let world = World::start().await;
    world.sign_in(ADA).await.expect(200);
    let schema = world.app.database.schema_of("acme").await;
    let disable =
        format!("UPDATE {schema}.member SET status = 'disabled' WHERE email = 'ada@acme.example'");
    world.app.sql(&disable).await;

    assert_problem(&world.sign_in(ADA).await, 401, "sso_refused");
}

#[actix_web::test]
async fn two_first_sign_ins_at_once_make_one_member() {
    let world = World::start().await;
    let (one, two) = (world.leave().await, world.leave().await);
    let backs = [
        world.at_provider(&one, ADA).await,
        world.at_provider(&two, ADA).await,
    ];

    let replies = tokio::join!(
        world.back(&backs[0], &one.cookie),
        world.back(&backs[1], &two.cookie)
    );

    for reply in [replies.0, replies.1] {
        assert!(
            [200, 409].contains(&reply.status.as_u16()),
            "{}",
            reply.text()
        );
    }
    assert_eq!(world.count("member", "email = 'ada@acme.example'").await, 1);
}

#[actix_web::test]
async fn a_browser_goes_on_to_where_it_wanted() {
    let world = World::start().await;

    let journey = world.leave_to("?return_to=/orders?open=1").await;
    let back = world.at_provider(&journey, ADA).await;
    let reply = world.back(&back, &journey.cookie).await.expect(303);

    assert_eq!(reply.header("location"), "/orders?open=1");
    assert!(reply.body.is_empty(), "{}", reply.text());
    assert_eq!(world.count("session", "client = 'browser'").await, 1);
    for elsewhere in ["https://evil.example", "//evil.example", "/\\evil.example"] {
        let path = format!("/auth/sso/{}/start?return_to={elsewhere}", world.connection);
        assert_problem(&world.browser.get(&path).await, 400, "query_invalid");
    }
}

#[actix_web::test]
async fn the_second_factor_is_asked_for_after_it_only_if_the_dealer_wants() {
    let world = World::start().await;
    let owner = world.acme.email.clone();
    world.provider.user(&owner, json!({})).await;
    let phone = Phone::of(&world.app, &world.acme).await;

    let vouched = world.sign_in(&owner).await;
    let policy = json!({ "second_factor_roles": [], "second_factor_after_sso": true });
    let request = world
        .acme
        .request(reqwest::Method::PUT, "/settings/security");
    let request = request.header("if-match", "*").json(&policy);
    world.acme.send(request).await.expect(200);
    let asked = world.sign_in(&owner).await.expect(202);
    let challenge = asked.json["challenge"].as_str().unwrap();
    let code = json!({ "code": phone.next_code(&world.app) });
    let let_in = answer(&world.acme, challenge, code).await.expect(200);

    vouched.expect(200);
    assert_eq!(world.me(&let_in).await["email"], owner.as_str());
    assert_eq!(world.count("session", "method = 'sso'").await, 2);
    let journey = world.leave_to("?return_to=/orders").await;
    let back = world.at_provider(&journey, &owner).await;
    let reply = world.back(&back, &journey.cookie).await.expect(303);
    let location = reply.header("location");
    assert!(
        location.starts_with("/orders#challenge=tbxc_"),
        "{location}"
    );
}

#[actix_web::test]
async fn the_way_in_is_told_by_the_domain_alone() {
    let world = World::start().await;
    let discover = async |email: &str| {
        let body = json!({ "email": email });
        let reply = world.browser.post("/auth/sso/discover", body).await;
        reply.expect(200).json
    };

    let somebody = discover(&world.acme.email).await;
    let nobody = discover("nobody@ACME.example").await;
    let elsewhere = discover("ada@elsewhere.example").await;
    let nothing = discover("ada").await;

    assert_eq!(somebody["connection_id"], world.connection.as_str());
    assert_eq!(somebody, nobody);
    assert_eq!(
        elsewhere,
        json!({ "connection_id": null, "is_required": false })
    );
    assert_eq!(elsewhere, nothing);
}

#[actix_web::test]
async fn a_connection_that_is_not_in_use_leads_nowhere() {
    let world = World::start().await;
    let journey = world.leave().await;
    let back = world.at_provider(&journey, ADA).await;

    world
        .change(json!({ "is_enabled": false }))
        .await
        .expect(200);
    let start = format!("/auth/sso/{}/start", world.connection);
    let start = world.browser.get(&start).await;
    let late = world.back(&back, &journey.cookie).await;

    assert_problem(&start, 404, "sso_connection_not_found");
    assert_problem(&late, 404, "sso_connection_not_found");
}
