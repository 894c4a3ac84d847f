//! One person at several dealers, with a membership at each and one address.

use serde_json::{Value, json};
use tests::{Actor, Dealer, TestApp, eventually};
use time::Duration;

use super::{STRONG, STRONGER, accept, beside, id_of, invite, me, refused, signed_in};

const OLGA: &str = "olga@team.example";

/// Olga at two dealers, with a password of its own at each.
struct Two {
    app: TestApp,
    here: Dealer,
    there: Dealer,
    /// At the first.
    olga: Actor,
}

async fn two() -> Two {
    let app = TestApp::start().await;
    let (here, there) = (app.new_dealer().await, app.new_dealer().await);
    for (dealer, role, password) in [(&here, "sales", STRONG), (&there, "admin", STRONGER)] {
        let written = app.mails_to(OLGA).len();
        invite(dealer, OLGA, role).await.expect(201);
        let token = app.token_for(OLGA, written + 1).await;
        accept(dealer, &token, password).await.expect(200);
    }
    let reply = here.signed_out().sign_in(OLGA, STRONG).await.expect(200);
    let olga = signed_in(&here, &reply);
    eventually("both dealers are remembered", async || {
        dealers(&olga).await.len() == 2
    })
    .await;
    Two {
        app,
        here,
        there,
        olga,
    }
}

async fn dealers(who: &Actor) -> Vec<Value> {
    let list = who.get("/me/dealers").await.expect(200).json;
    list["data"].as_array().unwrap().clone()
}

async fn tenant_of(who: &Actor) -> Value {
    me(who).await["dealer"]["id"].clone()
}

impl Two {
    async fn leave(&self) -> tests::Reply {
        let to = json!({"tenant_id": tenant_of(&self.there).await});
        self.olga.post("/auth/switch", to).await
    }

    async fn arrive(&self, ticket: &Value) -> tests::Reply {
        let anybody = self.there.signed_out();
        let body = json!({ "ticket": ticket });
        anybody.post("/auth/switch/redeem", body).await
    }
}

#[actix_web::test]
async fn a_person_goes_from_one_dealer_to_another_without_signing_in() {
    let two = two().await;

    let listed = dealers(&two.olga).await;
    let left = two.leave().await.expect(200);
    let ticket = &left.json["ticket"];
    let arrived = two.arrive(ticket).await.expect(200);
    let olga = signed_in(&two.there, &arrived);

    let slugs: Vec<_> = listed.iter().map(|one| one["slug"].clone()).collect();
    assert!(slugs.contains(&two.here.slug.as_str().into()), "{slugs:?}");
    assert!(slugs.contains(&two.there.slug.as_str().into()), "{slugs:?}");
    let here = listed.iter().filter(|one| one["is_here"] == true);
    assert_eq!(here.count(), 1);
    let url = format!("http://{}.localhost", two.there.slug);
    assert_eq!(left.json["url"], url);
    let there = me(&olga).await;
    assert_eq!(
        (&there["email"], &there["role"]),
        (&OLGA.into(), &"admin".into())
    );
    assert_eq!(there["dealer"]["slug"], two.there.slug);
    // The first session goes on, and what she may there is none of this dealer's business.
    assert_eq!(me(&two.olga).await["role"], "sales");
}

#[actix_web::test]
async fn a_ticket_works_once_for_half_a_minute_and_where_it_leads() {
    let two = two().await;

    let ticket = two.leave().await.expect(200).json["ticket"].clone();
    let body = json!({ "ticket": ticket });
    let elsewhere = two.here.signed_out();
    let elsewhere = elsewhere.post("/auth/switch/redeem", body).await;
    refused(&elsewhere, 400, "link_invalid");
    let (one, other) = tokio::join!(two.arrive(&ticket), two.arrive(&ticket));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);

    let ticket = two.leave().await.expect(200).json["ticket"].clone();
    two.app.advance(Duration::seconds(31));
    refused(&two.arrive(&ticket).await, 400, "link_invalid");
}

#[actix_web::test]
async fn an_address_that_either_dealer_has_not_seen_proven_leads_nowhere() {
    let two = two().await;
    let unproven = "UPDATE {schema}.member SET email_verified_at = NULL WHERE role <> 'owner'";

    beside(&two.app, &two.there, unproven).await;
    refused(&two.leave().await, 404, "membership_not_found");
    assert_eq!(dealers(&two.olga).await.len(), 1);
    let proven = "UPDATE {schema}.member SET email_verified_at = now() WHERE role <> 'owner'";
    beside(&two.app, &two.there, proven).await;
    two.leave().await.expect(200);
    beside(&two.app, &two.here, unproven).await;
    refused(&two.leave().await, 404, "membership_not_found");
}

#[actix_web::test]
async fn who_is_no_member_there_is_told_as_much_as_of_a_dealer_that_is_not_there() {
    let two = two().await;
    let other = two.app.new_dealer().await;
    let to = async |id: Value| {
        let body = json!({ "tenant_id": id });
        two.olga.post("/auth/switch", body).await
    };

    let nobody = to(json!("01890000-0000-7000-8000-000000000000")).await;
    let theirs = to(tenant_of(&other).await).await;
    let olga = two.there.get("/members?limit=200").await.expect(200).json;
    let mut olga = olga["data"].as_array().unwrap().iter();
    let olga = olga.find(|row| row["email"] == OLGA).unwrap()["id"].clone();
    let path = format!("/members/{}/deactivate", olga.as_str().unwrap());
    two.there.post(&path, json!({})).await.expect(200);
    let out = two.leave().await;

    for reply in [&nobody, &theirs, &out] {
        refused(reply, 404, "membership_not_found");
        assert_eq!(reply.json["detail"], nobody.json["detail"]);
    }
}

#[actix_web::test]
async fn a_dealer_that_wants_more_than_a_password_is_not_entered_by_a_switch() {
    let two = two().await;
    let ticket = two.leave().await.expect(200).json["ticket"].clone();
    let factor = "INSERT INTO {schema}.totp_credential
             (member_id, sealed_secret, created_at, confirmed_at)
         SELECT id, '', now(), now() FROM {schema}.member WHERE role = 'admin'";
    beside(&two.app, &two.there, factor).await;

    refused(&two.leave().await, 403, "switch_refused");
    // Nor by a ticket from before.
    refused(&two.arrive(&ticket).await, 403, "switch_refused");

    let provider = "DELETE FROM {schema}.totp_credential;
         INSERT INTO {schema}.sso_connection (id, name, issuer, client_id, sealed_client_secret,
             default_role, is_enforced, created_at, updated_at)
         VALUES ('01890000-0000-7000-8000-00000000000f', 'Theirs', 'https://id.example', 'c', '',
             'viewer', true, now(), now());
         INSERT INTO {schema}.sso_domain (domain, connection_id, challenge, verified_at, created_at)
         VALUES ('team.example', '01890000-0000-7000-8000-00000000000f', '', now(), now())";
    beside(&two.app, &two.there, provider).await;
    refused(&two.leave().await, 403, "switch_refused");
}

#[actix_web::test]
async fn a_session_that_was_begun_by_a_switch_leads_no_further_and_proves_nothing() {
    let two = two().await;
    let ticket = two.leave().await.expect(200).json["ticket"].clone();
    let arrived = two.arrive(&ticket).await.expect(200);
    let olga = signed_in(&two.there, &arrived);

    let back = json!({"tenant_id": tenant_of(&two.here).await});
    let back = olga.post("/auth/switch", back).await;

    refused(&back, 403, "switch_refused");
    let schema = two.app.database.schema_of(&two.there.slug).await;
    let proven = format!(
        "SELECT proven_at < now() - interval '1 year' FROM {schema}.session
         WHERE method = 'switch' AND member_id = '{}'",
        id_of(&olga).await
    );
    let is_old: bool = sqlx::query_scalar(sqlx::AssertSqlSafe(proven))
        .fetch_one(&mut two.app.database.connect().await)
        .await
        .unwrap();
    assert!(is_old, "what was proven elsewhere is not proven here");
}
