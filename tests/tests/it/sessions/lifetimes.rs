//! How long a session lasts: without being used, and however much it is used.

use ::time::Duration;
use tests::TestApp;

use super::{Tokens, assert_refused, refresh};

#[actix_web::test]
async fn a_session_ends_after_thirty_days_however_often_it_is_carried_on() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let mut tokens = Tokens::of(&acme).await;

    for _ in 0..5 {
        app.advance(Duration::days(6) - Duration::minutes(2));
        tokens = Tokens::in_reply(&refresh(&acme, &tokens.refresh).await);
    }
    // Ten minutes are left now.
    let reply = refresh(&acme, &tokens.refresh).await.expect(200);
    let last = Tokens::in_reply(&reply);

    let life = reply.json["expires_in"].as_i64().unwrap();
    assert!((550..=600).contains(&life), "{life}");
    let here = acme.with_token(&last.access);
    let told = here.get("/me/sessions").await.expect(200);
    let current = told.json["data"].as_array().unwrap();
    let current = current.iter().find(|it| it["is_current"] == true).unwrap();
    assert_eq!(current["expires_at"], current["ends_at"]);
    app.advance(Duration::minutes(10) + Duration::SECOND);
    assert_refused(&here.get("/me").await, "unauthenticated");
    assert_refused(
        &refresh(&acme, &last.refresh).await,
        "refresh_token_invalid",
    );
}

#[actix_web::test]
async fn an_access_token_does_not_outlive_a_session_that_is_left_alone() {
    let keys = [
        ("TUBEX_AUTH__ACCESS_MINUTES", "1440"),
        ("TUBEX_AUTH__REFRESH_DAYS", "1"),
    ];
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;
    let tokens = Tokens::of(&acme).await;
    let here = acme.with_token(&tokens.access);

    app.advance(Duration::hours(23));
    here.get("/me").await.expect(200);
    app.advance(Duration::hours(1) + Duration::SECOND);

    assert_refused(&here.get("/me").await, "unauthenticated");
    assert_refused(
        &refresh(&acme, &tokens.refresh).await,
        "refresh_token_invalid",
    );
}
