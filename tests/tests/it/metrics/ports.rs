//! The internal port tells metrics and health and serves no dealer; the public one tells no
//! metrics.

use std::net::TcpListener;

use tests::{Reply, Scratch, TestApp};

use crate::process::program::command;

#[actix_web::test]
async fn the_internal_port_serves_no_dealer() {
    let app = TestApp::start().await;
    let internal = |path: &str| {
        let request = reqwest::Client::new()
            .get(format!("{}{path}", app.metrics_base()))
            .header("host", "acme.localhost");
        async move { Reply::of(request.send().await.unwrap()).await }
    };

    for path in ["/metrics", "/livez", "/readyz"] {
        internal(path).await.expect(200);
    }
    for path in ["/", "/api/v1/me", "/api/docs/", "/api/openapi.json"] {
        let reply = internal(path).await.expect(404);
        assert!(reply.body.is_empty(), "{path}: {}", reply.text());
    }
}

#[actix_web::test]
async fn the_public_port_tells_no_metrics() {
    let app = TestApp::start().await;

    for host in ["acme.localhost", "api.localhost", "localhost"] {
        let request = reqwest::Client::new()
            .get(format!("{}/metrics", app.base()))
            .header("host", host);
        let reply = Reply::of(request.send().await.unwrap()).await.expect(404);
        assert!(!reply.text().contains("tubex_"), "{}", reply.text());
    }
}

#[actix_web::test]
async fn metrics_may_be_told_nowhere() {
    let app = TestApp::start_with(&[("TUBEX_METRICS__LISTEN", "")]).await;

    assert_eq!(app.metrics_base(), "");
    app.dealer().await.get("/me").await.expect(200);
}

#[actix_web::test]
async fn a_taken_internal_port_is_said_plainly() {
    let database = Scratch::with_dealers().await;
    let holder = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = holder.local_addr().unwrap().to_string();

    for role in ["api", "worker"] {
        let keys = [("TUBEX_METRICS__LISTEN", taken.as_str())];
        let output = command(&database, &keys).arg(role).output().unwrap();

        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(
            said.contains("metrics.listen: cannot listen on") && said.contains(&taken),
            "{said}"
        );
    }
}
