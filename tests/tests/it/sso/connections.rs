//! Identity providers and their domains, as an admin sees them.

use serde_json::json;
use time::Duration;

use super::{ADA, World, assert_problem};

#[actix_web::test]
async fn a_connection_is_read_changed_and_removed_and_its_secret_never_told() {
    let world = World::start().await;
    let path = format!("/sso-connections/{}", world.connection);
    let acme = &world.acme;

    let read = acme.get(&path).await.expect(200);
    let version = read.json["version"].as_i64().unwrap();
    let changed = json!({ "name": "Main", "default_role": "sales" });
    let changed = acme.patch(&path, version, changed).await.expect(200);
    let stale = acme.patch(&path, version, json!({ "name": "Late" })).await;
    let listed = acme.get("/sso-connections").await.expect(200);
    let twin = json!({
        "name": "Main", "issuer": "https://login.example", "client_id": "tubex",
        "client_secret": "a secret", "default_role": "viewer",
    });
    let twin = acme.post("/sso-connections", twin).await;

    assert_eq!(read.json["redirect_uri"], super::CALLBACK);
    assert_eq!(read.json["domains"][0]["domain"], "acme.example");
    assert_eq!(changed.json["default_role"], "sales");
    assert_problem(&stale, 412, "precondition_failed");
    assert_problem(&twin, 409, "sso_connection_name_taken");
    assert_eq!(listed.json["data"].as_array().unwrap().len(), 1);
    let schema = world.app.database.schema_of("acme").await;
    let stored = format!(
        "SELECT (SELECT string_agg(encode(sealed_client_secret, 'escape'), ' ')
                 FROM {schema}.sso_connection)
             || (SELECT string_agg(content::text, ' ') FROM {schema}.audit_record)"
    );
    let stored: String = sqlx::query_scalar(sqlx::AssertSqlSafe(stored))
        .fetch_one(&mut world.app.database.connect().await)
        .await
        .unwrap();
    for text in [read.text(), changed.text(), listed.text(), stored] {
        assert!(!text.contains(&world.client.secret), "{text}");
    }
    acme.delete(&path).await.expect(204);
    acme.get(&path).await.expect(404);
    assert_eq!(world.count("sso_domain", "true").await, 0);
}

#[actix_web::test]
async fn rules_of_a_connection() {
    let world = World::start().await;
    let make = async |field: &str, value: &str| {
        let mut body = json!({
            "name": "Other", "issuer": "https://login.example", "client_id": "tubex",
            "client_secret": "a secret", "default_role": "viewer",
        });
        body[field] = value.into();
        world.acme.post("/sso-connections", body).await
    };

    for (field, value) in [
        ("name", " "),
        ("issuer", "login"),
        ("client_id", ""),
        ("client_secret", ""),
        ("default_role", "owner"),
        ("default_role", "king"),
    ] {
        let reply = make(field, value).await;
        assert_problem(&reply, 422, "fields_invalid");
        let pointer = format!("/{field}");
        assert_eq!(
            reply.json["errors"][0]["pointer"],
            pointer,
            "{}",
            reply.text()
        );
    }
}

#[actix_web::test]
async fn a_domain_is_proven_by_dns_and_belongs_to_one_connection() {
    let world = World::start().await;
    let domains = format!("/sso-connections/{}/domains", world.connection);
    let claim = json!({ "domain": "Other.Example" });
    let acme = &world.acme;

    let claimed = acme.post(&domains, claim.clone()).await.expect(200);
    let again = acme.post(&domains, claim.clone()).await.expect(200);
    let verify = format!("{domains}/other.example/verify");
    let unproven = acme.post(&verify, json!({})).await;
    let unclaimed = format!("{domains}/unclaimed.example/verify");
    let unclaimed = acme.post(&unclaimed, json!({})).await;
    world.zone.show(&claimed.json);
    let proven = acme.post(&verify, json!({})).await.expect(200);
    let second = json!({ "name": "Second" });
    let second = world.connect(second).await;
    let taken = format!("/sso-connections/{second}/domains");
    let taken = acme.post(&taken, claim).await;

    assert_eq!(claimed.json, again.json);
    assert_eq!(claimed.json["domain"], "other.example");
    assert_eq!(claimed.json["record_name"], "_tubex-sso.other.example");
    assert_problem(&unproven, 409, "domain_not_proven");
    assert_problem(&unclaimed, 404, "sso_domain_not_found");
    assert!(proven.json["verified_at"].is_string());
    assert_problem(&taken, 409, "sso_domain_taken");
    let bad = acme.post(&domains, json!({ "domain": "no domain" })).await;
    assert_problem(&bad, 422, "fields_invalid");
}

#[actix_web::test]
async fn with_another_issuer_nobody_is_who_they_were() {
    let world = World::start().await;
    world.sign_in(ADA).await.expect(200);
    assert_eq!(world.count("sso_identity", "true").await, 1);

    let other = json!({ "issuer": "https://login.example" });
    world.change(other).await.expect(200);

    assert_eq!(world.count("sso_identity", "true").await, 0);
}

#[actix_web::test]
async fn providers_are_for_admins_who_have_proven_lately_who_they_are() {
    let world = World::start_with(&[("TUBEX_AUTH__PROOF_MINUTES", "5")], json!({})).await;
    let path = format!("/sso-connections/{}", world.connection);
    let (admin, sales) = (
        world.app.member(&world.acme, "admin").await,
        world.app.member(&world.acme, "sales").await,
    );

    let by_sales = sales.get(&path).await;
    admin.get(&path).await.expect(200);
    world.app.advance(Duration::minutes(6));
    let late = admin.get(&path).await;

    assert_problem(&by_sales, 403, "permission_denied");
    assert_problem(&late, 403, "proof_required");
}
