//! Proving anew who one is, for what is sensitive.

use reqwest::Method;
use serde_json::json;
use tests::{Actor, Reply, TestApp};
use time::Duration;

use super::{Phone, assert_problem};

/// Shorter than an access token lives.
const SHORT: (&str, &str) = ("TUBEX_AUTH__PROOF_MINUTES", "5");

/// Something sensitive that changes nothing.
async fn sensitive(who: &Actor) -> Reply {
    let request = who.request(Method::PUT, "/settings/security");
    let roles = json!({ "second_factor_roles": [] });
    who.send(request.header("if-match", "*").json(&roles)).await
}

#[actix_web::test]
async fn what_is_sensitive_opens_for_some_minutes_after_a_proof() {
    let app = TestApp::start_with(&[SHORT]).await;
    let acme = app.dealer().await;

    sensitive(&acme).await.expect(200);
    app.advance(Duration::minutes(6));
    let late = sensitive(&acme).await;
    let plain = acme.get("/items").await;
    let proof = json!({ "password": acme.password });
    acme.post("/auth/step-up", proof).await.expect(204);
    let proven = sensitive(&acme).await;
    app.advance(Duration::minutes(6));
    let late_again = sensitive(&acme).await;

    assert_problem(&late, 403, "proof_required");
    plain.expect(200);
    proven.expect(200);
    assert_problem(&late_again, 403, "proof_required");
}

#[actix_web::test]
async fn one_session_steps_up_and_no_other() {
    let app = TestApp::start_with(&[SHORT]).await;
    let acme = app.dealer().await;
    let other = app.enter("acme").await;
    app.advance(Duration::minutes(6));

    let proof = json!({ "password": acme.password });
    acme.post("/auth/step-up", proof).await.expect(204);

    sensitive(&acme).await.expect(200);
    assert_problem(&sensitive(&other).await, 403, "proof_required");
}

#[actix_web::test]
async fn a_wrong_password_proves_nothing_and_is_counted() {
    let few = ("TUBEX_AUTH__SIGN_IN_ATTEMPTS", "3");
    let long = ("TUBEX_AUTH__SIGN_IN_WAIT_SECONDS", "60");
    let app = TestApp::start_with(&[SHORT, few, long]).await;
    let acme = app.new_dealer().await;
    app.advance(Duration::minutes(6));

    for _ in 0..3 {
        let wrong = json!({ "password": "not the password" });
        let wrong = acme.post("/auth/step-up", wrong).await;
        assert_problem(&wrong, 422, "proof_wrong");
    }
    let right = json!({ "password": acme.password });
    let blocked = acme.post("/auth/step-up", right).await;

    assert_problem(&blocked, 429, "too_many_attempts");
    assert_problem(&sensitive(&acme).await, 403, "proof_required");
}

#[actix_web::test]
async fn who_has_a_second_factor_proves_themselves_with_it() {
    let app = TestApp::start_with(&[SHORT]).await;
    let acme = app.dealer().await;
    let phone = Phone::of(&app, &acme).await;
    app.advance(Duration::minutes(6));
    let step_up = async |body| acme.post("/auth/step-up", body).await;

    let by_password = step_up(json!({ "password": acme.password })).await;
    let by_wrong = step_up(json!({ "code": phone.wrong_code(&app) })).await;
    let still = sensitive(&acme).await;
    let code = phone.code(&app);
    step_up(json!({ "code": code })).await.expect(204);
    let open = sensitive(&acme).await;
    let replayed = step_up(json!({ "code": code })).await;

    assert_problem(&by_password, 422, "fields_invalid");
    assert_problem(&by_wrong, 422, "proof_wrong");
    assert_problem(&still, 403, "proof_required");
    open.expect(200);
    assert_problem(&replayed, 422, "proof_wrong");
    let recovery = json!({ "recovery_code": phone.recovery_codes[0] });
    step_up(recovery).await.expect(204);
}
