//! Dealers on three clusters: the platform's own, and two that hold dealers only.

use serde_json::json;
use tests::{Dealer, Scratch, TestApp};

#[actix_web::test]
async fn each_dealer_works_on_the_cluster_where_it_lives() {
    let app = TestApp::start_on(Scratch::across_nodes().await, &[]).await;
    let dealers = [app.dealer().await, app.dealer().await, app.dealer().await];

    for dealer in &dealers {
        dealer.item("SAME", json!({"name": dealer.slug})).await;
    }

    for dealer in &dealers {
        let schema = app.database.schema_of(&dealer.slug).await;
        let mut home = app.database.connect_to_home_of(&dealer.slug).await;
        let name = format!("SELECT name FROM {schema}.item WHERE sku = 'SAME'");
        let name: String = sqlx::query_scalar(sqlx::AssertSqlSafe(name))
            .fetch_one(&mut home)
            .await
            .unwrap();
        assert_eq!(name, dealer.slug);
        let seen = dealer.get("/items").await.expect(200);
        assert_eq!(seen.json["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(seen.json["data"][0]["name"], dealer.slug);
    }
}

#[actix_web::test]
async fn no_two_of_the_ready_dealers_share_a_cluster() {
    let app = TestApp::start_on(Scratch::across_nodes().await, &[]).await;
    let dealers = [app.dealer().await, app.dealer().await, app.dealer().await];

    for dealer in &dealers {
        let mut home = app.database.connect_to_home_of(&dealer.slug).await;
        for other in &dealers {
            let there = has_schema(&mut home, &app, other).await;
            assert_eq!(there, other.slug == dealer.slug, "{}", other.slug);
        }
    }
}

async fn has_schema(home: &mut sqlx::PgConnection, app: &TestApp, dealer: &Dealer) -> bool {
    let schema = app.database.schema_of(&dealer.slug).await;
    sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
        .bind(schema)
        .fetch_one(home)
        .await
        .unwrap()
}
