//! A Redis that goes away costs no request anything, and is noticed when it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use server::redis::State;
use tests::{TestApp, eventually};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// A way to the tests' Redis that can be shut.
struct Gate {
    url: String,
    is_open: watch::Sender<bool>,
    /// Connections that were tried.
    tried: Arc<AtomicUsize>,
}

impl Gate {
    async fn open() -> Self {
        let address = std::env::var("TUBEX_TEST_REDIS_URL").expect("run `make test`");
        let mut url = Url::parse(&address).unwrap();
        let target = (
            url.host_str().unwrap().to_owned(),
            url.port().unwrap_or(6379),
        );
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port()))
            .unwrap();
        let (is_open, seen) = watch::channel(true);
        let tried = Arc::new(AtomicUsize::new(0));
        let count = tried.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                if !*seen.borrow() {
                    continue;
                }
                let (target, mut seen) = (target.clone(), seen.clone());
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = seen.wait_for(|is_open| !is_open) => {}
                    }
                });
            }
        });
        Self {
            url: url.into(),
            is_open,
            tried,
        }
    }
}

#[actix_web::test]
async fn while_it_rests_nobody_asks_and_then_it_is_found_again() {
    let gate = Gate::open().await;
    let keys = [
        ("TUBEX_REDIS__URL", gate.url.as_str()),
        ("TUBEX_REDIS__REST_MS", "600000"),
    ];
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;
    assert_eq!(app.state.redis.state(), Some(State::Closed));

    gate.is_open.send_replace(false);
    acme.sign_in(&acme.email, &acme.password).await.expect(200);
    eventually("its absence is noticed", async || {
        acme.get("/readyz").await.expect(200).json["redis"] == "away"
    })
    .await;
    let tried = gate.tried.load(Ordering::Relaxed);
    for _ in 0..3 {
        acme.sign_in(&acme.email, &acme.password).await.expect(200);
    }

    assert_eq!(app.state.redis.state(), Some(State::Open));
    assert_eq!(gate.tried.load(Ordering::Relaxed), tried, "nobody asked");
    let told = scrape(&app).await;
    assert!(
        told.contains("tubex_redis_breaker{state=\"open\"} 1"),
        "{told}"
    );
    assert!(
        told.contains("tubex_redis_breaker{state=\"closed\"} 0"),
        "{told}"
    );
}

#[actix_web::test]
async fn it_is_found_again_after_its_rest() {
    let gate = Gate::open().await;
    let keys = [
        ("TUBEX_REDIS__URL", gate.url.as_str()),
        ("TUBEX_REDIS__REST_MS", "50"),
    ];
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;

    for _ in 0..2 {
        gate.is_open.send_replace(false);
        eventually("it is away", async || {
            acme.get("/readyz").await.expect(200).json["redis"] == "away"
        })
        .await;
        acme.sign_in(&acme.email, &acme.password).await.expect(200);

        gate.is_open.send_replace(true);
        eventually("it is back", async || {
            acme.get("/readyz").await.expect(200).json["redis"] == "ok"
        })
        .await;
        assert_eq!(app.state.redis.state(), Some(State::Closed));
    }
}

#[actix_web::test]
async fn where_there_is_none_metrics_say_nothing_of_it() {
    let app = TestApp::start_with(&[("TUBEX_REDIS__URL", "")]).await;

    assert_eq!(app.state.redis.state(), None);
    assert!(!scrape(&app).await.contains("tubex_redis"));
}

async fn scrape(app: &TestApp) -> String {
    let url = format!("{}/metrics", app.metrics_base());
    reqwest::get(url).await.unwrap().text().await.unwrap()
}
