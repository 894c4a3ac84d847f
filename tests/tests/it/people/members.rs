//! Members: who is seen, who is changed, and who is out.

use serde_json::json;
use std::time::{Duration, Instant};
use tests::{TestApp, eventually};

use super::{STRONG, id_of, join, me, refused};

#[actix_web::test]
async fn the_team_is_listed_page_by_page() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    for name in ["a", "b", "c"] {
        join(&app, &dealer, &format!("{name}@team.example"), "sales").await;
    }

    let mut emails = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = dealer.get(&format!("/members?limit=2{cursor}")).await;
        let page = page.expect(200).json;
        for member in page["data"].as_array().unwrap() {
            emails.push(member["email"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }

    let expected = ["a@team.example", "b@team.example", "c@team.example"];
    let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    expected.push(dealer.email.clone());
    expected.sort();
    assert_eq!(emails, expected);
}

#[actix_web::test]
async fn a_change_needs_the_version_that_it_is_based_on() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let member = join(&app, &dealer, "olga@team.example", "sales").await;
    let path = format!("/members/{}", id_of(&member).await);

    let shown = dealer.get(&path).await.expect(200);
    let blind = dealer.request(reqwest::Method::PATCH, &path);
    let blind = dealer.send(blind.json(&json!({"name": "Olga"}))).await;
    let changed = dealer.patch(&path, 1, json!({"name": " Olga B. "})).await;
    let late = dealer.patch(&path, 1, json!({"name": "Olga C."})).await;

    assert_eq!(shown.header("etag"), "\"1\"");
    assert_eq!(shown.json["role"], "sales");
    refused(&blind, 428, "precondition_required");
    assert_eq!(changed.expect(200).json["name"], "Olga B.");
    refused(&late, 412, "precondition_failed");
}

#[actix_web::test]
async fn another_role_is_felt_within_a_second() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let member = join(&app, &dealer, "olga@team.example", "sales").await;
    let path = format!("/members/{}", id_of(&member).await);
    let item = json!({"sku": "X", "name": "X", "base_unit": "pcs"});
    refused(
        &member.post("/items", item.clone()).await,
        403,
        "permission_denied",
    );

    let changed = dealer.patch(&path, 1, json!({"role": "buyer"})).await;
    changed.expect(200);

    let since = Instant::now();
    eventually("they may", async || {
        member.post("/items", item.clone()).await.status == 201
    })
    .await;
    assert!(since.elapsed() < Duration::from_secs(3), "too late");
    assert_eq!(me(&member).await["role"], "buyer");
}

#[actix_web::test]
async fn who_is_deactivated_is_out_and_comes_back_by_signing_in_anew() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let member = join(&app, &dealer, "olga@team.example", "sales").await;
    let signed_in = dealer.sign_in("olga@team.example", STRONG).await;
    let refresh = json!({"refresh_token": signed_in.expect(200).json["refresh_token"]});
    let path = format!("/members/{}", id_of(&member).await);
    let forgot = json!({"email": "olga@team.example"});
    let anybody = dealer.signed_out();
    anybody
        .post("/auth/forgot-password", forgot)
        .await
        .expect(202);
    let reset = app.token_for("olga@team.example", 2).await;

    let deactivated = dealer.post(&format!("{path}/deactivate"), json!({})).await;
    assert_eq!(deactivated.expect(200).json["is_active"], false);

    eventually("they are out", async || {
        member.get("/me").await.status == 401
    })
    .await;
    let signing_in = anybody.sign_in("olga@team.example", STRONG).await;
    refused(&signing_in, 401, "credentials_wrong");
    let refreshed = anybody.post("/auth/refresh", refresh.clone()).await;
    refused(&refreshed, 401, "refresh_token_invalid");
    let body = json!({"token": reset, "password": STRONG});
    let with_a_link = anybody.post("/auth/reset-password", body).await;
    refused(&with_a_link, 400, "link_invalid");

    let back = dealer.post(&format!("{path}/reactivate"), json!({})).await;
    assert_eq!(back.expect(200).json["is_active"], true);
    anybody
        .sign_in("olga@team.example", STRONG)
        .await
        .expect(200);
    // What was issued before stays void.
    refused(&member.get("/me").await, 401, "unauthenticated");
    let refreshed = anybody.post("/auth/refresh", refresh).await;
    refused(&refreshed, 401, "refresh_token_invalid");
}

#[actix_web::test]
async fn what_is_no_role_no_branch_and_no_name_is_told_field_by_field() {
    let app = TestApp::start().await;
    let dealer = app.new_dealer().await;
    let member = join(&app, &dealer, "olga@team.example", "sales").await;
    let path = format!("/members/{}", id_of(&member).await);
    let nobody = "01890000-0000-7000-8000-000000000000";

    for (body, pointer) in [
        (json!({"role": "king"}), "/role"),
        (json!({"role_id": nobody}), "/role_id"),
        (json!({"branch_id": nobody}), "/branch_id"),
        (json!({"name": "a\nb"}), "/name"),
        (json!({"name": "  "}), "/name"),
    ] {
        let reply = dealer.patch(&path, 1, body).await;

        refused(&reply, 422, "fields_invalid");
        assert_eq!(reply.json["errors"][0]["pointer"], pointer);
    }
}
