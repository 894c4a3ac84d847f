//! What is remembered: where it comes from, what is told of it, and that nobody else can write it.

use std::sync::Arc;

use deadpool_redis::redis::cmd;
use server::auth::epoch;
use server::db::TenantTx;
use tests::{Dealer, Scratch, TestApp, eventually};

async fn scrape(app: &TestApp) -> String {
    let url = format!("{}/metrics", app.metrics_base());
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

/// How often a cache's answers came from somewhere.
async fn count(app: &TestApp, cache: &str, source: &str) -> u64 {
    let text = scrape(app).await;
    let begin = format!("tubex_cache_answers_total{{cache=\"{cache}\",source=\"{source}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&begin));
    line.unwrap_or_else(|| panic!("no {begin} in {text}"))
        .parse()
        .unwrap()
}

async fn names_of(app: &TestApp, dealer: &Dealer) -> Vec<String> {
    let id = dealer.get("/me").await.expect(200).json["dealer"]["id"].clone();
    let pattern = app
        .state
        .redis
        .key(&format!("t:{}:session:*", id.as_str().unwrap()));
    let found = app.state.redis.ask(async |mut connection| {
        let keys = cmd("KEYS").arg(&pattern).to_owned();
        keys.query_async::<Vec<String>>(&mut connection).await
    });
    found.await.expect("redis answers")
}

#[actix_web::test]
async fn a_second_server_learns_from_redis_what_the_first_one_found() {
    let database = Arc::new(Scratch::with_dealers().await);
    let here = TestApp::start_on(database.clone(), &[]).await;
    let there = TestApp::start_on(database, &[]).await;
    let acme = here.dealer().await;
    acme.get("/me").await.expect(200);
    eventually("it lies in redis", async || {
        !names_of(&here, &acme).await.is_empty()
    })
    .await;
    let elsewhere = there
        .stranger(&acme.host)
        .with_token(acme.token.as_ref().unwrap());

    for _ in 0..5 {
        elsewhere.get("/me").await.expect(200);
    }

    assert_eq!(count(&there, "session", "database").await, 0);
    assert_eq!(count(&there, "session", "redis").await, 1);
    assert_eq!(count(&there, "session", "process").await, 4);
}

#[actix_web::test]
async fn many_requests_at_once_ask_the_database_once() {
    let app = TestApp::start_with(&[("TUBEX_REDIS__URL", "")]).await;
    let acme = app.dealer().await;

    let all = futures_util::future::join_all((0..30).map(|_| acme.get("/me"))).await;

    assert!(all.iter().all(|reply| reply.status == 200));
    assert_eq!(count(&app, "session", "database").await, 1);
}

/// Redis is shared by many and guarded by little: what lies there makes nobody an owner.
#[actix_web::test]
async fn whoever_writes_into_redis_can_not_say_who_somebody_is() {
    let database = Arc::new(Scratch::with_dealers().await);
    let here = TestApp::start_on(database.clone(), &[]).await;
    let acme = here.dealer().await;
    let viewer = here.member(&acme, "viewer").await;
    acme.get("/me").await.expect(200);
    eventually("the owner lies in redis", async || {
        names_of(&here, &acme).await.len() == 1
    })
    .await;
    let owners = names_of(&here, &acme).await.remove(0);
    viewer.get("/me").await.expect(200);
    eventually("both lie in redis", async || {
        names_of(&here, &acme).await.len() == 2
    })
    .await;
    let all = names_of(&here, &acme).await;
    let viewers = all.into_iter().find(|name| *name != owners).unwrap();
    let forged = br#"{"person":{"role":"owner"}}"#;
    for with in ["the owner's", "plain text", "nothing"] {
        let write = here.state.redis.ask(async |mut connection| {
            let get = cmd("GET").arg(&owners).to_owned();
            let of_owner: Vec<u8> = get.query_async(&mut connection).await?;
            assert!(
                !String::from_utf8_lossy(&of_owner).contains("owner"),
                "it is sealed"
            );
            let value = match with {
                "the owner's" => of_owner,
                "plain text" => forged.to_vec(),
                _ => Vec::new(),
            };
            let set = cmd("SET").arg(&viewers).arg(value).to_owned();
            set.query_async::<()>(&mut connection).await
        });
        write.await.expect("redis answers");
        let there = TestApp::start_on(database.clone(), &[]).await;
        let elsewhere = there
            .stranger(&viewer.host)
            .with_token(viewer.token.as_ref().unwrap());

        let me = elsewhere.get("/me").await.expect(200);

        assert_eq!(me.json["role"], "viewer", "{with}");
        assert_eq!(count(&there, "session", "redis").await, 0, "{with}");
    }
}

#[actix_web::test]
async fn a_setting_is_read_once_and_anew_after_its_change() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let db = app.door(&acme).await;
    let schema = app.database.schema_of("acme").await;
    let read = async || app.state.settings.get::<u32>(&db, "answer").await;

    assert_eq!(read().await.unwrap(), None);
    for answer in [42, 43] {
        let write = format!(
            "INSERT INTO {schema}.setting (key, value, updated_at) VALUES ('answer', '{answer}', now())
             ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        );
        app.sql_on_access(&schema, &write).await;
        eventually("the setting is known", async || {
            read().await.unwrap() == Some(answer)
        })
        .await;
    }
    for _ in 0..5 {
        assert_eq!(read().await.unwrap(), Some(43));
    }
    let asked = count(&app, "setting", "database").await;
    assert!(asked <= 3, "asked {asked} times for three values");
    let bad = app.state.settings.get::<Vec<String>>(&db, "answer").await;
    assert!(bad.is_err(), "a setting that can't be read is not none");
}

#[actix_web::test]
async fn an_epoch_goes_up_with_its_transaction_or_not_at_all() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let db = app.door(&acme).await;
    let now = async || db.read(async |tx| epoch::read(tx).await).await.unwrap();
    let before = now().await;

    let failed = db
        .write(async |tx: &TenantTx| {
            epoch::bump(tx).await?;
            Err::<(), _>(sea_orm::DbErr::Custom("no".to_owned()))
        })
        .await;
    let after_failure = now().await;
    db.write(async |tx| epoch::bump(tx).await).await.unwrap();

    assert!(failed.is_err());
    assert_eq!(after_failure, before);
    assert_eq!(now().await.epoch, before.epoch + 1);
}
