//! A scrape after traffic tells that traffic, with a bounded number of series.

use serde_json::json;
use tests::{Actor, Reply, TestApp};

#[actix_web::test]
async fn traffic_is_counted_by_route_method_and_class() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let item = acme.item("A-1", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());

    acme.get(&path).await.expect(200);
    acme.get("/items/8d1f7f1e-0000-7000-8000-000000000000")
        .await
        .expect(404);
    acme.get("/no/such/thing").await.expect(404);
    let odd = reqwest::Method::from_bytes(b"BREW").unwrap();
    acme.send(acme.request(odd, "/items")).await;

    let told = scrape(&app).await;
    let kind = told.header("content-type");
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    let text = told.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    for (route, method, class) in [
        ("/api/v1/items/{id}", "GET", "2xx"),
        ("/api/v1/items/{id}", "GET", "4xx"),
        ("/api/v1/items", "POST", "2xx"),
        ("-", "GET", "4xx"),
        ("/api/v1/items", "other", "4xx"),
    ] {
        let labels = format!("{{route=\"{route}\",method=\"{method}\",status_class=\"{class}\"}}");
        let line = format!("tubex_http_requests_total{labels}");
        assert_eq!(value(&text, &line), 1.0, "{line}\n{text}");
    }
    let count = "tubex_http_request_duration_seconds_count{route=\"/api/v1/items/{id}\"}";
    assert_eq!(value(&text, count), 2.0, "{text}");
    for gone in ["no/such", "8d1f7f1e", "BREW", "A-1", "acme"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
}

#[actix_web::test]
async fn tenants_are_named_by_id_the_busiest_few_only_and_add_up() {
    let app = TestApp::start_with(&[("TUBEX_METRICS__TOP_TENANTS", "2")]).await;
    let hosts = ["acme", "bolt", "core"].map(|slug| app.stranger(&format!("{slug}.localhost")));
    for (host, times) in hosts.iter().zip([12, 12, 1]) {
        ask(host, times).await;
    }

    let text = scrape(&app).await.text();
    let series = series_of(&text, "tubex_tenant_requests_total{");
    assert_eq!(series.len(), 3, "{text}");
    assert_eq!(series.iter().map(|(_, count)| count).sum::<f64>(), 25.0);
    let id: String = sqlx::query_scalar("SELECT id::text FROM platform.tenant WHERE slug = 'acme'")
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    let acme = format!("tubex_tenant_requests_total{{tenant=\"{id}\"}}");
    assert_eq!(value(&text, &acme), 12.0, "{text}");
    let busy = series_of(&text, "tubex_tenant_busy_seconds_total{");
    assert_eq!(busy.len(), 3);
    assert!(busy.iter().any(|(_, seconds)| *seconds > 0.0), "{text}");

    ask(&hosts[2], 80).await;
    scrape(&app).await;
    ask(&hosts[2], 5).await;
    let later = scrape(&app).await.text();
    for (name, before) in &series {
        let goes_on = later
            .lines()
            .any(|line| line.starts_with(name.as_str()))
            .then(|| value(&later, name));
        assert!(goes_on.is_none_or(|now| now >= *before), "{name}\n{later}");
    }
}

#[actix_web::test]
async fn strangers_hosts_make_no_series() {
    let app = TestApp::start().await;
    let before = scrape(&app).await.text().lines().count();

    for number in 0..200 {
        let host = format!("nobody-{number}.localhost");
        let path = format!("/api/v1/items/{number}/x?y={number}");
        app.stranger(&host).get(&path).await.expect(404);
    }

    let after = scrape(&app).await.text();
    assert!(!after.contains("nobody-"), "{after}");
    // One route more, with its classes of durations.
    assert!(after.lines().count() < before + 25, "{after}");
}

#[actix_web::test]
async fn the_fleet_the_process_and_the_build_are_told() {
    let app = TestApp::start().await;

    let text = scrape(&app).await.text();

    let census = series_of(&text, "tubex_tenants{");
    assert_eq!(census.iter().map(|(_, count)| count).sum::<f64>(), 3.0);
    assert!(census[0].0.contains("status=\"active\""), "{text}");
    assert!(text.contains("tubex_build_info{version="), "{text}");
    assert!(text.contains("# TYPE tubex_lane_wait_seconds histogram"));
    if cfg!(target_os = "linux") {
        assert!(value(&text, "tubex_process_resident_memory_bytes") > 1e6);
        assert!(value(&text, "tubex_process_open_fds") > 3.0);
    }
}

#[actix_web::test]
async fn a_request_that_took_too_long_counts_for_its_tenant() {
    let keys = [("TUBEX_HTTP__REQUEST_TIMEOUT_MS", "1000")];
    let app = TestApp::start_with(&keys).await;
    let acme = app.dealer().await;
    let item = acme.item("HELD", json!({})).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    let held = app.door(&acme).await.begin().await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(&held, "UPDATE item SET name = 'Held'")
        .await
        .unwrap();

    acme.patch(&path, 1, json!({"name": "Too late"}))
        .await
        .expect(503);

    let text = scrape(&app).await.text();
    let labels = "{route=\"/api/v1/items/{id}\",method=\"PATCH\",status_class=\"5xx\"}";
    assert_eq!(
        value(&text, &format!("tubex_http_requests_total{labels}")),
        1.0
    );
    let busy = series_of(&text, "tubex_tenant_busy_seconds_total{");
    assert!(busy.iter().any(|(_, seconds)| *seconds >= 1.0), "{text}");
}

async fn ask(host: &Actor, times: usize) {
    for _ in 0..times {
        host.get("/").await.expect(200);
    }
}

async fn scrape(app: &TestApp) -> Reply {
    let url = format!("{}/metrics", app.metrics_base());
    let reply = Reply::of(reqwest::get(url).await.unwrap()).await;
    reply.expect(200)
}

/// The value of the one series with this name and these labels.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let prefix = format!("{series} ");
    let mut found = text.lines().filter_map(|line| line.strip_prefix(&prefix));
    let value = found
        .next()
        .unwrap_or_else(|| panic!("no {series} in {text}"));
    assert!(found.next().is_none(), "{series} twice");
    value.parse().unwrap()
}

fn series_of(text: &str, beginning: &str) -> Vec<(String, f64)> {
    let lines = text.lines().filter(|line| line.starts_with(beginning));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}
