//! Ways to name a dealer.

use serde_json::Value;
use tests::{Actor, Reply, TestApp, eventually};

use super::{add_domain, raw};

const HEADER: &str = "x-tenant-id";

#[actix_web::test]
async fn a_dealers_host_is_understood_in_every_spelling() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;

    for host in [
        "acme.localhost",
        "ACME.LocalHost",
        "acme.localhost:8080",
        "acme.localhost:",
        "acme.localhost.",
        "Acme.localhost.:443",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let page = raw(&app, &request).await;
        let is_strange_port = host.ends_with(':');
        assert_eq!(page.status == 200, !is_strange_port, "{host}: {page:?}");
    }
    assert_eq!(acme.get("/me").await.json["dealer"]["slug"], "acme");
}

#[actix_web::test]
async fn a_verified_domain_leads_to_its_dealer_and_an_unverified_one_nowhere() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let theirs = acme.at("Shop.Acme.example:8080");
    assert_eq!(theirs.get("/me").await.problem(), "tenant_unknown");

    add_domain(&app, "acme", "shop.acme.example", "NULL").await;
    add_domain(&app, "acme", "www.acme.example", "now()").await;
    eventually("the verified domain is known", async || {
        acme.at("www.acme.example").get("/me").await.status == 200
    })
    .await;
    assert_eq!(theirs.get("/me").await.problem(), "tenant_unknown");

    app.sql("UPDATE platform.tenant_domain SET verified_at = now()")
        .await;
    eventually("the domain is known once it is verified", async || {
        theirs.get("/me").await.status == 200
    })
    .await;

    app.sql("DELETE FROM platform.tenant_domain").await;
    eventually("the domain is forgotten", async || {
        theirs.get("/me").await.problem() == "tenant_unknown"
    })
    .await;
}

#[actix_web::test]
async fn a_domain_that_moves_to_a_neighbour_leads_to_the_neighbour() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    add_domain(&app, "acme", "shop.example", "now()").await;
    eventually("the domain is known", async || {
        acme.at("shop.example").get("/me").await.status == 200
    })
    .await;

    app.sql(
        "UPDATE platform.tenant_domain SET tenant_id =
         (SELECT id FROM platform.tenant WHERE slug = 'bolt')",
    )
    .await;

    eventually("the domain has moved", async || {
        bolt.at("shop.example").get("/me").await.status == 200
    })
    .await;
    let former = acme.at("shop.example").get("/me").await;
    assert_eq!(former.problem(), "tenant_mismatch");
}

#[actix_web::test]
async fn machines_name_the_dealer_in_a_header_on_the_api_host() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let id = acme.get("/me").await.json["dealer"]["id"].clone();
    let machine = acme.at("api.localhost");

    for name in ["acme", "ACME", " acme ", id.as_str().unwrap()] {
        let reply = with_header(&machine, name).await;
        assert_eq!(
            reply.json["dealer"]["slug"],
            "acme",
            "{name}: {}",
            reply.text()
        );
    }

    for name in [
        "",
        "nobody",
        "acme.localhost",
        "00000000-0000-0000-0000-000000000000",
        "a,b",
    ] {
        let reply = with_header(&machine, name).await;
        assert_eq!(reply.problem(), "tenant_unknown", "{name}");
    }
    assert_eq!(machine.get("/me").await.problem(), "tenant_unknown");
    let request = machine.request(reqwest::Method::GET, "/me");
    let twice = machine.send(request.header(HEADER, "acme").header(HEADER, "acme"));
    assert_eq!(twice.await.problem(), "tenant_unknown");
}

#[actix_web::test]
async fn host_and_header_must_agree() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let theirs = bolt.get("/me").await.json["dealer"]["id"].clone();

    let agreed = with_header(&acme, "acme").await;
    let refused = [
        with_header(&acme, "bolt").await,
        with_header(&acme, theirs.as_str().unwrap()).await,
        with_header(&acme, "nobody").await,
    ];

    assert_eq!(agreed.status, 200);
    for reply in &refused {
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (403, "tenant_mismatch")
        );
        assert_eq!(
            without_id(reply),
            without_id(&refused[0]),
            "no one learns who exists"
        );
    }
    app.recorded("tenant_mismatch", &acme, 3).await;
    app.recorded("tenant_mismatch", &bolt, 0).await;
}

#[actix_web::test]
async fn forwarded_hosts_are_nobodys_word() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    app.dealer().await;

    let request = acme
        .request(reqwest::Method::GET, "/me")
        .header("x-forwarded-host", "bolt.localhost")
        .header("forwarded", "host=bolt.localhost");

    assert_eq!(acme.send(request).await.json["dealer"]["slug"], "acme");
}

#[actix_web::test]
async fn a_target_that_names_its_host_must_name_the_same() {
    let app = TestApp::start().await;
    app.dealer().await;
    let get = async |target: &str, host: &str| {
        let request = format!("GET {target} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        raw(&app, &request).await.status
    };

    assert_eq!(
        get("http://acme.localhost/", "Host: acme.localhost\r\n").await,
        200
    );
    assert_eq!(
        get("http://ACME.localhost/", "Host: acme.LOCALHOST\r\n").await,
        200
    );
    for (target, host) in [
        ("http://acme.localhost/", "Host: bolt.localhost\r\n"),
        ("http://bolt.localhost/", "Host: acme.localhost\r\n"),
        ("http://acme.localhost:81/", "Host: acme.localhost\r\n"),
        (
            "http://bolt.localhost@acme.localhost/",
            "Host: acme.localhost\r\n",
        ),
        ("/", "Host: acme.localhost\r\nHost: bolt.localhost\r\n"),
        ("/", "Host: acme.localhost\r\nHost: acme.localhost\r\n"),
        ("/", "Host: acme.localhost, bolt.localhost\r\n"),
        ("/", "Host: bolt.localhost@acme.localhost\r\n"),
    ] {
        assert!(
            [400, 404].contains(&get(target, host).await),
            "{target} {host}"
        );
    }
}

async fn with_header(actor: &Actor, name: &str) -> Reply {
    let request = actor.request(reqwest::Method::GET, "/me");
    actor.send(request.header(HEADER, name)).await
}

fn without_id(reply: &Reply) -> Value {
    let mut body = reply.json.clone();
    body.as_object_mut()
        .expect("a problem")
        .remove("request_id");
    body
}
