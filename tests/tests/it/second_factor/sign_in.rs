//! Signing in with a second factor, and without it.

use serde_json::json;
use tests::TestApp;
use time::Duration;

use super::{Phone, answer, assert_problem, challenge};

#[actix_web::test]
async fn the_password_alone_is_a_question_and_the_code_its_answer() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let phone = Phone::of(&app, &acme).await;

    let asked = acme.sign_in(&acme.email, &acme.password).await.expect(202);
    let wrong = acme.sign_in(&acme.email, "not the password").await;
    let challenge = asked.json["challenge"].as_str().unwrap();
    let code = json!({ "code": phone.next_code(&app) });
    let tokens = answer(&acme, challenge, code).await.expect(200);

    assert!(asked.json.get("access_token").is_none());
    assert_eq!(asked.json["methods"], json!(["totp", "recovery_code"]));
    assert_eq!(asked.json["expires_in"], 300);
    assert_problem(&wrong, 401, "credentials_wrong");
    let token = tokens.json["access_token"].as_str().unwrap();
    acme.with_token(token).get("/me").await.expect(200);
    // A challenge is no token of any kind.
    let as_token = acme.with_token(challenge).get("/me").await;
    assert_problem(&as_token, 401, "unauthenticated");
}

#[actix_web::test]
async fn a_code_works_once_even_for_two_at_the_same_moment() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let phone = Phone::of(&app, &acme).await;
    let (one, two) = (
        challenge(&acme, &acme.email).await,
        challenge(&acme, &acme.email).await,
    );
    let code = json!({ "code": phone.next_code(&app) });

    let replies = tokio::join!(
        answer(&acme, &one, code.clone()),
        answer(&acme, &two, code.clone())
    );

    let mut statuses = [replies.0, replies.1].map(|reply| reply.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    let third = challenge(&acme, &acme.email).await;
    let again = answer(&acme, &third, code).await;
    assert_problem(&again, 401, "second_factor_wrong");
}

#[actix_web::test]
async fn a_recovery_code_works_once() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let phone = Phone::of(&app, &acme).await;
    let code = json!({ "recovery_code": phone.recovery_codes[3] });

    let first = challenge(&acme, &acme.email).await;
    answer(&acme, &first, code.clone()).await.expect(200);
    let second = challenge(&acme, &acme.email).await;
    let again = answer(&acme, &second, code).await;

    assert_problem(&again, 401, "second_factor_wrong");
}

#[actix_web::test]
async fn five_wrong_codes_end_a_challenge() {
    // More than that, so that it is the challenge that ends.
    let app = TestApp::start_with(&[("TUBEX_AUTH__SIGN_IN_ATTEMPTS", "50")]).await;
    let acme = app.dealer().await;
    let phone = Phone::of(&app, &acme).await;
    let challenge = challenge(&acme, &acme.email).await;
    app.advance(Duration::seconds(30));

    for _ in 0..5 {
        let wrong = json!({ "code": phone.wrong_code(&app) });
        let reply = answer(&acme, &challenge, wrong).await;
        assert_problem(&reply, 401, "second_factor_wrong");
    }
    let right = json!({ "code": phone.code(&app) });
    let late = answer(&acme, &challenge, right).await;

    assert_problem(&late, 401, "second_factor_wrong");
}

#[actix_web::test]
async fn wrong_codes_count_whatever_the_challenge() {
    let keys = [
        ("TUBEX_AUTH__SIGN_IN_ATTEMPTS", "3"),
        ("TUBEX_AUTH__SIGN_IN_WAIT_SECONDS", "60"),
    ];
    let app = TestApp::start_with(&keys).await;
    let acme = app.new_dealer().await;
    let phone = Phone::of(&app, &acme).await;
    app.advance(Duration::seconds(30));

    for _ in 0..3 {
        let challenge = challenge(&acme, &acme.email).await;
        let wrong = json!({ "code": phone.wrong_code(&app) });
        answer(&acme, &challenge, wrong).await.expect(401);
    }
    let challenge = challenge(&acme, &acme.email).await;
    let right = json!({ "code": phone.code(&app) });
    let blocked = answer(&acme, &challenge, right.clone()).await;

    assert_problem(&blocked, 429, "too_many_attempts");
    // Neither does stepping up offer more guesses.
    let elsewhere = acme.post("/auth/step-up", right).await;
    assert_problem(&elsewhere, 429, "too_many_attempts");
}

#[actix_web::test]
async fn a_challenge_lives_five_minutes_and_is_answered_once() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let phone = Phone::of(&app, &acme).await;

    let old = challenge(&acme, &acme.email).await;
    app.advance(Duration::minutes(5));
    let late = answer(&acme, &old, json!({ "code": phone.code(&app) })).await;
    let fresh = challenge(&acme, &acme.email).await;
    let code = json!({ "code": phone.next_code(&app) });
    answer(&acme, &fresh, code).await.expect(200);
    let code = json!({ "code": phone.next_code(&app) });
    let twice = answer(&acme, &fresh, code).await;

    assert_problem(&late, 401, "second_factor_wrong");
    assert_problem(&twice, 401, "second_factor_wrong");
}

#[actix_web::test]
async fn a_challenge_is_good_at_its_dealer_and_for_its_member_alone() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (phone, theirs) = (Phone::of(&app, &acme).await, Phone::of(&app, &bolt).await);
    let asked = challenge(&acme, &acme.email).await;
    app.advance(Duration::seconds(30));

    let elsewhere = answer(&bolt, &asked, json!({ "code": theirs.code(&app) })).await;
    let others_code = json!({ "recovery_code": theirs.recovery_codes[0] });
    let others_code = answer(&acme, &asked, others_code).await;

    assert_problem(&elsewhere, 401, "second_factor_wrong");
    assert_problem(&others_code, 401, "second_factor_wrong");
    let ours = json!({ "code": phone.code(&app) });
    answer(&acme, &asked, ours).await.expect(200);
}

#[actix_web::test]
async fn a_disabled_member_answers_in_vain() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let sales = app.member(&acme, "sales").await;
    let phone = Phone::of(&app, &sales).await;
    let asked = challenge(&acme, "sales@acme.example").await;
    let schema = app.database.schema_of("acme").await;

    app.sql(&format!(
        "UPDATE {schema}.member SET status = 'disabled' WHERE role = 'sales'"
    ))
    .await;
    let code = json!({ "code": phone.next_code(&app) });
    let refused = answer(&acme, &asked, code).await;

    assert_problem(&refused, 401, "second_factor_wrong");
}
