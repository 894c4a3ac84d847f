//! A worker that is killed while it delivers: nothing is lost, all of it under the ids it had.

use std::collections::BTreeSet;

use serde_json::json;
use tests::{Scratch, ServerProcess, eventually};

use super::{KEYS, Reaction, Receiver, deliveries, endpoint, id_of};

#[actix_web::test]
async fn a_worker_that_is_killed_in_mid_delivery_loses_nothing_and_tells_no_secret() {
    let database = Scratch::with_dealers().await;
    let receiver = Receiver::start().await;
    let keys = [
        KEYS.as_slice(),
        &[
            ("TUBEX_JOBS__LEASE_MS", "1000"),
            ("TUBEX_WEBHOOKS__TIMEOUT_MS", "20000"),
            ("TUBEX_LOG__FILTER", "debug,hyper=trace,reqwest=trace"),
        ],
    ]
    .concat();
    let mut server = ServerProcess::start(&database, &keys, "whsec_").await;
    let dealer = server.stranger("acme.localhost");
    let signed_in = dealer
        .sign_in("owner@acme.example", "a fine password for tests")
        .await;
    let token = signed_in.expect(200).json["access_token"].clone();
    let dealer = dealer.with_token(token.as_str().unwrap());
    receiver.reacts("/hook", Reaction::Hang);
    let made = endpoint(&dealer, &receiver.url("/hook"), &["item.created"]).await;

    for round in 0..3 {
        dealer.item(&format!("BRK-{round}"), json!({})).await;
        eventually("it is under way", async || {
            let ids: BTreeSet<_> = ids(&receiver);
            ids.len() > round
        })
        .await;
        server.kill();
        server.start_again().await;
    }
    receiver.reacts("/hook", Reaction::Status(200));
    server.kill();
    server.start_again().await;

    eventually("all are delivered", async || {
        let all = deliveries(&dealer, id_of(&made)).await;
        all.len() == 3 && all.iter().all(|it| it["state"] == "delivered")
    })
    .await;
    let told: BTreeSet<_> = deliveries(&dealer, id_of(&made))
        .await
        .iter()
        .map(|it| it["message_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids(&receiver), told);
    assert_eq!(server.breaches(), Vec::<String>::new());
}

/// The ids of all that arrived.
fn ids(receiver: &Receiver) -> BTreeSet<String> {
    let got = receiver.got("/hook");
    got.iter().map(|it| it.id().to_owned()).collect()
}
