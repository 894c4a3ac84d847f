//! What must not pass from one dealer to the next over a connection that they share.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;
use server::db::TenantDb;
use server::jobs::{Enqueue, enqueue};
use sqlx::Row;
use tests::errands::Errand;
use tests::{Dealer, PgBouncer, Scratch, TestApp, eventually};

use super::behind_a_pooler;
use crate::transactions::{WHO, text_of, themselves, who};

const BACKEND: &str = "SELECT pg_backend_pid()::text";

#[actix_web::test]
async fn several_dealers_work_side_by_side() {
    let (app, _pooler) = behind_a_pooler(2, &[("TUBEX_JOBS__INSIDE", "true")]).await;
    let dealers = [app.dealer().await, app.dealer().await, app.dealer().await];

    let work = async |dealer: &Dealer| {
        for number in 0..10 {
            let sku = format!("SKU-{number}");
            let item = dealer.item(&sku, json!({"name": dealer.slug})).await;
            let path = format!("/items/{}", item["id"].as_str().unwrap());
            let changed = json!({"name": format!("Changed at {}", dealer.slug)});
            dealer.patch(&path, 1, changed).await.expect(200);
            let found = dealer.get(&format!("/items?q={sku}")).await.expect(200);
            assert!(found.text().contains(&dealer.slug), "{}", found.text());
            let file = format!("SKU;Name;Unit;Price;Currency\nIMP;{sku};pcs;1.50;EUR\n");
            dealer.import("", file).await.expect(200);
        }
    };
    tokio::join!(work(&dealers[0]), work(&dealers[1]), work(&dealers[2]));

    for dealer in &dealers {
        let items = dealer.get("/items?limit=100").await.expect(200);
        assert_eq!(items.json["data"].as_array().map(Vec::len), Some(11));
    }
}

#[actix_web::test]
async fn role_and_path_are_the_dealers_own_on_every_shared_connection() {
    let (app, _pooler) = behind_a_pooler(2, &[]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let doors = [app.door(&acme).await, app.door(&bolt).await];
    let expected = [themselves(&app, &acme).await, themselves(&app, &bolt).await];

    let ask = async |number: usize| {
        let (door, expected) = (&doors[number % 2], &expected[number % 2]);
        let mut backends = BTreeSet::new();
        for _ in 0..25 {
            let asked = door.read(async |tx| {
                let who = text_of(tx, WHO).await?;
                Ok::<_, DbErr>((who, text_of(tx, BACKEND).await?))
            });
            let (who, backend) = asked.await.unwrap();
            assert_eq!(&who, expected);
            backends.insert(backend);
        }
        backends
    };
    // Each comes back to its own connection if it can, so it takes a while until they share one.
    let (mut acmes, mut bolts) = (BTreeSet::new(), BTreeSet::new());
    eventually("they share a connection", async || {
        let (a, b, c, d) = tokio::join!(ask(0), ask(1), ask(2), ask(3));
        acmes.extend(&a | &c);
        bolts.extend(&b | &d);
        !acmes.is_disjoint(&bolts)
    })
    .await;
}

#[actix_web::test]
async fn a_session_that_is_shared_is_left_naked() {
    let (app, pooler) = behind_a_pooler(1, &[]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let lane: String = sqlx::query_scalar("SELECT login_role FROM platform.lane")
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    let mut onlooker = pooler.connect_as(&app.database, &lane).await;
    let naked = "SELECT current_user || '|' || current_setting('search_path') || '|' \
         || current_setting('statement_timeout') || '|' \
         || current_setting('transaction_read_only') || '|' || pg_backend_pid()";

    let mut backends = Vec::new();
    for dealer in [&acme, &bolt, &acme, &bolt] {
        let backend = text_within(&app.door(dealer).await, BACKEND).await;
        backends.push(backend.unwrap());
        let seen = sqlx::raw_sql(naked).fetch_one(&mut onlooker).await.unwrap();
        let (seen, backend) = seen
            .get::<&str, _>(0)
            .rsplit_once('|')
            .map(|(seen, backend)| (seen.to_owned(), backend.to_owned()))
            .unwrap();

        assert_eq!(seen, format!("{lane}|\"$user\", public|0|off"));
        assert!(
            backends.contains(&backend),
            "nothing was shown: {backend} is none of {backends:?}"
        );
    }
}

#[actix_web::test]
async fn work_broken_off_leaves_nothing_to_the_next_dealer() {
    let (app, _pooler) =
        behind_a_pooler(2, &[("TUBEX_DATABASE__STATEMENT_TIMEOUT_MS", "200")]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (broken_off, next) = (app.door(&acme).await, app.door(&bolt).await);
    let expected = themselves(&app, &bolt).await;

    for attempt in 0..30_u64 {
        let work = async {
            let tx = broken_off.begin().await?;
            tx.execute_unprepared("UPDATE member SET name = 'Broken Off'")
                .await?;
            let sleep = if attempt % 10 == 9 { "60" } else { "0.02" };
            text_of(&tx, &format!("SELECT pg_sleep({sleep})::text")).await?;
            Ok::<_, DbErr>(())
        };
        let patience = Duration::from_millis(if attempt % 10 == 9 { 5000 } else { attempt });
        // Either end will do: broken off by us, or by the statement's time limit.
        let _either = tokio::time::timeout(patience, work).await;

        assert_eq!(who(&next).await, expected, "after attempt {attempt}");
    }

    assert_ne!(acme.get("/me").await.json["name"], "Broken Off");
}

#[actix_web::test]
async fn what_goes_with_a_commit_is_there_with_it_or_not_at_all() {
    let (app, _pooler) = behind_a_pooler(1, &[]).await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let doors = [app.door(&acme).await, app.door(&bolt).await];
    let expected = [themselves(&app, &acme).await, themselves(&app, &bolt).await];
    let hand_over = async |door: &TenantDb, last: &'static str| {
        door.write(async |tx| {
            enqueue(tx, &Errand::new("nothing", "x"), Enqueue::now()).await?;
            tx.at_commit(last, vec![])
        })
        .await
    };

    for number in 0..10 {
        let door = &doors[number % 2];
        hand_over(door, "SELECT 1").await.unwrap();
        let refused = hand_over(door, "SELECT 1 / 0").await;

        assert!(refused.is_err());
        assert_eq!(who(&doors[0]).await, expected[0], "after {number}");
        assert_eq!(who(&doors[1]).await, expected[1], "after {number}");
    }

    for dealer in [&acme, &bolt] {
        let schema = app.database.schema_of(&dealer.slug).await;
        let jobs = "SELECT count(*) FROM jobs.job WHERE tenant = $1";
        let jobs: i64 = sqlx::query_scalar(jobs)
            .bind(schema)
            .fetch_one(&mut app.database.connect().await)
            .await
            .unwrap();
        assert_eq!(jobs, 5);
    }
}

#[actix_web::test]
async fn a_dealers_new_state_is_known_past_the_pooler_within_a_second() {
    let (app, _pooler) = behind_a_pooler(2, &[]).await;
    let acme = app.dealer().await;
    acme.get("/items").await.expect(200);

    for (status, answer) in [("suspended", 403), ("active", 200), ("past_grace", 402)] {
        app.sql(&format!(
            "UPDATE platform.tenant SET status = '{status}' WHERE slug = '{}'",
            acme.slug
        ))
        .await;
        let changed = Instant::now();
        eventually(status, async || acme.get("/me").await.status == answer).await;
        assert!(
            changed.elapsed() < Duration::from_secs(1),
            "{status} was known after {:?}",
            changed.elapsed()
        );
    }
}

#[actix_web::test]
async fn a_lane_added_later_is_let_in_by_the_pooler() {
    let database = Scratch::with_dealers().await;
    sqlx::query("UPDATE platform.lane SET capacity = 3")
        .execute(&mut database.connect().await)
        .await
        .unwrap();
    let pooler = PgBouncer::in_front_of(&database, 2).await;
    let direct = database.server_url();
    let app = TestApp::start_on(database, &pooler.keys(&direct)).await;

    let newcomer = app.new_dealer().await;

    newcomer.item("FIRST", json!({})).await;
    let door = app.door(&newcomer).await;
    assert_eq!(who(&door).await, themselves(&app, &newcomer).await);
}

async fn text_within(door: &TenantDb, sql: &str) -> Result<String, DbErr> {
    door.read(async |tx| text_of(tx, sql).await).await
}
