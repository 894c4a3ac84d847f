//! What operators do to a tenant is seen by the tenant's own people.

use serde_json::{Value, json};
use tests::{Actor, Dealer, TestApp};

use super::{id_of, records};
use crate::platform::{app, operator};

async fn by_operators(app: &TestApp, dealer: &Dealer) -> Vec<Value> {
    let mut all = records(app, dealer).await;
    all.retain(|record| record["actor"]["kind"] == "operator");
    all
}

async fn platform_id(who: &Actor) -> String {
    let me = who.get("/platform/v1/me").await.expect(200);
    me.json["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn whatever_operators_do_to_a_tenant_stands_in_its_own_trail() {
    let app = app().await;
    let acme = app.dealer().await;
    let admin = operator(&app, "admin").await;
    let reason = json!({"reason": "unpaid since May"});
    let deeds = [
        ("suspend", reason.clone(), "tenant.suspend"),
        ("resume", json!({}), "tenant.resume"),
        ("hold", json!({"reason": "case 17/26"}), "tenant.hold"),
        ("release", json!({}), "tenant.release"),
        ("tags", json!({"add": ["pilot"]}), "tenant.tag"),
        ("plan", json!({"plan": null}), "tenant.change_plan"),
        (
            "domains",
            json!({"domain": "shop.acme.example"}),
            "domain.claim",
        ),
        ("close", reason, "tenant.close"),
        ("reopen", json!({}), "tenant.reopen"),
        ("rename", json!({"slug": "acme-renamed"}), "tenant.rename"),
    ];

    for (path, body, action) in deeds {
        let path = format!("/platform/v1/tenants/acme/{path}");
        let done = admin.post(&path, body).await;

        assert_eq!(done.status, 200, "{path}: {}", done.text());
        let name = if action == "tenant.rename" {
            "acme-renamed"
        } else {
            "acme"
        };
        let dealer = Dealer {
            slug: name.to_owned(),
            ..acme.clone()
        };
        let all = by_operators(&app, &dealer).await;
        let of_it: Vec<_> = all
            .iter()
            .filter(|it| it["request_id"] == done.header("x-request-id"))
            .collect();
        assert_eq!(of_it.len(), 1, "{action}: {all:#?}");
        assert_eq!(of_it[0]["action"], action);
        assert_eq!(of_it[0]["actor"]["id"], platform_id(&admin).await);
        assert_eq!(of_it[0]["target"]["kind"], "tenant");
    }
}

#[actix_web::test]
async fn the_tenants_people_see_it() {
    let app = app().await;
    let acme = app.dealer().await;
    let support = operator(&app, "support").await;
    let reason = json!({"reason": "unpaid since May"});

    support
        .post("/platform/v1/tenants/acme/suspend", reason)
        .await
        .expect(200);
    support
        .post("/platform/v1/tenants/acme/resume", json!({}))
        .await
        .expect(200);

    tests::eventually("the tenant is back", async || {
        acme.get("/me").await.status == 200
    })
    .await;
    let seen = acme
        .get("/audit-records?actor_kind=operator")
        .await
        .expect(200)
        .json;
    let rows = seen["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["action"], "tenant.resume");
    assert_eq!(rows[1]["after"]["reason"], "unpaid since May");
    assert_ne!(rows[0]["actor"]["id"], id_of(&acme).await);
}

#[actix_web::test]
async fn what_failed_is_recorded_as_failed_and_a_neighbour_hears_nothing() {
    let app = app().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let support = operator(&app, "support").await;

    support
        .post("/platform/v1/tenants/acme/resume", json!({}))
        .await
        .expect(409);

    let all = by_operators(&app, &acme).await;
    let actions: Vec<_> = all.iter().map(|record| record["action"].clone()).collect();
    assert_eq!(actions, ["tenant.resume", "tenant.fail"]);
    assert_eq!(all[1]["after"]["action"], "tenant.resume");
    assert!(by_operators(&app, &bolt).await.is_empty());
}

#[actix_web::test]
async fn a_copy_is_on_record_where_it_came_from_and_does_not_inherit_that_trail() {
    let app = app().await;
    let acme = app.dealer().await;
    let support = operator(&app, "support").await;

    let clone = json!({"slug": "acme-copy"});
    support
        .post("/platform/v1/tenants/acme/clone", clone)
        .await
        .expect(201);

    let there = by_operators(&app, &acme).await;
    assert_eq!(there.last().unwrap()["action"], "tenant.clone");
    assert_eq!(there.last().unwrap()["after"]["to"], "acme-copy");
    let copy = Dealer {
        slug: "acme-copy".to_owned(),
        ..acme.clone()
    };
    let here = records(&app, &copy).await;
    let begins = |record: &Value| record["action"] == "tenant.create";
    assert!(here.len() == 1 && here.iter().all(begins), "{here:#?}");
}
