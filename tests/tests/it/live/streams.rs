//! What a stream says, and where it goes on.

use serde_json::json;
use tests::{EventStream, TestApp};

use super::{head, ids, log_after, new_unit};

#[actix_web::test]
async fn what_is_changed_is_told_with_an_id_and_no_values() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let mut stream = EventStream::open(&acme, "/events", None).await;
    let item = acme.item("NEW", json!({"name": "A name"})).await;

    let heard = stream.next().await.unwrap();

    assert_eq!(heard.event, "item.created");
    assert_eq!(heard.id, heard.data["id"].as_str().unwrap());
    assert_eq!(heard.data["kind"], "item.created");
    assert_eq!(heard.data["topic"], "items");
    assert_eq!(heard.data["data"]["id"], item["id"]);
    let changed = heard.data["data"]["changed"].as_array().unwrap();
    assert!(changed.contains(&json!("name")), "{changed:?}");
    assert!(!heard.data.to_string().contains("A name"));
    assert_eq!(stream.headers()["cache-control"], "no-store");
    assert_eq!(stream.headers()["x-accel-buffering"], "no");
    assert!(!stream.headers().contains_key("content-encoding"));
}

#[actix_web::test]
async fn a_stream_begins_where_it_was_left() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let mut first = EventStream::open(&acme, "/events", None).await;
    new_unit(&acme, "u1").await;
    first.next().await.unwrap();
    let left_at = first.last_id.clone();
    drop(first);
    new_unit(&acme, "u2").await;
    new_unit(&acme, "u3").await;

    let mut again = EventStream::open(&acme, "/events", Some(&left_at)).await;
    new_unit(&acme, "u4").await;
    let after: i64 = left_at.parse().unwrap();
    let heard = again
        .until(|heard| heard.id == (after + 3).to_string())
        .await;

    assert_eq!(ids(&heard), [after + 1, after + 2, after + 3]);
    assert_eq!(log_after(&app.database, "acme", after).await, ids(&heard));
    // The header that a browser adds counts more than the address it was opened with.
    let query = EventStream::open(&acme, "/events?after=0", Some(&again.last_id)).await;
    assert_eq!(query.last_id, again.last_id);
}

#[actix_web::test]
async fn only_the_wanted_topics_are_told_and_the_cursor_moves_all_the_same() {
    let keys = [("TUBEX_LIVE__HEARTBEAT_SECONDS", "1")];
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;
    let mut team = EventStream::open(&acme, "/events?topics=team", None).await;
    new_unit(&acme, "u1").await;
    let unit = head(&app, &acme).await;

    let quiet = team.block().await.unwrap();
    assert!(quiet.starts_with(": still here\n"), "{quiet}");
    assert!(quiet.contains(&format!("id: {unit}\n")), "{quiet}");
    acme.post("/teams", json!({"name": "Yard"}))
        .await
        .expect(201);

    assert_eq!(team.next().await.unwrap().event, "team.created");
}

#[actix_web::test]
async fn whoever_was_away_for_too_long_is_told_so_and_goes_on_with_what_is_kept() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    for code in ["u1", "u2", "u3"] {
        new_unit(&acme, code).await;
    }
    let newest = head(&app, &acme).await;
    let schema = app.database.schema_of("acme").await;
    let purge = format!("DELETE FROM {schema}.event WHERE id < {newest}");
    app.sql(&purge).await;

    let mut stream = EventStream::open(&acme, "/events?after=1", None).await;
    let (resync, kept) = (stream.next().await.unwrap(), stream.next().await.unwrap());

    assert_eq!(resync.event, "resync");
    assert_eq!(resync.data["reason"], "expired");
    assert_eq!(resync.data["after"], (newest - 1).to_string());
    assert_eq!(kept.id, newest.to_string());

    app.sql(&format!("DELETE FROM {schema}.event")).await;
    let mut emptied = EventStream::open(&acme, "/events?after=1", None).await;
    let resync = emptied.next().await.unwrap();
    assert_eq!(resync.data["after"], newest.to_string());
    let ahead = format!("/events?after={}", newest + 50);
    let mut ahead = EventStream::open(&acme, &ahead, None).await;
    let resync = ahead.next().await.unwrap();
    assert_eq!(resync.data["reason"], "unknown");
    new_unit(&acme, "u4").await;
    for stream in [&mut emptied, &mut ahead] {
        assert_eq!(stream.next().await.unwrap().id, (newest + 1).to_string());
    }
}

#[actix_web::test]
async fn the_same_log_is_read_page_by_page() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let begin = head(&app, &acme).await;
    for code in ["u1", "u2", "u3"] {
        new_unit(&acme, code).await;
    }
    let (mut found, mut after, mut has_more) = (Vec::new(), begin.to_string(), true);

    while has_more {
        let path = format!("/events?limit=2&after={after}");
        let request = acme.request(reqwest::Method::GET, &path);
        let request = request.header("accept", "application/json");
        let page = acme.send(request).await.expect(200).json;
        found.extend(page["data"].as_array().unwrap().clone());
        after = page["last_id"].as_str().unwrap().to_owned();
        has_more = page["has_more"].as_bool().unwrap();
        assert_eq!(page["has_missed"], false);
    }

    assert_eq!(found.len(), 3);
    assert_eq!(after, head(&app, &acme).await.to_string());
}

#[actix_web::test]
async fn what_cannot_be_followed_is_refused_before_a_stream_begins() {
    let app = TestApp::start_with(&[("TUBEX_LIVE__STREAMS_PER_FOLLOWER", "2")]).await;
    let acme = app.dealer().await;
    let viewer = app.member(&acme, "viewer").await;
    for (path, status, problem) in [
        ("/events?topics=weather", 400, "query_invalid"),
        ("/events?after=-1", 400, "query_invalid"),
        ("/events?after=x", 400, "query_invalid"),
        ("/events?topics=items,jobs", 403, "permission_denied"),
        ("/ws", 426, "upgrade_required"),
    ] {
        let reply = viewer.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.problem()), (status, problem));
    }

    let first = EventStream::open(&viewer, "/events", None).await;
    let _second = EventStream::open(&viewer, "/events", None).await;
    let third = viewer.get("/events").await;

    assert_eq!(
        (third.status.as_u16(), third.problem()),
        (429, "too_many_streams")
    );
    assert_eq!(third.header("retry-after"), "5");
    drop(first);
    // Its end is noticed when something is to be said.
    new_unit(&acme, "u1").await;
    tests::eventually("the place is free", async || app.state.live.streams() == 1).await;
}

#[actix_web::test]
async fn two_hundred_idle_streams_all_hear_of_one_change() {
    let keys = [("TUBEX_LIVE__STREAMS_PER_FOLLOWER", "500")];
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(EventStream::open(&acme, "/events", None).await);
    }
    assert_eq!(app.state.live.streams(), 200);

    new_unit(&acme, "heard").await;
    let newest = head(&app, &acme).await.to_string();

    for stream in &mut streams {
        assert_eq!(stream.next().await.unwrap().id, newest);
    }
}

#[actix_web::test]
async fn a_neighbour_hears_nothing() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let mut theirs = EventStream::open(&bolt, "/events?after=0", None).await;
    let canary = acme.item("CANARY-7Q", json!({})).await;
    new_unit(&bolt, "last").await;

    let all = theirs
        .until(|heard| heard.data["data"]["id"] == "last")
        .await;

    let said = format!("{all:?}");
    assert!(!said.contains(canary["id"].as_str().unwrap()), "{said}");
    assert!(all.iter().all(|heard| heard.event != "item.created"));
}
