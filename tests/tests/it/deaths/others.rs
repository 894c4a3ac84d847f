//! Exports, deliveries and messages whose job has died.

use serde_json::{Value, json};
use tests::{TestApp, eventually};

use super::{all_is_quiet, events, let_it_be_lost, let_it_be_refused, notices, pause, retry};
use crate::webhooks::{self, Receiver, endpoint, id_of, once_it_is};

#[actix_web::test]
async fn an_export_whose_job_dies_has_failed_and_who_asked_for_it_is_told() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    pause(&app, "export.write").await;
    let body = json!({"kind": "items", "format": "csv"});
    let asked = dealer.post("/exports", body).await.expect(202).json;
    let path = format!("/exports/{}", asked["id"].as_str().unwrap());

    let_it_be_lost(&app, "export.write").await;

    eventually("it has failed", async || {
        dealer.get(&path).await.expect(200).json["state"] == "failed"
    })
    .await;
    let failed = dealer.get(&path).await.expect(200).json;
    assert_eq!(
        failed["error"],
        "the server could not write it: ask for another"
    );
    let of_it = json!({"id": asked["id"]});
    assert_eq!(
        events(&app, &dealer, "export.failed").await,
        std::slice::from_ref(&of_it)
    );
    assert_eq!(notices(&dealer, "export.failed").await, [of_it]);
    assert_eq!(
        events(&app, &dealer, "job.dead").await[0]["kind"],
        "export.write"
    );

    // The dead letter finds an export that is over, and is over itself.
    retry(&app, &dealer, "export.write").await;
    all_is_quiet(&app).await;
    assert_eq!(dealer.get(&path).await.expect(200).json["state"], "failed");
}

#[actix_web::test]
async fn a_delivery_whose_job_dies_has_failed_and_goes_on_when_that_is_tried_again() {
    let app = webhooks::start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let made = endpoint(&dealer, &receiver.url("/hook"), &["item.created"]).await;
    pause(&app, "webhook.deliver").await;
    dealer.item("BRK-1", json!({})).await;

    let_it_be_refused(&app, "webhook.deliver").await;

    let failed = once_it_is(&dealer, id_of(&made), "failed").await;
    let attempt = &failed["attempts"][0];
    assert_eq!(
        (&attempt["error"], &attempt["status"]),
        (&json!("given_up"), &Value::Null)
    );
    assert!(receiver.got("/hook").is_empty());
    assert_eq!(events(&app, &dealer, "job.dead").await.len(), 1);

    retry(&app, &dealer, "webhook.deliver").await;
    let delivered = once_it_is(&dealer, id_of(&made), "delivered").await;
    assert_eq!(delivered["attempt_count"], 2);
    assert_eq!(
        receiver.got_all("/hook", 1).await[0].id(),
        delivered["message_id"]
    );
}

/// Else each death of a delivery would make another delivery, which dies of the same.
#[actix_web::test]
async fn endpoints_hear_of_deaths_but_not_of_those_of_what_they_are_sent() {
    let app = webhooks::start().await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let dies = endpoint(&dealer, &receiver.url("/items"), &["item.created"]).await;
    let all = endpoint(&dealer, &receiver.url("/deaths"), &["job.*"]).await;
    pause(&app, "webhook.deliver").await;
    dealer.item("BRK-1", json!({})).await;
    let_it_be_refused(&app, "webhook.deliver").await;
    once_it_is(&dealer, id_of(&dies), "failed").await;
    assert_eq!(
        webhooks::deliveries(&dealer, id_of(&all)).await,
        Vec::<Value>::new()
    );

    pause(&app, "export.write").await;
    let body = json!({"kind": "items", "format": "csv"});
    dealer.post("/exports", body).await.expect(202);
    let_it_be_refused(&app, "export.write").await;

    let told = receiver.got_all("/deaths", 1).await.remove(0).json();
    assert_eq!(told["type"], "job.dead");
    assert_eq!(told["data"]["kind"], "export.write");
}

#[actix_web::test]
async fn a_message_whose_job_dies_has_failed_and_leaves_when_that_is_tried_again() {
    let app = TestApp::start_working().await;
    let dealer = app.dealer().await;
    let schema = app.database.schema_of(&dealer.slug).await;
    pause(&app, "mail.send").await;
    let body = json!({"email": "olga@team.example", "role": "sales"});
    dealer.post("/invitations", body).await.expect(201);
    let status = async || {
        let sql = format!("SELECT status FROM {schema}.mail");
        let status = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(sql));
        status
            .fetch_one(&mut app.database.connect().await)
            .await
            .unwrap()
    };

    let_it_be_lost(&app, "mail.send").await;

    eventually("it has failed", async || status().await == "failed").await;
    assert!(app.mails_to("olga@team.example").is_empty());
    retry(&app, &dealer, "mail.send").await;
    eventually("it is sent", async || status().await == "sent").await;
    assert_eq!(app.mails_to("olga@team.example").len(), 1);
}
