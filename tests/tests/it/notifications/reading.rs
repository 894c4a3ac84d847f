//! Reading what one was told, and nobody else.

use serde_json::json;
use server::tenant::notifications::{Audience, Kind, Notice};
use tests::TestApp;
use uuid::Uuid;

use super::{id_of, told, unread};

#[actix_web::test]
async fn somebody_reads_what_they_were_told_page_by_page() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let me = id_of(&dealer).await;
    for number in 0..5 {
        let data = json!({"name": format!("{number}.csv")});
        app.tell(&dealer, &me, Kind::ImportApplied, data).await;
    }

    let first = dealer.get("/me/notifications?limit=3").await.expect(200);
    let next = first.json["next"].as_str().unwrap();
    let path = format!("/me/notifications?limit=3&cursor={next}");
    let second = dealer.get(&path).await.expect(200);

    let titles: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page.json["data"].as_array().unwrap())
        .map(|row| row["title"].as_str().unwrap().to_owned())
        .collect();
    let expected = (0..5).rev();
    let expected = expected.map(|number| format!("A price file was applied: {number}.csv"));
    assert_eq!(titles, expected.collect::<Vec<_>>());
    assert!(second.json["next"].is_null());
    assert_eq!(first.json["data"][0]["kind"], "import.applied");
    assert_eq!(first.json["data"][0]["data"], json!({"name": "4.csv"}));
}

#[actix_web::test]
async fn what_was_read_stays_read_since_then() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let me = id_of(&dealer).await;
    for _ in 0..3 {
        app.tell(&dealer, &me, Kind::ExportReady, json!({})).await;
    }
    let id = told(&dealer, "").await[1]["id"].clone();
    let path = format!("/me/notifications/{}/read", id.as_str().unwrap());
    assert_eq!(unread(&dealer).await, 3);

    let read = dealer.post(&path, json!({})).await.expect(200);
    app.advance(time::Duration::minutes(1));
    let again = dealer.post(&path, json!({})).await.expect(200);

    assert!(read.json["read_at"].is_string());
    assert_eq!(read.json["read_at"], again.json["read_at"]);
    assert_eq!(unread(&dealer).await, 2);
    assert_eq!(told(&dealer, "?unread=true").await.len(), 2);
    let all = dealer.post("/me/notifications/read-all", json!({})).await;
    assert_eq!(all.expect(200).json, json!({"read": 2}));
    assert_eq!(unread(&dealer).await, 0);
    assert_eq!(told(&dealer, "").await.len(), 3);
}

#[actix_web::test]
async fn nobody_reads_what_a_colleague_or_a_neighbour_was_told() {
    let app = TestApp::start().await;
    let (dealer, other) = (app.dealer().await, app.dealer().await);
    let colleague = app.member(&dealer, "admin").await;
    let me = id_of(&dealer).await;
    app.tell(&dealer, &me, Kind::ExportReady, json!({})).await;
    let id = told(&dealer, "").await[0]["id"].clone();
    let path = format!("/me/notifications/{}/read", id.as_str().unwrap());
    let nobodys = format!("/me/notifications/{}/read", Uuid::now_v7());

    for stranger in [&colleague, &other.owner] {
        assert_eq!(told(stranger, "").await.len(), 0);
        assert_eq!(unread(stranger).await, 0);
        let met = stranger.post(&path, json!({})).await;
        let missed = stranger.post(&nobodys, json!({})).await;
        assert_eq!(
            (met.status.as_u16(), met.problem()),
            (404, "notification_not_found")
        );
        assert_eq!(missed.status, met.status);
        let all = stranger.post("/me/notifications/read-all", json!({})).await;
        assert_eq!(all.expect(200).json, json!({"read": 0}));
    }
    assert_eq!(unread(&dealer).await, 1);
}

#[actix_web::test]
async fn whoever_holds_a_permission_is_told_and_has_an_event_of_their_own() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    let (buyer, driver) = (
        app.member(&dealer, "buyer").await,
        app.member(&dealer, "driver").await,
    );
    // A role of the dealer's own, in place of a driver's.
    let grants = json!({"name": "Loader", "grants": [{"permission": "import.run"}]});
    let role = dealer.post("/roles", grants).await.expect(201).json["id"].clone();
    let loader = app.member(&dealer, "warehouse").await;
    let id = id_of(&loader).await;
    let path = format!("/members/{id}");
    dealer
        .patch(&path, 1, json!({"role_id": role}))
        .await
        .expect(200);
    let gone = app.member(&dealer, "admin").await;
    let id = id_of(&gone).await;
    let post = dealer.request(reqwest::Method::POST, &format!("/members/{id}/deactivate"));
    dealer.send(post.header("if-match", "*")).await.expect(200);

    let notice = Notice {
        audience: Audience::Holders("import.run"),
        kind: Kind::ImportApplied,
        data: json!({"rows": 12}),
    };
    app.tell_all(&dealer, notice).await;

    for (who, is_told) in [(&dealer.owner, 1), (&buyer, 1), (&loader, 1), (&driver, 0)] {
        assert_eq!(told(who, "").await.len(), is_told);
    }
    let events = format!(
        "SELECT array_agg(audience::text ORDER BY audience) FROM {schema}.event
         WHERE kind = 'notification.created' AND topic = 'notifications'"
    );
    let audience: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(events))
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    let mut expected = vec![
        id_of(&dealer).await,
        id_of(&buyer).await,
        id_of(&loader).await,
    ];
    expected.sort();
    assert_eq!(audience, expected);
}
