//! Imports that meet each other, or somebody who works on the catalogue meanwhile.

use std::time::{Duration, Instant};

use sqlx::{Connection, Executor, PgConnection};
use tests::TestApp;

use super::{counts, item, load};

const FILE: &str = "sku;name;unit;price;group\nA;a;m;1,50;g\n";

/// Runs statements as somebody from outside whose transaction stays open.
async fn hold(app: &TestApp, sql: &str) -> PgConnection {
    let mut connection = app.database.connect().await;
    let sql = format!("BEGIN; {sql}");
    connection
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
        .await
        .unwrap();
    connection
}

/// Waits until somebody waits for a lock in this database.
async fn until_somebody_waits(app: &TestApp) {
    let mut connection = app.database.connect().await;
    let patience = Instant::now() + Duration::from_secs(30);
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting)
        .fetch_one(&mut connection)
        .await
        .unwrap()
        == 0
    {
        assert!(Instant::now() < patience, "nobody came to wait");
    }
}

#[actix_web::test]
async fn of_many_imports_at_once_each_is_whole_and_they_follow_one_another() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let neighbour = app.dealer().await;
    let file = |price: usize| {
        let rows: String = (0..300)
            .map(|n| format!("S{n};row;m;{price},50;g{}\n", n % 5))
            .collect();
        format!("sku;name;unit;price;group\n{rows}")
    };

    let replies = tokio::join!(
        dealer.import("", file(1)),
        dealer.import("", file(2)),
        dealer.import("", file(3)),
        neighbour.import("", file(4)),
    );

    let replies: [_; 4] = replies.into();
    for reply in replies {
        let report = reply.expect(200).json;
        assert_eq!(report["status"], "applied");
        let [created, updated, unchanged, ..] = counts(&report);
        assert_eq!(created + updated + unchanged, 300);
    }
    let page = dealer.get("/items?limit=200").await.json;
    let prices: Vec<_> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["price"]["amount"])
        .collect();
    assert!(
        prices.windows(2).all(|pair| pair[0] == pair[1]),
        "one file's prices, not two files'"
    );
    let versions = page["data"].as_array().unwrap().iter();
    let mut versions = versions.map(|row| row["version"].as_i64().unwrap());
    assert!(
        versions.all(|version| version == 3),
        "three files, one by one"
    );
}

/// Who lost a race tries again by itself; nothing here is anybody's fault.
#[actix_web::test]
async fn an_import_gets_over_whoever_changes_the_catalogue_at_the_same_moment() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    load(&dealer, FILE).await;
    let id = "01890000-0000-7000-8000-000000000000";

    for (meanwhile, file) in [
        (
            format!("INSERT INTO {schema}.item_group (id, name) VALUES ('{id}', 'h')"),
            "sku;name;unit;price;group\nB;b;m;1,50;h\n",
        ),
        (
            format!(
                "INSERT INTO {schema}.item (id, sku, name, base_unit, status, created_at, updated_at)
                 VALUES ('{id}', 'C', 'c', 'm', 'active', now(), now())"
            ),
            "sku;name;unit;price\nC;c;m;1,50\n",
        ),
        (
            format!("DELETE FROM {schema}.unit WHERE code = 'bag'"),
            "sku;name;unit;price\nD;d;bag;1,50\n",
        ),
    ] {
        let mut other = hold(&app, &meanwhile).await;
        let finish = async {
            until_somebody_waits(&app).await;
            other.execute("COMMIT").await.unwrap();
        };

        let (reply, ()) = tokio::join!(dealer.import("", file), finish);

        let report = reply.expect(200).json;
        assert_eq!(report["status"], "applied", "{meanwhile}");
        assert_eq!(counts(&report)[3], 0, "{meanwhile}");
        other.close().await.unwrap();
    }
    assert_eq!(item(&dealer, "B").await["name"], "b");
    assert_eq!(item(&dealer, "C").await["price"]["amount"], "1.5");
    assert_eq!(item(&dealer, "D").await["base_unit"], "bag");
}

#[actix_web::test]
async fn a_change_by_hand_waits_for_the_import_and_then_finds_its_version_stale() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    load(&dealer, FILE).await;
    let schema = app.database.schema_of(&dealer.slug).await;
    let path = format!(
        "/items/{}",
        item(&dealer, "A").await["id"].as_str().unwrap()
    );
    let write = format!("UPDATE {schema}.item SET version = version + 1 WHERE sku = 'A'");
    let mut import = hold(&app, &write).await;
    let finish = async {
        until_somebody_waits(&app).await;
        import.execute("COMMIT").await.unwrap();
    };

    let (reply, ()) = tokio::join!(
        dealer.patch(&path, 1, serde_json::json!({"name": "late"})),
        finish
    );

    assert_eq!(
        (reply.status.as_u16(), reply.problem()),
        (412, "precondition_failed")
    );
}
