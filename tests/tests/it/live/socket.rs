//! The WebSocket: the same log, the same cursor, the same rights.

use serde_json::json;
use tests::{Actor, EventSocket, EventStream, TestApp};

use super::{head, new_unit};

#[actix_web::test]
async fn a_socket_tells_the_same_and_goes_on_from_the_same_cursor() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let mut stream = EventStream::open(&acme, "/events", None).await;
    new_unit(&acme, "u1").await;
    let streamed = stream.next().await.unwrap();
    let before = streamed.id.parse::<i64>().unwrap() - 1;

    let mut socket = EventSocket::open(&acme, &format!("/ws?after={before}")).await;
    let mut told = socket.next().await.unwrap();

    assert_eq!(told["type"], "event");
    told.as_object_mut().unwrap().remove("type");
    assert_eq!(told, streamed.data);
}

#[actix_web::test]
async fn topics_are_taken_and_given_up_on_the_way() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;
    let mut socket = EventSocket::open(&viewer, "/ws?topics=team").await;

    socket
        .say(&json!({"type": "subscribe", "topics": ["jobs"]}))
        .await;
    let refused = socket.next().await.unwrap();
    socket
        .say(&json!({"type": "subscribe", "topics": ["weather"]}))
        .await;
    let unknown = socket.next().await.unwrap();
    socket.say_text("hello".to_owned()).await;
    let nonsense = socket.next().await.unwrap();
    socket
        .say(&json!({"type": "subscribe", "topics": ["items"]}))
        .await;
    let subscribed = socket.next().await.unwrap();
    new_unit(&acme, "u1").await;
    let told = socket.next().await.unwrap();
    socket
        .say(&json!({"type": "unsubscribe", "topics": ["items"]}))
        .await;
    let less = socket.next().await.unwrap();

    assert_eq!(refused["code"], "permission_denied");
    assert_eq!(unknown["code"], "query_invalid");
    assert_eq!(nonsense["code"], "body_invalid");
    assert_eq!(
        subscribed,
        json!({"type": "subscribed", "topics": ["team", "items"]})
    );
    assert_eq!(told["kind"], "unit.created");
    assert_eq!(less["topics"], json!(["team"]));
}

#[actix_web::test]
async fn what_is_no_message_of_ours_ends_the_socket() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let mut socket = EventSocket::open(&acme, "/ws").await;

    socket.say_text("x".repeat(100_000)).await;

    assert_eq!(socket.end().await.map(|(code, _)| code), Some(1009));
    tests::eventually("it holds no place", async || app.state.live.streams() == 0).await;
}

/// Browsers send our cookies with a socket that any page opens, and ask nobody whether it may.
#[actix_web::test]
async fn a_page_of_another_origin_opens_no_socket_with_our_cookies() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let cookie = cookies_of(&app, &acme).await;
    let browser = acme.signed_out();
    let ours = format!("http://{}", acme.host);
    let with = |origin: &'static str| [("cookie", cookie.clone()), ("origin", origin.to_owned())];
    let try_open = async |headers: &[(&str, String)]| {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, it)| (*name, it.as_str()))
            .collect();
        EventSocket::try_open(&browser, "/ws", &headers).await
    };

    for foreign in ["https://evil.example", "null", "http://bolt.localhost"] {
        let refused = try_open(&with(foreign)).await;
        assert_eq!(refused.unwrap_err().as_u16(), 403, "{foreign}");
    }
    let silent = try_open(&[("cookie", cookie.clone())]).await;
    assert_eq!(silent.unwrap_err().as_u16(), 403);
    let own = try_open(&[("cookie", cookie.clone()), ("origin", ours)]).await;
    let mut own = own.expect("the dealer's own page");

    assert_eq!(own.next().await.unwrap()["type"], "ready");
    let begin = head(&app, &acme).await;
    new_unit(&acme, "u1").await;
    assert_eq!(own.next().await.unwrap()["id"], (begin + 1).to_string());
}

async fn cookies_of(app: &TestApp, dealer: &tests::Dealer) -> String {
    let stranger: Actor = app.stranger(&dealer.host);
    let who = json!({"email": dealer.email, "password": dealer.password, "client": "browser"});
    let reply = stranger.post("/auth/sign-in", who).await.expect(200);
    let set = reply.headers.get_all("set-cookie").iter();
    let pairs = set.filter_map(|value| value.to_str().ok()?.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}
