//! Sessions of browsers: cookies that scripts can't read, and pages that may use them.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tests::{Actor, Dealer, Reply, TestApp};

const ORIGIN: &str = "http://acme.localhost";

/// What a browser has after signing in.
struct Browser {
    anybody: Actor,
    access: String,
    refresh: String,
    csrf: String,
}

impl Browser {
    fn after(reply: &Reply, anybody: &Actor) -> Self {
        Self {
            anybody: anybody.clone(),
            access: cookie(reply, "__Host-tubex_access"),
            refresh: cookie(reply, "__Host-tubex_refresh"),
            csrf: reply.json["csrf_token"].as_str().unwrap().to_owned(),
        }
    }

    /// As a browser sends it by itself, whoever made the page.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies = format!(
            "__Host-tubex_access={}; __Host-tubex_refresh={}",
            self.access, self.refresh
        );
        let request = self.anybody.request(method, path);
        request.header("cookie", cookies)
    }

    /// As the dealer's own page has it sent.
    async fn own(&self, method: Method, path: &str) -> Reply {
        let request = self.request(method, path);
        let request = request
            .header("origin", ORIGIN)
            .header("x-csrf-token", &self.csrf);
        self.anybody.send(request.json(&json!({}))).await
    }
}

async fn sign_in(dealer: &Dealer) -> Reply {
    let body = json!({"email": dealer.email, "password": dealer.password, "client": "browser"});
    let anybody = dealer.signed_out();
    anybody.post("/auth/sign-in", body).await.expect(200)
}

fn set_cookie<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let all = reply.headers.get_all("set-cookie").iter();
    let mut texts = all.map(|value| value.to_str().unwrap());
    let begin = format!("{name}=");
    let found = texts.find(|text| text.starts_with(&begin));
    found.unwrap_or_else(|| panic!("{name} is not set: {:?}", reply.headers))
}

fn cookie(reply: &Reply, name: &str) -> String {
    let pair = set_cookie(reply, name).split(';').next().unwrap();
    pair.split_once('=').unwrap().1.to_owned()
}

#[track_caller]
fn assert_foreign(reply: &Reply) {
    let seen = (reply.status.as_u16(), reply.problem());
    assert_eq!(seen, (403, "csrf_refused"), "{}", reply.text());
}

#[actix_web::test]
async fn a_browsers_tokens_are_in_cookies_that_no_script_reads_and_nowhere_else() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    let reply = sign_in(&acme).await;

    for name in ["__Host-tubex_access", "__Host-tubex_refresh"] {
        let text = set_cookie(&reply, name);
        for word in [
            "; Path=/",
            "; Secure",
            "; HttpOnly",
            "; SameSite=Strict",
            "; Max-Age=",
        ] {
            assert!(text.contains(word), "{text}");
        }
        assert!(!text.contains("Domain"), "{text}");
        assert!(!reply.text().contains(&cookie(&reply, name)));
    }
    assert_eq!(reply.json["token_type"], "Cookie");
    assert_eq!(
        (&reply.json["access_token"], &reply.json["refresh_token"]),
        (&json!(""), &json!(""))
    );
    let browser = Browser::after(&reply, &acme.signed_out());
    let me = browser
        .anybody
        .send(browser.request(Method::GET, "/me"))
        .await;
    assert_eq!(me.expect(200).json["email"], acme.email);
}

#[actix_web::test]
async fn a_change_by_cookie_must_come_from_the_dealers_own_page() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let browser = Browser::after(&sign_in(&acme).await, &acme.signed_out());
    let others = Browser::after(&sign_in(&acme).await, &acme.signed_out());
    let group = |name: &str| {
        browser
            .request(Method::POST, "/item-groups")
            .json(&json!({ "name": name }))
    };
    let known = |request: RequestBuilder| request.header("x-csrf-token", &browser.csrf);
    let send = async |request| browser.anybody.send(request).await;

    let foreign = [
        group("nothing said"),
        known(group("no origin")),
        group("no token").header("origin", ORIGIN),
        group("another session's token")
            .header("origin", ORIGIN)
            .header("x-csrf-token", &others.csrf),
        known(group("evil")).header("origin", "http://evil.example"),
        known(group("a neighbour")).header("origin", "http://bolt.localhost"),
        known(group("another scheme")).header("origin", "https://acme.localhost"),
        known(group("no origin at all")).header("origin", "null"),
        known(group("another site")).header("sec-fetch-site", "same-site"),
        known(group("two"))
            .header("origin", ORIGIN)
            .header("origin", "http://evil.example"),
    ];
    for request in foreign {
        assert_foreign(&send(request).await);
    }
    let by_origin = known(group("by origin")).header("origin", ORIGIN);
    send(by_origin).await.expect(201);
    let by_site = known(group("by site")).header("sec-fetch-site", "same-origin");
    send(by_site).await.expect(201);
    let groups = acme.get("/item-groups").await.expect(200);
    assert_eq!(groups.json["data"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn a_header_beside_cookies_is_what_counts() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;
    let browser = Browser::after(&sign_in(&acme).await, &acme.signed_out());
    let send = async |request| browser.anybody.send(request).await;
    let bearer = |token: &str| browser.request(Method::GET, "/me").bearer_auth(token);

    let both = send(bearer(viewer.token.as_ref().unwrap()))
        .await
        .expect(200);
    let bad = send(bearer("not.a.token")).await;

    assert_eq!(both.json["role"], "viewer");
    assert_eq!(
        (bad.status.as_u16(), bad.problem()),
        (401, "unauthenticated")
    );
}

#[actix_web::test]
async fn a_browser_refreshes_by_cookie_and_its_own_page_only() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let browser = Browser::after(&sign_in(&acme).await, &acme.signed_out());
    let foreign = browser
        .request(Method::POST, "/auth/refresh")
        .json(&json!({}));

    assert_foreign(&browser.anybody.send(foreign).await);
    let reply = browser.own(Method::POST, "/auth/refresh").await.expect(200);

    let next = Browser::after(&reply, &browser.anybody);
    assert_ne!(next.refresh, browser.refresh);
    assert_eq!(next.csrf, browser.csrf);
    assert_eq!(reply.json["refresh_token"], "");
    next.own(Method::GET, "/me").await.expect(200);
    let told = next.own(Method::GET, "/auth/csrf").await.expect(200);
    assert_eq!(told.json["csrf_token"], next.csrf.as_str());
}

#[actix_web::test]
async fn signing_out_takes_the_cookies_away() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let browser = Browser::after(&sign_in(&acme).await, &acme.signed_out());

    let out = browser
        .own(Method::POST, "/auth/sign-out")
        .await
        .expect(204);

    for name in ["__Host-tubex_access", "__Host-tubex_refresh"] {
        assert_eq!(cookie(&out, name), "");
        assert!(set_cookie(&out, name).contains("Max-Age=0"));
    }
    assert_eq!(browser.own(Method::GET, "/me").await.status, 401);
    assert_eq!(browser.own(Method::POST, "/auth/refresh").await.status, 401);
}

#[actix_web::test]
async fn a_sign_in_that_is_sent_again_sets_the_same_cookies_and_they_lie_sealed_meanwhile() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let schema = app.database.schema_of("acme").await;
    let anybody = acme.signed_out();
    let body = json!({"email": acme.email, "password": acme.password, "client": "browser"});
    let send = async || {
        let request = anybody.request(Method::POST, "/auth/sign-in").json(&body);
        anybody
            .send(request.header("idempotency-key", "once"))
            .await
            .expect(200)
    };

    let (first, again) = (send().await, send().await);

    assert_eq!(again.header("idempotency-replayed"), "true");
    for name in ["__Host-tubex_access", "__Host-tubex_refresh"] {
        assert_eq!(set_cookie(&first, name), set_cookie(&again, name));
    }
    let kept =
        format!("SELECT headers::text || encode(body, 'escape') FROM {schema}.idempotency_key");
    let kept: String = sqlx::query_scalar(sqlx::AssertSqlSafe(kept))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    assert!(
        !kept.contains("tubex_access") && !kept.contains(&cookie(&first, "__Host-tubex_access"))
    );
}
