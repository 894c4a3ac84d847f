//! Keys that are nobody's, somebody else's, or used where and as often as they may not be.

use serde_json::json;
use server::auth::ApiKeyText;
use tests::TestApp;
use uuid::Uuid;

use super::{key, opens};

#[actix_web::test]
async fn a_key_with_any_letter_changed_lost_or_added_opens_nothing() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let made = key(&dealer, json!({})).await;
    let text = &made.text;
    let last = if text.ends_with('0') { '1' } else { '0' };
    let other_checksum = format!("{}{last}", &text[..text.len() - 1]);
    let other_case = text.replacen("tbx_live_", "TBX_LIVE_", 1);

    for broken in [
        text[..text.len() - 7].to_owned(),
        text[..text.len() - 1].to_owned(),
        format!("{text}0"),
        other_checksum,
        other_case,
    ] {
        let refused = dealer.with_token(&broken).get("/items").await;

        let got = (refused.status.as_u16(), refused.problem());
        assert_eq!(got, (401, "unauthenticated"), "{broken}");
    }
    assert!(opens(&made.machine).await);
}

#[actix_web::test]
async fn a_well_formed_key_that_was_made_up_opens_nothing() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let made = key(&dealer, json!({})).await;
    assert!(opens(&made.machine).await);

    for id in [made.id.parse().unwrap(), Uuid::now_v7()] {
        let made_up = ApiKeyText::generate(id).unwrap().into_wire();
        let refused = dealer.with_token(&made_up).get("/items").await;

        assert_eq!(refused.problem(), "unauthenticated", "{id}");
        assert!(!refused.text().contains(&id.to_string()));
    }
}

#[actix_web::test]
async fn a_neighbours_key_is_nobodys() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let theirs = key(&bolt, json!({})).await;

    let met = acme.with_token(&theirs.text).get("/items").await;
    let nobodys = ApiKeyText::generate(Uuid::now_v7()).unwrap().into_wire();
    let missed = acme.with_token(&nobodys).get("/items").await;

    for reply in [met, missed] {
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (401, "unauthenticated")
        );
    }
    assert!(opens(&theirs.machine).await);
}

#[actix_web::test]
async fn from_elsewhere_than_its_networks_it_opens_nothing() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let elsewhere = json!({"addresses": ["203.0.113.0/24", "2001:db8::/32"]});
    let elsewhere = key(&dealer, elsewhere).await;
    let here = key(&dealer, json!({"addresses": ["127.0.0.0/8", "::1/128"]})).await;

    assert!(!opens(&elsewhere.machine).await);
    assert!(opens(&here.machine).await);
    let forged = elsewhere
        .machine
        .request(reqwest::Method::GET, "/items")
        .header("x-forwarded-for", "203.0.113.7");
    let forged = elsewhere.machine.send(forged).await;
    assert_eq!(forged.problem(), "unauthenticated");
}

#[actix_web::test]
async fn beyond_its_own_rate_it_has_to_wait_and_its_maker_has_not() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let slow = key(&dealer, json!({"per_minute": 2})).await;

    let mut replies = Vec::new();
    for _ in 0..4 {
        replies.push(slow.machine.get("/items").await);
    }

    let limited = replies.iter().find(|reply| reply.status == 429);
    let limited = limited.expect("four requests are more than two");
    assert_eq!(limited.problem(), "rate_limited");
    assert!(limited.header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(replies[0].status, 200);
    assert!(opens(&dealer).await);
}
