//! Cursors lead on from where they were given out, and nowhere else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tests::{Actor, Scratch, TestApp};

use super::{column, load};

async fn next(who: &Actor, list: &str) -> String {
    let page = who.get(list).await.expect(200);
    page.json["next"].as_str().expect("more").to_owned()
}

async fn outcome(who: &Actor, list: &str, cursor: &str) -> (u16, String) {
    let and = if list.contains('?') { '&' } else { '?' };
    let reply = who.get(&format!("{list}{and}cursor={cursor}")).await;
    (reply.status.as_u16(), reply.problem().to_owned())
}

fn refused() -> (u16, String) {
    (400, "cursor_invalid".to_owned())
}

#[actix_web::test]
async fn a_forged_cursor_is_refused() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    load(&acme, 3).await;
    let cursor = next(&acme, "/items?limit=1").await;
    let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
    assert_eq!(outcome(&acme, "/items", &cursor).await.0, 200);

    for place in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[place] ^= 1;
        let forged = URL_SAFE_NO_PAD.encode(forged);
        assert_eq!(
            outcome(&acme, "/items", &forged).await,
            refused(),
            "{place}"
        );
    }
    let made_up = [
        URL_SAFE_NO_PAD.encode(r#"{"sku":"0001"}"#),
        URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() - 16]),
        URL_SAFE_NO_PAD.encode(&bytes[1..]),
        URL_SAFE_NO_PAD.encode([0; 16]),
        format!("{cursor}AA"),
        "no".to_owned(),
        String::new(),
    ];
    for forged in made_up {
        assert_eq!(
            outcome(&acme, "/items", &forged).await,
            refused(),
            "{forged}"
        );
    }
}

#[actix_web::test]
async fn a_neighbours_cursor_is_refused() {
    let app = TestApp::start_working().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    load(&acme, 3).await;
    load(&bolt, 3).await;

    let theirs = next(&bolt, "/items?limit=1").await;

    assert_eq!(outcome(&bolt, "/items", &theirs).await.0, 200);
    assert_eq!(outcome(&acme, "/items", &theirs).await, refused());
}

#[actix_web::test]
async fn a_cursor_of_another_list_or_another_question_is_refused() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    load(&acme, 5).await;
    let group = acme.post("/item-groups", json!({"name": "G"})).await;
    let group = group.expect(201).json["id"].as_str().unwrap().to_owned();
    for sku in ["X", "Y"] {
        acme.item(sku, json!({"group_id": group})).await;
    }
    let plain = next(&acme, "/items?limit=1").await;
    let sorted = next(&acme, "/items?limit=1&sort=name").await;
    let of_group = next(&acme, &format!("/items?limit=1&group_id={group}")).await;
    let units = next(&acme, "/units?limit=1").await;

    for (list, cursor) in [
        ("/items?sort=name", &plain),
        ("/items?sort=-sku", &plain),
        ("/items?status=active", &plain),
        ("/items?q=name", &plain),
        ("/items?updated_since=2026-01-01T00:00:00Z", &plain),
        ("/items?sort=-name", &sorted),
        ("/items", &sorted),
        ("/items", &of_group),
        ("/items", &units),
        ("/units", &plain),
        ("/item-groups", &units),
    ] {
        assert_eq!(outcome(&acme, list, cursor).await, refused(), "{list}");
    }
    // How much is shown is no other question, and neither is another order of its words.
    for (list, cursor) in [
        ("/items?limit=7", &plain),
        ("/items?fields=sku&include=unit", &plain),
        ("/items?sort=name&limit=2", &sorted),
    ] {
        assert_eq!(outcome(&acme, list, cursor).await.0, 200, "{list}");
    }
    let both = format!("/items?limit=1&status=active&group_id={group}");
    let turned = format!("/items?group_id={group}&status=active");
    let cursor = next(&acme, &both).await;
    assert_eq!(outcome(&acme, &turned, &cursor).await.0, 200);
}

#[actix_web::test]
async fn a_cursor_of_a_server_with_another_secret_is_refused_and_of_the_same_is_not() {
    let database = std::sync::Arc::new(Scratch::with_dealers().await);
    let other = (
        "TUBEX_AUTH__TOKEN_SECRET",
        "another secret of at least 32 characters",
    );
    let here = TestApp::start_on(database.clone(), &[]).await;
    let there = TestApp::start_on(database.clone(), &[]).await;
    let elsewhere = TestApp::start_on(database, &[other]).await;
    here.work();
    let acme = here.dealer().await;
    load(&acme, 3).await;

    let cursor = next(&acme, "/items?limit=1").await;

    let same = there.enter("acme").await;
    assert_eq!(outcome(&same, "/items", &cursor).await.0, 200);
    let foreign = elsewhere.enter("acme").await;
    assert_eq!(outcome(&foreign, "/items", &cursor).await, refused());
}

#[actix_web::test]
async fn the_link_header_leads_to_the_next_page_and_stops_at_the_last() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    load(&acme, 5).await;
    let mut path = "/api/v1/items?limit=2&sort=-sku&status=active".to_owned();
    let mut found = Vec::new();

    loop {
        let page = acme.get(&path).await.expect(200);
        found.extend(column(&page, "sku"));
        let link = page.header("link").to_owned();
        let Some(next) = page.json["next"].as_str() else {
            assert_eq!(link, "");
            break;
        };
        let (target, relation) = link.split_once(">; ").expect("a link");
        assert_eq!(relation, "rel=\"next\"");
        assert!(target.contains(&format!("cursor={next}")), "{link}");
        path = target.trim_start_matches('<').to_owned();
    }

    assert_eq!(found, ["0004", "0003", "0002", "0001", "0000"]);
}

#[actix_web::test]
async fn a_walk_down_is_not_confused_by_what_comes_meanwhile() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    load(&acme, 20).await;
    let mut path = "/items?limit=5&sort=-sku".to_owned();
    let mut found = Vec::new();

    for page in 0.. {
        let reply = acme.get(&path).await.expect(200);
        found.extend(column(&reply, "sku"));
        let Some(next) = reply.json["next"].as_str() else {
            break;
        };
        path = format!("/items?limit=5&sort=-sku&cursor={next}");
        acme.item(&format!("9999-{page}"), json!({})).await; // behind us
        acme.item(&format!("0000-{page}"), json!({})).await; // ahead of us
    }

    let mut once = found.clone();
    once.dedup();
    assert_eq!(once, found, "nothing twice");
    assert!(found.iter().rev().is_sorted(), "{found:?}");
    assert!(
        !found.iter().any(|sku| sku.starts_with("9999")),
        "{found:?}"
    );
    for n in 0..20 {
        assert!(found.contains(&format!("{n:04}")), "{n}");
    }
}
