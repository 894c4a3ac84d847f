//! Tenants through the operators' API: the same as through `tubex`, and on record.

use serde_json::{Value, json};
use tests::{Actor, eventually};

use super::{app, command, operator};

/// The newest line of a tenant's history.
async fn newest_event(who: &Actor, tenant: &str) -> Value {
    let path = format!("/platform/v1/tenants/{tenant}/events?limit=1");
    who.get(&path).await.expect(200).json["data"][0].clone()
}

async fn id_of(who: &Actor) -> String {
    let me = who.get("/platform/v1/me").await.expect(200);
    me.json["id"].as_str().unwrap().to_owned()
}

/// Makes a tenant of this test's own.
async fn create(who: &Actor, fields: Value) -> tests::Reply {
    let slug = format!("p{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
    let mut body = json!({
        "slug": slug, "name": "New Dealer", "owner": { "email": "owner@new.example" },
    });
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    who.post("/platform/v1/tenants", body).await
}

#[actix_web::test]
async fn what_operators_read_is_what_tubex_shows() {
    let app = app().await;
    let viewer = operator(&app, "viewer").await;

    for (path, arguments) in [
        ("/platform/v1/tenants", &["tenant", "list"][..]),
        (
            "/platform/v1/tenants?limit=2",
            &["tenant", "list", "--limit", "2"],
        ),
        (
            "/platform/v1/tenants?after=acme&status=active",
            &["tenant", "list", "--after", "acme", "--status", "active"],
        ),
        ("/platform/v1/tenants/bolt", &["tenant", "show", "bolt"]),
        ("/platform/v1/status", &["status"]),
        ("/platform/v1/lanes", &["lane", "list"]),
        ("/platform/v1/nodes", &["node", "list"]),
        ("/platform/v1/plans", &["plan", "list"]),
        (
            "/platform/v1/tenants/bolt/domains",
            &["domain", "list", "bolt"],
        ),
    ] {
        let here = viewer.get(path).await.expect(200).json;
        let (_, there) = command(&app, arguments).await;

        assert_eq!(here, there, "{path}");
    }
}

#[actix_web::test]
async fn an_admin_makes_a_tenant_whose_owner_can_sign_in() {
    let app = app().await;
    let admin = operator(&app, "admin").await;
    let fields = json!({ "owner": { "email": "Owner@New.Example", "name": "Olga" }, "seeds": ["demo"], "currency": "CHF" });

    let made = create(&admin, fields).await.expect(201);

    let (slug, id) = (
        made.json["slug"].as_str().unwrap(),
        made.json["id"].as_str().unwrap(),
    );
    assert_eq!(
        made.header("location"),
        format!("/platform/v1/tenants/{id}")
    );
    assert_eq!(made.json["status"], "active");
    let shown = admin.get(made.header("location")).await.expect(200);
    assert_eq!(shown.json["slug"], slug);
    // Where messages are sent nobody else is told.
    assert_eq!(made.json["owner_invitation_token"], Value::Null);
    let token = app.token_for("owner@new.example", 1).await;
    assert!(!shown.text().contains(&token));
    let event = newest_event(&admin, slug).await;
    assert_eq!(event["kind"], "created");
    assert_eq!(event["actor"], format!("operator/{}", id_of(&admin).await));
    let host = format!("{slug}.localhost");
    let acceptance = json!({ "token": token, "password": "seldom gravel heron 4" });
    eventually("the owner accepts", async || {
        let stranger = app.stranger(&host);
        let accepted = stranger.post("/auth/accept-invitation", acceptance.clone());
        accepted.await.status == 200
    })
    .await;
}

#[actix_web::test]
async fn what_is_wrong_with_a_new_tenant_is_told_field_by_field() {
    let app = app().await;
    let admin = operator(&app, "admin").await;

    for (fields, pointer) in [
        (json!({"slug": "Not a slug"}), "/slug"),
        (json!({"slug": "admin"}), "/slug"),
        (json!({"name": " "}), "/name"),
        (json!({"owner": {"email": "nobody"}}), "/owner/email"),
        (
            json!({"owner": {"email": "a@b.example", "name": "a\nb"}}),
            "/owner/name",
        ),
        (json!({"currency": "euro"}), "/currency"),
        (json!({"seeds": ["unknown"]}), "/seeds"),
        (json!({"plan": "Not A Label"}), "/plan"),
        (json!({"surprise": 1}), "/surprise"),
    ] {
        let reply = create(&admin, fields.clone()).await.expect(422);
        assert_eq!(
            reply.json["errors"][0]["pointer"],
            pointer,
            "{fields} {}",
            reply.text()
        );
    }
    for (fields, status, code) in [
        (json!({"slug": "acme"}), 409, "slug_taken"),
        (json!({"plan": "no-such-plan"}), 404, "plan_not_found"),
        (json!({"node": "no-such-node"}), 404, "node_not_found"),
        (json!({"lane": "no-such-lane"}), 404, "lane_not_found"),
    ] {
        let reply = create(&admin, fields).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (status, code),
            "{}",
            reply.text()
        );
    }
}

#[actix_web::test]
async fn support_suspends_and_resumes_and_it_stands_in_the_history() {
    let app = app().await;
    let dealer = app.dealer().await;
    let support = operator(&app, "support").await;
    let tenant = format!("/platform/v1/tenants/{}", dealer.slug);
    let post =
        async |verb: &str, body: Value| support.post(&format!("{tenant}/{verb}"), body).await;

    let suspended = post("suspend", json!({"reason": "unpaid"}))
        .await
        .expect(200);

    assert_eq!(suspended.json["status"], "suspended");
    eventually("the dealer is off", async || {
        dealer.get("/items").await.problem() == "tenant_suspended"
    })
    .await;
    let event = newest_event(&support, &dealer.slug).await;
    assert_eq!(
        (&event["kind"], &event["detail"]["reason"]),
        (&json!("suspended"), &json!("unpaid"))
    );
    assert_eq!(
        event["actor"],
        format!("operator/{}", id_of(&support).await)
    );
    let again = post("suspend", json!({"reason": "twice"})).await;
    assert_eq!(
        (again.status.as_u16(), again.problem()),
        (409, "tenant_status_wrong")
    );
    let wordless = post("suspend", json!({"reason": " "})).await.expect(422);
    assert_eq!(wordless.json["errors"][0]["pointer"], "/reason");
    let resumed = post("resume", json!({})).await.expect(200);
    assert_eq!(resumed.json["status"], "active");
    let nobody = support
        .post("/platform/v1/tenants/nobody/resume", json!({}))
        .await;
    assert_eq!(
        (nobody.status.as_u16(), nobody.problem()),
        (404, "tenant_not_found")
    );
}

#[actix_web::test]
async fn a_tenant_changes_its_plan_and_its_lane() {
    let app = app().await;
    let admin = operator(&app, "admin").await;
    command(&app, &["plan", "set", "gold", "--concurrency", "7"]).await;
    let made = create(&admin, json!({"plan": "gold"})).await.expect(201);
    let at = made.header("location").to_owned();
    let post = async |verb: &str, body: Value| admin.post(&format!("{at}/{verb}"), body).await;

    let without = post("plan", json!({"plan": null})).await.expect(200);
    assert_eq!(without.json["plan"], Value::Null);
    post("plan", json!({})).await.expect(422);
    let unknown = post("plan", json!({"plan": "silver"})).await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.problem()),
        (404, "plan_not_found")
    );

    let moved = post("lane", json!({"dedicated": true})).await.expect(200);
    assert_eq!(moved.json["from"], made.json["lane"]);
    let shown = admin.get(&at).await.expect(200);
    assert_eq!(shown.json["lane"], moved.json["to"]);
    post("lane", json!({"dedicated": true, "lane": "x"}))
        .await
        .expect(422);
    let back = post("lane", json!({"lane": made.json["lane"]}))
        .await
        .expect(200);
    assert_eq!(back.json["dropped"], moved.json["to"]);
}

#[actix_web::test]
async fn a_domain_is_claimed_and_forgotten() {
    let app = app().await;
    let admin = operator(&app, "admin").await;
    let domains = "/platform/v1/tenants/acme/domains";
    let domain = "shop.acme.example";

    let claimed = admin
        .post(domains, json!({"domain": domain}))
        .await
        .expect(200);

    assert_eq!(
        claimed.json["record"]["name"],
        format!("_tubex-challenge.{domain}")
    );
    assert_eq!(claimed.json["verified_at"], Value::Null);
    let listed = admin.get(domains).await.expect(200);
    assert_eq!(listed.json["data"], json!([claimed.json]));
    admin
        .post(domains, json!({"domain": "no domain"}))
        .await
        .expect(422);
    admin
        .delete(&format!("{domains}/{domain}"))
        .await
        .expect(204);
    let gone = admin.delete(&format!("{domains}/{domain}")).await;
    assert_eq!(
        (gone.status.as_u16(), gone.problem()),
        (404, "domain_not_claimed")
    );
}

#[actix_web::test]
async fn a_history_is_read_page_by_page() {
    let app = app().await;
    let admin = operator(&app, "admin").await;
    for verb in ["suspend", "resume", "suspend", "resume"] {
        let path = format!("/platform/v1/tenants/core/{verb}");
        let body = if verb == "suspend" {
            json!({"reason": "x"})
        } else {
            json!({})
        };
        admin.post(&path, body).await.expect(200);
    }
    let all = admin
        .get("/platform/v1/tenants/core/events")
        .await
        .expect(200)
        .json;

    let mut kinds = Vec::new();
    let mut path = "/platform/v1/tenants/core/events?limit=2".to_owned();
    loop {
        let page = admin.get(&path).await.expect(200).json;
        kinds.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/platform/v1/tenants/core/events?limit=2&before={next}");
    }

    assert_eq!(json!(kinds), all["data"]);
    assert_eq!(kinds[0]["kind"], "resumed");
    assert!(kinds.len() > 4);
}

#[actix_web::test]
async fn queries_that_make_no_sense_are_refused() {
    let app = app().await;
    let viewer = operator(&app, "viewer").await;

    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "status=unheard-of",
        "sort=slug",
    ] {
        let reply = viewer.get(&format!("/platform/v1/tenants?{query}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (400, "query_invalid"),
            "{query}"
        );
    }
}

#[actix_web::test]
async fn a_tenant_is_tagged_held_renamed_and_closed() {
    let app = app().await;
    let admin = operator(&app, "admin").await;
    let made = create(&admin, json!({})).await.expect(201);
    let at = made.header("location").to_owned();
    let post = async |verb: &str, body: Value| admin.post(&format!("{at}/{verb}"), body).await;

    let tagged = post("tags", json!({"add": ["pilot", "big"]}))
        .await
        .expect(200);
    assert_eq!(tagged.json["tags"], json!(["big", "pilot"]));
    let listed = admin
        .get("/platform/v1/tenants?tag=pilot")
        .await
        .expect(200);
    assert_eq!(listed.json["data"], json!([tagged.json]));
    let refused = post("tags", json!({"add": ["Not A Word"]}))
        .await
        .expect(422);
    assert_eq!(refused.json["errors"][0]["pointer"], "/add/0");
    let held = post("hold", json!({"reason": "case 17"})).await.expect(200);
    assert_eq!(held.json["legal_hold"], "case 17");
    let released = post("release", json!({})).await.expect(200);
    assert_eq!(released.json["legal_hold"], Value::Null);
    let taken = post("rename", json!({"slug": "acme"})).await;
    assert_eq!(
        (taken.status.as_u16(), taken.problem()),
        (409, "slug_taken")
    );
    let slug = format!("r{}", made.json["slug"].as_str().unwrap());
    let renamed = post("rename", json!({"slug": slug})).await.expect(200);
    assert_eq!(renamed.json["slug"], slug);
    let closed = post("close", json!({"reason": "moved away"}))
        .await
        .expect(200);
    assert_eq!(closed.json["status"], "closing");
    let reopened = post("reopen", json!({})).await.expect(200);
    assert_eq!(reopened.json["status"], "active");
    let exports = admin.get(&format!("{at}/exports")).await.expect(200);
    assert_eq!(exports.json["data"], json!([]));
}

#[actix_web::test]
async fn support_copies_a_tenant_without_its_people_and_an_admin_with_them() {
    let app = app().await;
    let support = operator(&app, "support").await;
    let admin = operator(&app, "admin").await;
    let path = "/platform/v1/tenants/acme/clone";
    let slug = || format!("c{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);

    let copy = support
        .post(path, json!({"slug": slug()}))
        .await
        .expect(201);
    let refused = support
        .post(path, json!({"slug": slug(), "with_people": true}))
        .await;
    let whole = admin
        .post(path, json!({"slug": slug(), "with_people": true}))
        .await
        .expect(201);

    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (403, "permission_denied")
    );
    let known = async |reply: &tests::Reply| {
        let schema = reply.json["schema_name"].as_str().unwrap();
        let count =
            format!("SELECT count(*) FROM {schema}.member WHERE email = 'owner@acme.example'");
        sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(count))
            .fetch_one(&mut app.database.connect().await)
            .await
            .unwrap()
    };
    assert_eq!((known(&copy).await, known(&whole).await), (0, 1));
}
