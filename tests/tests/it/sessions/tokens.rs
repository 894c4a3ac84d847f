//! Access tokens that are good, and all the others.

use ::time::Duration;
use reqwest::Method;
use server::auth::{Holder, OfTenant};
use server::db::{Address, Found};
use tests::{Scratch, TestApp};
use uuid::Uuid;

use super::{Tokens, assert_refused, refresh};

#[actix_web::test]
async fn an_access_token_works_for_a_quarter_of_an_hour_and_is_then_renewed() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let first = Tokens::of(&acme).await;
    let with_first = acme.with_token(&first.access);

    app.advance(Duration::minutes(14));
    with_first.get("/me").await.expect(200);
    app.advance(Duration::minutes(2));
    assert_refused(&with_first.get("/me").await, "unauthenticated");

    let second = Tokens::in_reply(&refresh(&acme, &first.refresh).await);
    assert_ne!(second.refresh, first.refresh);
    acme.with_token(&second.access).get("/me").await.expect(200);
}

#[actix_web::test]
async fn a_refresh_token_is_good_for_seven_days_from_its_issue() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let first = Tokens::of(&acme).await;

    app.advance(Duration::days(6));
    let second = Tokens::in_reply(&refresh(&acme, &first.refresh).await);
    app.advance(Duration::days(6));
    let third = Tokens::in_reply(&refresh(&acme, &second.refresh).await);
    acme.with_token(&third.access).get("/me").await.expect(200);
    app.advance(Duration::days(7) + Duration::SECOND);

    assert_refused(
        &refresh(&acme, &third.refresh).await,
        "refresh_token_invalid",
    );
}

#[actix_web::test]
async fn a_token_that_is_not_quite_one_of_ours_is_refused() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let token = acme.token.clone().unwrap();
    let mut parts = token.split('.');
    let (head, body, signature) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
    let tokens = Tokens::of(&acme).await;
    let other = tokens.access.split('.').nth(1).unwrap();

    // {"alg":"none","typ":"at+jwt"} and {"alg":"HS256","typ":"JWT"}
    let (none, plain) = (
        "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    );
    for forged in [
        format!("{none}.{body}."),
        format!("{none}.{body}.{signature}"),
        format!("{plain}.{body}.{signature}"),
        format!("{head}.{other}.{signature}"),
        format!("{head}.{body}."),
        format!("{head}.{body}"),
        format!("{head}.{body}.{signature}x"),
        format!("{token}.{token}"),
        tokens.refresh.clone(),
        "null".to_owned(),
    ] {
        assert_refused(
            &acme.with_token(&forged).get("/me").await,
            "unauthenticated",
        );
    }
    for header in [token.clone(), format!("Basic {token}"), "Bearer".to_owned()] {
        let request = acme.signed_out().request(Method::GET, "/me");
        let reply = acme.send(request.header("authorization", header)).await;
        assert_refused(&reply, "unauthenticated");
    }
    let request = acme.signed_out().request(Method::GET, "/me");
    let lower_case = acme.send(request.header("authorization", format!("bearer {token}")));
    lower_case.await.expect(200);
}

#[actix_web::test]
async fn a_token_signed_with_another_key_is_refused() {
    let database = std::sync::Arc::new(Scratch::with_dealers().await);
    let app = TestApp::start_on(database.clone(), &[]).await;
    let key = (
        "TUBEX_AUTH__TOKEN_SECRET",
        "another secret for tests, long enough",
    );
    let elsewhere = TestApp::start_on(database, &[key]).await;
    let (acme, theirs) = (app.dealer().await, elsewhere.dealer().await);

    let refused = acme.with_token(theirs.token.as_ref().unwrap());

    theirs.get("/me").await.expect(200);
    assert_refused(&refused.get("/me").await, "unauthenticated");
}

#[actix_web::test]
async fn a_signed_token_is_only_as_good_as_its_session() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of("acme").await;
    let ids = format!("SELECT m.id, s.id FROM {schema}.member m, {schema}.session s LIMIT 1");
    let (member, session): (Uuid, Uuid) = sqlx::query_as(sqlx::AssertSqlSafe(ids))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    let address = Address::Slug("acme".to_owned());
    let Found::Tenant(tenant) = app.state.directory.find(&address).await else {
        panic!("acme is there");
    };
    let now = app.state.clock.now();
    let status = async |member, session, version, now| {
        let holder = Holder {
            person: member,
            session,
            token_version: version,
            until: now + Duration::days(1),
        };
        let of = OfTenant::at(tenant.key(), 0);
        let issued = app.state.tokens.issue(of, &holder, now).unwrap();
        acme.with_token(&issued.text)
            .get("/me")
            .await
            .status
            .as_u16()
    };

    assert_eq!(status(member, session, 0, now).await, 200);
    assert_eq!(status(Uuid::now_v7(), session, 0, now).await, 401);
    assert_eq!(status(member, Uuid::now_v7(), 0, now).await, 401);
    assert_eq!(status(member, session, 7, now).await, 401);
    assert_eq!(
        status(member, session, 0, now + Duration::minutes(5)).await,
        401
    );
}
