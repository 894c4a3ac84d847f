//! Migration runs through the operators' API: begun, carried out by the server itself, watched.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Actor, TestApp, eventually};

use super::{add_operator, address, app, app_with, command, operator};

const RUNS: &str = "/platform/v1/migration-runs";

/// Takes a dealer one migration back, by hand.
async fn set_back(app: &TestApp, slug: &str) {
    let schema = app.database.schema_of(slug).await;
    app.sql(&format!(
        "DELETE FROM {schema}.seaql_migrations WHERE version = 'm0015_item_updated_at_idx';
         DROP INDEX {schema}.item_updated_at_idx;
         UPDATE platform.tenant SET schema_version = 'm0014_notifications' WHERE slug = '{slug}'"
    ))
    .await;
}

async fn run(who: &Actor, name: &str) -> Value {
    who.get(&format!("{RUNS}/{name}")).await.expect(200).json
}

/// A server that leaves the work to others.
async fn idle() -> TestApp {
    app_with(&[("TUBEX_PLATFORM__WORKS", "false")]).await
}

#[actix_web::test]
async fn where_nobody_is_behind_there_is_nothing_to_do() {
    let app = app().await;
    let admin = operator(&app, "admin").await;

    let started = admin.post(RUNS, json!({})).await.expect(200);

    assert_eq!(started.json["outcome"], "nothing");
    assert_eq!(started.json["there"], 3);
    assert_eq!(admin.get(RUNS).await.expect(200).json["data"], json!([]));
    let latest = admin.get(&format!("{RUNS}/latest")).await;
    assert_eq!(
        (latest.status.as_u16(), latest.problem()),
        (404, "run_not_found")
    );
}

#[actix_web::test]
async fn a_run_that_is_begun_is_carried_out_by_the_server() {
    let app = app().await;
    let admin = operator(&app, "admin").await;
    set_back(&app, "acme").await;
    set_back(&app, "bolt").await;

    let started = admin.post(RUNS, json!({"canary": "1"})).await.expect(201);

    assert_eq!(started.json["outcome"], "started");
    let id = started.json["run"]["id"].as_str().unwrap();
    assert_eq!(started.header("location"), format!("{RUNS}/{id}"));
    assert!(
        started.json["run"]["actor"]
            .as_str()
            .unwrap()
            .starts_with("operator/")
    );
    eventually("the run is done", async || {
        run(&admin, id).await["state"] == "done"
    })
    .await;
    let done = run(&admin, &id[..34]).await;
    assert_eq!(
        (&done["tenants"]["all"], &done["tenants"]["done"]),
        (&json!(2), &json!(2))
    );
    let places = admin
        .get(&format!("{RUNS}/{id}/tenants?state=done"))
        .await
        .expect(200);
    assert_eq!(places.json["data"].as_array().unwrap().len(), 2);
    let shown = admin.get("/platform/v1/tenants/acme").await.expect(200);
    assert_eq!(shown.json["schema_version"], server::doctor::NEWEST);
}

#[actix_web::test]
async fn what_operators_read_of_runs_is_what_tubex_shows() {
    let app = app().await;
    let admin = operator(&app, "admin").await;
    set_back(&app, "acme").await;
    admin.post(RUNS, json!({})).await.expect(201);
    eventually("the run is done", async || {
        run(&admin, "latest").await["state"] == "done"
    })
    .await;

    let (_, listed) = command(&app, &["runs", "list"]).await;
    let (_, mut shown) = command(&app, &["runs", "show"]).await;

    assert_eq!(admin.get(RUNS).await.expect(200).json, listed);
    let places = admin
        .get(&format!("{RUNS}/latest/tenants"))
        .await
        .expect(200);
    let fields = shown.as_object_mut().unwrap();
    assert_eq!(fields.remove("places").unwrap(), places.json["data"]);
    assert_eq!(fields.remove("next").unwrap(), places.json["next"]);
    assert_eq!(shown, run(&admin, "latest").await);
}

#[actix_web::test]
async fn a_run_is_paused_resumed_and_cancelled_and_a_tenant_left_out() {
    let app = idle().await;
    let admin = operator(&app, "admin").await;
    for slug in ["acme", "bolt"] {
        set_back(&app, slug).await;
    }
    admin.post(RUNS, json!({})).await.expect(201);
    let say = async |word: &str, body: Value| {
        let reply = admin.post(&format!("{RUNS}/latest/{word}"), body).await;
        (
            reply.status.as_u16(),
            reply.problem().to_owned(),
            reply.json["state"].clone(),
        )
    };

    assert_eq!(
        admin.post(RUNS, json!({})).await.expect(200).json["outcome"],
        "joined"
    );
    assert_eq!(
        say("pause", json!({})).await,
        (200, String::new(), json!("paused"))
    );
    assert_eq!(say("pause", json!({})).await.1, "run_state_wrong");
    assert_eq!(say("approve", json!({})).await.1, "run_state_wrong");
    assert_eq!(
        say("resume", json!({})).await,
        (200, String::new(), json!("running"))
    );
    assert_eq!(say("tenants/acme/skip", json!({"reason": ""})).await.0, 422);
    assert_eq!(
        say("tenants/core/skip", json!({"reason": "x"})).await.1,
        "run_tenant_not_found"
    );
    assert_eq!(
        say("tenants/acme/skip", json!({"reason": "by hand"}))
            .await
            .0,
        200
    );
    assert_eq!(run(&admin, "latest").await["tenants"]["skipped"], 1);
    assert_eq!(
        say("rollback", json!({"force": false})).await.1,
        "nothing_to_revert"
    );
    assert_eq!(
        say("cancel", json!({})).await,
        (200, String::new(), json!("cancelled"))
    );
    let retried = admin
        .post(&format!("{RUNS}/latest/retry"), json!({}))
        .await
        .expect(200);
    assert_eq!(retried.json["again"], 0);
}

#[actix_web::test]
async fn what_is_wrong_with_a_run_is_told_field_by_field() {
    let app = idle().await;
    let admin = operator(&app, "admin").await;

    for (body, pointer) in [
        (json!({"to": "m9999_unheard_of"}), "/to"),
        (json!({"only": "colour=red"}), "/only"),
        (json!({"canary": "0"}), "/canary"),
        (json!({"max_failures": "many"}), "/max_failures"),
        (json!({"waves": [50, 10]}), ""),
        (json!({"surprise": 1}), "/surprise"),
    ] {
        let reply = admin.post(RUNS, body.clone()).await.expect(422);
        assert_eq!(
            reply.json["errors"][0]["pointer"],
            pointer,
            "{body} {}",
            reply.text()
        );
    }
}

#[actix_web::test]
async fn whoever_watches_a_run_is_told_of_each_change_until_it_ends() {
    let app = idle().await;
    let admin = operator(&app, "admin").await;
    set_back(&app, "acme").await;
    admin.post(RUNS, json!({})).await.expect(201);
    let request = admin.request(Method::GET, &format!("{RUNS}/latest/events"));
    let mut news = request.send().await.unwrap();
    let mut next = async || {
        let told = news.chunk().await.unwrap()?;
        let text = String::from_utf8(told.to_vec()).unwrap();
        let data = text.strip_prefix("event: progress\ndata: ").unwrap();
        Some(serde_json::from_str::<Value>(data.trim_end()).unwrap())
    };

    assert_eq!(next().await.unwrap()["state"], "running");
    admin
        .post(&format!("{RUNS}/latest/pause"), json!({}))
        .await
        .expect(200);
    assert_eq!(next().await.unwrap()["state"], "paused");
    admin
        .post(&format!("{RUNS}/latest/cancel"), json!({}))
        .await
        .expect(200);
    assert_eq!(next().await.unwrap()["state"], "cancelled");
    assert_eq!(next().await, None);
}

#[actix_web::test]
async fn a_watch_ends_with_the_session_and_with_the_server() {
    let app = app_with(&[("TUBEX_PLATFORM__WORKS", "false")]).await;
    let admin = operator(&app, "admin").await;
    add_operator(&app, "viewer").await;
    let tokens =
        super::Tokens::of(&super::sign_in(&app, &address("viewer"), super::PASSWORD).await);
    let viewer = admin.with_token(&tokens.access);
    set_back(&app, "acme").await;
    admin.post(RUNS, json!({})).await.expect(201);
    let watch = async |who: &Actor| {
        let request = who.request(Method::GET, &format!("{RUNS}/latest/events"));
        request.send().await.unwrap()
    };

    let viewers = watch(&viewer).await;
    let admins = watch(&admin).await;
    command(&app, &["operator", "set", &address("viewer"), "--disable"]).await;
    assert!(viewers.text().await.unwrap().contains("progress"));

    let (stopped, ended) = tokio::join!(app.stop(), admins.text());
    let () = stopped;
    assert!(ended.unwrap().contains("progress"));
}
