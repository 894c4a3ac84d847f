//! A reading that the client has already is not sent again; a large one is compressed, and what
//! holds a secret never is.

use reqwest::Method;
use serde_json::json;
use tests::{Actor, Reply, TestApp};

use super::load;

async fn again(who: &Actor, path: &str, had: &str) -> Reply {
    let request = who.request(Method::GET, path);
    who.send(request.header("if-none-match", had)).await
}

async fn compressed(who: &Actor, path: &str, with: &str) -> Reply {
    let request = who.request(Method::GET, path);
    who.send(request.header("accept-encoding", with)).await
}

#[actix_web::test]
async fn whatever_has_a_version_is_read_again_for_nothing() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    let group = acme.post("/item-groups", json!({"name": "G"})).await;
    let group = format!(
        "/item-groups/{}",
        group.expect(201).json["id"].as_str().unwrap()
    );
    let item = acme.item("A", json!({})).await;
    let item = format!("/items/{}", item["id"].as_str().unwrap());

    for path in [
        item.as_str(),
        &group,
        "/units/pcs",
        "/items",
        "/items?q=item",
        "/item-groups",
        "/units?limit=3",
        "/api/openapi.json",
    ] {
        let first = acme.get(path).await.expect(200);
        let version = first.header("etag").to_owned();
        assert!(!version.is_empty(), "{path}");
        assert_eq!(first.header("cache-control"), "private, no-cache", "{path}");

        for had in [
            version.clone(),
            format!("\"other\", {version}"),
            format!("W/{}", version.trim_start_matches("W/")),
            "*".to_owned(),
        ] {
            let same = again(&acme, path, &had).await;
            assert_eq!(same.status, 304, "{path} {had}");
            assert!(same.body.is_empty(), "{path}");
            assert_eq!(same.header("etag"), version, "{path}");
            assert_eq!(same.header("cache-control"), "private, no-cache", "{path}");
            assert_eq!(same.header("content-type"), "", "{path}");
        }
        let other = again(&acme, path, "\"other\"").await.expect(200);
        assert_eq!(other.body, first.body, "{path}");
    }
}

#[actix_web::test]
async fn a_change_makes_a_new_version_of_the_thing_and_of_its_lists() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    let item = acme.item("A", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    let had = [
        (
            path.as_str(),
            acme.get(&path).await.header("etag").to_owned(),
        ),
        ("/items", acme.get("/items").await.header("etag").to_owned()),
    ];

    acme.patch(&path, 1, json!({"name": "Changed"}))
        .await
        .expect(200);

    for (path, had) in had {
        let now = again(&acme, path, &had).await.expect(200);
        assert!(now.text().contains("Changed"), "{path}");
        assert_ne!(now.header("etag"), had, "{path}");
    }
}

#[actix_web::test]
async fn what_is_about_somebody_is_kept_by_nobody() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;

    let me = again(&acme, "/me", "*").await.expect(200);
    let signed_in = acme.sign_in(&acme.email, &acme.password).await.expect(200);
    let refused = again(&acme.signed_out(), "/items", "*").await.expect(401);
    let missing = again(&acme, "/items/01890000-0000-7000-8000-000000000000", "*").await;

    for reply in [me, signed_in, refused, missing.expect(404)] {
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("etag"), "");
    }
}

#[actix_web::test]
async fn large_lists_are_compressed_as_the_client_likes() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    load(&acme, 50).await;
    let plain = acme.get("/items").await.expect(200);
    assert!(plain.body.len() > 4_096);
    assert_eq!(plain.header("content-encoding"), "");

    for (with, expected) in [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip;q=0.5, br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("identity", ""),
        ("something-else", ""),
    ] {
        let reply = compressed(&acme, "/items", with).await.expect(200);

        assert_eq!(reply.header("content-encoding"), expected, "{with}");
        assert!(reply.header("vary").contains("Accept-Encoding"), "{with}");
        assert_eq!(reply.header("etag"), plain.header("etag"), "{with}");
        if expected.is_empty() {
            assert_eq!(reply.body, plain.body, "{with}");
        } else {
            assert!(reply.body.len() < plain.body.len() / 4, "{with}");
        }
    }
    let by_gzip = compressed(&acme, "/items", "gzip").await;
    let mut unpacked = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(&by_gzip.body[..]);
    std::io::Read::read_to_end(&mut decoder, &mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
}

#[actix_web::test]
async fn small_answers_and_secrets_are_sent_as_they_are() {
    let app = TestApp::start_working().await;
    let acme = app.dealer().await;
    let sign_in = acme
        .request(Method::POST, "/auth/sign-in")
        .header("accept-encoding", "gzip, br")
        .json(&json!({"email": acme.email, "password": acme.password}));
    // So long that it would be worth it, if it held no secret.
    let name = "x".repeat(1_000);
    let rename = format!("UPDATE platform.tenant SET name = '{name}' WHERE slug = 'acme'");
    app.sql(&rename).await;
    tests::eventually("the new name is known", async || {
        acme.get("/me").await.body.len() > 1_024
    })
    .await;

    let signed_in = acme.send(sign_in).await.expect(200);
    let me = compressed(&acme, "/me", "gzip, br").await.expect(200);
    let small = compressed(&acme, "/items", "gzip, br").await.expect(200);
    let problem = compressed(&acme, "/nowhere", "gzip, br").await.expect(404);

    for reply in [signed_in, me, small, problem] {
        assert_eq!(reply.header("content-encoding"), "", "{}", reply.text());
        assert!(!reply.json.is_null());
    }
}
