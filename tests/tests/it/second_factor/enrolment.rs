//! Getting a second factor, and losing it.

use serde_json::json;
use tests::{TestApp, eventually};
use time::Duration;

use super::{Phone, answer, assert_problem, challenge, codes};

/// Shorter than an access token lives.
const SHORT: (&str, &str) = ("TUBEX_AUTH__PROOF_MINUTES", "5");

#[actix_web::test]
async fn an_app_counts_once_its_first_code_is_confirmed() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    let told = acme
        .post("/me/second-factor/totp", json!({}))
        .await
        .expect(200);
    let uri = told.json["otpauth_uri"].as_str().unwrap();
    let before = acme.get("/me/second-factor").await.expect(200);
    let unasked = acme.sign_in(&acme.email, &acme.password).await;
    let phone = Phone::told(&told.json);
    let wrong = json!({ "code": phone.wrong_code(&app) });
    let wrong = acme.post("/me/second-factor/totp/confirm", wrong).await;
    let right = json!({ "code": phone.code(&app) });
    let right = acme
        .post("/me/second-factor/totp/confirm", right)
        .await
        .expect(200);
    let after = acme.get("/me/second-factor").await.expect(200);

    assert!(uri.starts_with("otpauth://totp/"), "{uri}");
    assert!(
        uri.contains("owner%40acme.example") || uri.contains("owner@acme.example"),
        "{uri}"
    );
    assert_eq!(before.json["is_enabled"], false);
    unasked.expect(200);
    assert_problem(&wrong, 422, "proof_wrong");
    assert_eq!(codes(&right).len(), 10);
    assert_eq!(after.json["is_enabled"], true);
    assert_eq!(after.json["recovery_codes_left"], 10);
    let again = acme.post("/me/second-factor/totp", json!({})).await;
    assert_problem(&again, 409, "second_factor_exists");
}

#[actix_web::test]
async fn what_is_stored_is_neither_the_secret_nor_a_recovery_code() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let told = acme
        .post("/me/second-factor/totp", json!({}))
        .await
        .expect(200);
    let secret = told.json["secret"].as_str().unwrap().to_owned();
    let phone = Phone::told(&told.json);
    let code = json!({ "code": phone.code(&app) });
    let confirmed = acme
        .post("/me/second-factor/totp/confirm", code)
        .await
        .expect(200);
    let schema = app.database.schema_of("acme").await;

    let stored = format!(
        "SELECT (SELECT string_agg(encode(sealed_secret, 'hex'), ' ') FROM {schema}.totp_credential)
           || (SELECT string_agg(encode(hash, 'escape') || encode(hash, 'hex'), ' ')
               FROM {schema}.recovery_code)
           || (SELECT string_agg(content::text, ' ') FROM {schema}.audit_record)"
    );
    let stored: String = sqlx::query_scalar(sqlx::AssertSqlSafe(stored))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();

    let plain = totp_rs::Secret::try_from_base32(&secret).unwrap();
    let hex: String = plain
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(!stored.contains(&hex) && !stored.contains(&secret));
    for code in codes(&confirmed) {
        assert!(!stored.contains(&code) && !stored.contains(&code.replace('-', "")));
    }
    for action in ["second_factor.begin", "second_factor.confirm"] {
        assert!(stored.contains(action), "{action} is not on record");
    }
}

#[actix_web::test]
async fn setting_one_up_needs_a_recent_proof() {
    let app = TestApp::start_with(&[SHORT]).await;
    let acme = app.dealer().await;
    app.advance(Duration::minutes(6));

    let refused = acme.post("/me/second-factor/totp", json!({})).await;
    let proof = json!({ "password": acme.password });
    acme.post("/auth/step-up", proof).await.expect(204);

    assert_problem(&refused, 403, "proof_required");
    acme.post("/me/second-factor/totp", json!({}))
        .await
        .expect(200);
}

#[actix_web::test]
async fn removing_it_needs_the_factor_itself_a_moment_ago() {
    let app = TestApp::start_with(&[SHORT]).await;
    let acme = app.dealer().await;
    let phone = Phone::of(&app, &acme).await;
    app.advance(Duration::minutes(6));

    let unproven = acme.delete("/me/second-factor").await;
    let by_password = json!({ "password": acme.password });
    let by_password = acme.post("/auth/step-up", by_password).await;
    let by_code = json!({ "code": phone.code(&app) });
    acme.post("/auth/step-up", by_code).await.expect(204);
    let removed = acme.delete("/me/second-factor").await;

    assert_problem(&unproven, 403, "proof_required");
    assert_problem(&by_password, 422, "fields_invalid");
    removed.expect(204);
    let left = acme.get("/me/second-factor").await.expect(200);
    assert_eq!(left.json["is_enabled"], false);
    assert_eq!(left.json["recovery_codes_left"], 0);
    let letter = app.mail_to(&acme.email, 1).await;
    assert!(letter.subject.starts_with("Your second factor at"));
    acme.sign_in(&acme.email, &acme.password).await.expect(200);
}

#[actix_web::test]
async fn new_recovery_codes_void_those_before() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let phone = Phone::of(&app, &acme).await;

    let renewed = acme
        .post("/me/second-factor/recovery-codes", json!({}))
        .await;
    let renewed = codes(&renewed.expect(200));

    assert_eq!(renewed.len(), 10);
    let challenge = challenge(&acme, &acme.email).await;
    let old = json!({ "recovery_code": phone.recovery_codes[0] });
    answer(&acme, &challenge, old).await.expect(401);
    let new = json!({ "recovery_code": renewed[0].to_uppercase() });
    answer(&acme, &challenge, new).await.expect(200);
    let left = acme.get("/me/second-factor").await.expect(200);
    assert_eq!(left.json["recovery_codes_left"], 9);
}

#[actix_web::test]
async fn an_admin_removes_the_factor_of_somebody_who_lost_it_but_not_an_owners() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let (admin, sales) = (
        app.member(&acme, "admin").await,
        app.member(&acme, "sales").await,
    );
    Phone::of(&app, &acme).await;
    Phone::of(&app, &sales).await;
    let id = async |who: &tests::Actor| {
        let me = who.get("/me").await.expect(200).json;
        me["id"].as_str().unwrap().to_owned()
    };
    let (owner, lost) = (id(&acme).await, id(&sales).await);
    let reset = async |id: &str| admin.delete(&format!("/members/{id}/second-factor")).await;

    let owners = reset(&owner).await;
    let done = reset(&lost).await;
    let again = reset(&lost).await;

    assert_problem(&owners, 403, "permission_denied");
    done.expect(204);
    assert_problem(&again, 404, "second_factor_not_found");
    eventually("their sessions have ended", async || {
        sales.get("/me").await.status == 401
    })
    .await;
    let anybody = acme.signed_out();
    let back = anybody.sign_in("sales@acme.example", &acme.password).await;
    back.expect(200);
}
