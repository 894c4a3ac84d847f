//! Every route of the API's own document, walked by those who may not.

use reqwest::Method;
use serde_json::json;
use server::tenant::notifications::Kind;
use tests::{Actor, Dealer, Reply, TestApp};
use uuid::Uuid;

use super::comparable;
use crate::jobs::hand_over;
use crate::openapi::bodies::body_of;

/// Every walk is made twice: with all dealers in one database, and with each on a cluster of its
/// own and the platform on a third.
macro_rules! walks {
    ($($walk:ident,)+) => {
        mod in_one_database {
            $(#[actix_web::test]
            async fn $walk() {
                super::$walk(tests::TestApp::start().await).await;
            })+
        }

        mod on_three_clusters {
            $(#[actix_web::test]
            async fn $walk() {
                let database = tests::Scratch::across_nodes().await;
                super::$walk(tests::TestApp::start_on(database, &[]).await).await;
            })+
        }
    };
}

walks! {
    a_neighbours_id_is_answered_like_one_that_nobody_has,
    a_neighbours_id_within_a_body_or_query_is_answered_like_one_that_nobody_has,
    a_neighbours_token_opens_no_route_and_is_put_on_record,
    a_stranger_is_asked_for_a_token_on_every_route,
    a_neighbours_refresh_token_is_nobodys,
}

/// A route as the document names it.
struct Route {
    method: Method,
    path: String,
    operation_id: String,
    is_secured: bool,
    has_body: bool,
}

async fn a_neighbours_id_is_answered_like_one_that_nobody_has(app: TestApp) {
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let theirs = Belongings::of(&app, &bolt).await;
    let mut walked = 0;

    for route in routes(&acme).await {
        let Some(name) = theirs.id_for(&route.path) else {
            assert!(!route.path.contains('{'), "{}: not walked", route.path);
            continue;
        };
        let nobodys = if route.path.starts_with("/units") {
            "nobodys".to_owned()
        } else {
            Uuid::now_v7().to_string()
        };

        let met = ask(&acme, &route, &name).await;
        let missed = ask(&acme, &route, &nobodys).await;

        let what = format!("{} {}: {}", route.method, route.path, met.text());
        assert_eq!(met.status, 404, "{what}");
        assert_eq!(
            comparable(&met, &name),
            comparable(&missed, &nobodys),
            "{what}"
        );
        walked += 1;
    }

    assert!(walked >= 10, "{walked} routes");
    theirs.are_untouched(&bolt).await;
}

async fn a_neighbours_id_within_a_body_or_query_is_answered_like_one_that_nobody_has(app: TestApp) {
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let (ours, theirs) = (
        Belongings::of(&app, &acme).await,
        Belongings::of(&app, &bolt).await,
    );
    let item = format!("/items/{}", ours.item);
    let group = format!("/item-groups/{}", ours.group);
    let ask = async |id: &str| {
        let new = json!({"sku": "NEW", "name": "New", "base_unit": "pcs", "group_id": id});
        [
            acme.post("/items", new).await,
            acme.patch(&item, 1, json!({"group_id": id})).await,
            acme.post("/item-groups", json!({"name": "N", "parent_id": id}))
                .await,
            acme.patch(&group, 1, json!({"parent_id": id})).await,
            acme.get(&format!("/items?group_id={id}")).await,
            acme.get(&format!("/item-groups?parent_id={id}")).await,
        ]
    };

    let nobodys = Uuid::now_v7().to_string();
    let (met, missed) = (ask(&theirs.group).await, ask(&nobodys).await);

    for (met, missed) in met.iter().zip(&missed) {
        assert_eq!(met.status, missed.status, "{}", met.text());
        assert_eq!(comparable(met, &theirs.group), comparable(missed, &nobodys));
        assert!(met.status != 201, "{}", met.text());
    }
    theirs.are_untouched(&bolt).await;
}

async fn a_neighbours_token_opens_no_route_and_is_put_on_record(app: TestApp) {
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let neighbour = bolt.at("acme.localhost");
    let mut refused = 0;

    for route in routes(&acme).await {
        if !route.is_secured {
            continue;
        }
        let reply = ask(&neighbour, &route, &Uuid::now_v7().to_string()).await;

        let what = format!("{} {}: {}", route.method, route.path, reply.text());
        assert_eq!(
            (reply.status.as_u16(), reply.problem()),
            (403, "tenant_mismatch"),
            "{what}"
        );
        refused += 1;
    }

    app.recorded("tenant_mismatch", &acme, refused).await;
    app.recorded("tenant_mismatch", &bolt, 0).await;
}

async fn a_stranger_is_asked_for_a_token_on_every_route(app: TestApp) {
    let acme = app.dealer().await;
    let strangers = [
        acme.signed_out(),
        acme.with_token("not.a.token"),
        acme.with_token(""),
    ];

    for route in routes(&acme).await {
        if !route.is_secured {
            continue;
        }
        for stranger in &strangers {
            let reply = ask(stranger, &route, &Uuid::now_v7().to_string()).await;

            let what = format!("{} {}: {}", route.method, route.path, reply.text());
            assert_eq!(
                (reply.status.as_u16(), reply.problem()),
                (401, "unauthenticated"),
                "{what}"
            );
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
}

async fn a_neighbours_refresh_token_is_nobodys(app: TestApp) {
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let signed_in = bolt.sign_in(&bolt.email, &bolt.password).await.expect(200);
    let token = json!({"refresh_token": signed_in.json["refresh_token"]});

    let met = acme.signed_out().post("/auth/refresh", token.clone()).await;
    let missed = json!({"refresh_token": "tbxr_nobodys"});
    let missed = acme.signed_out().post("/auth/refresh", missed).await;

    assert_eq!(
        (met.status.as_u16(), met.problem()),
        (401, "refresh_token_invalid")
    );
    assert_eq!(comparable(&met, "-"), comparable(&missed, "-"));
    bolt.post("/auth/refresh", token).await.expect(200);
}

/// One of each thing that has an id.
struct Belongings {
    item: String,
    group: String,
    unit: String,
    member: String,
    invitation: String,
    session: String,
    sso_connection: String,
    branch: String,
    team: String,
    role: String,
    key: String,
    endpoint: String,
    delivery: String,
    record: String,
    job: String,
    import: String,
    import_profile: String,
    notification: String,
    export: String,
}

impl Belongings {
    async fn of(app: &TestApp, dealer: &Dealer) -> Self {
        let group = json!({"name": format!("Group of {}", dealer.slug)});
        let group = dealer.post("/item-groups", group).await.expect(201);
        let group = group.json["id"].as_str().unwrap().to_owned();
        let item = dealer.item("THEIRS", json!({"group_id": group})).await;
        let unit = format!("u_{}", dealer.slug);
        let new = json!({"code": unit, "name": "Their unit", "symbol": "u", "decimals": 0});
        dealer.post("/units", new).await.expect(201);
        let new = json!({"email": "invited@there.example", "role": "viewer"});
        let invitation = dealer.post("/invitations", new).await.expect(201).json;
        let provider = body_of("create_sso_connection");
        let provider = dealer.post("/sso-connections", provider).await.expect(201);
        let named = json!({"name": format!("Of {}", dealer.slug)});
        let made = async |path: &str, body: &serde_json::Value| {
            let made = dealer.post(path, body.clone()).await.expect(201).json;
            let id = made["id"].as_str().or(made["api_key"]["id"].as_str());
            id.unwrap().to_owned()
        };
        let role = json!({"name": "Theirs", "grants": [{"permission": "item.read"}]});
        let key = json!({"name": "Theirs", "permissions": ["item.read"]});
        let job = hand_over(app, dealer, "nothing", "theirs").await;
        let file = "sku;name;unit;price\nTHEIRS;Theirs;pcs;1,50\n";
        let import = dealer.send_file("", file).await.expect(202);
        let endpoint = body_of("create_webhook_endpoint");
        let endpoint = dealer
            .post("/webhook-endpoints", endpoint)
            .await
            .expect(201);
        let endpoint = id_of(&endpoint.json["endpoint"]);
        let test = format!("/webhook-endpoints/{endpoint}/test");
        let test = dealer.send(dealer.request(Method::POST, &test)).await;
        Self {
            job: job.to_string(),
            import: id_of(&import.json),
            import_profile: made("/import-profiles", &named).await,
            endpoint,
            delivery: id_of(&test.expect(202).json),
            notification: {
                let me = id_of(&dealer.get("/me").await.expect(200).json);
                app.tell(dealer, &me, Kind::ExportReady, json!({})).await;
                id_of(&dealer.get("/me/notifications").await.expect(200).json["data"][0])
            },
            sso_connection: id_of(&provider.json),
            branch: made("/branches", &named).await,
            team: made("/teams", &named).await,
            role: made("/roles", &role).await,
            key: made("/api-keys", &key).await,
            export: id_of(
                &dealer
                    .post("/exports", body_of("create_export"))
                    .await
                    .expect(202)
                    .json,
            ),
            invitation: id_of(&invitation),
            item: item["id"].as_str().unwrap().to_owned(),
            group,
            unit,
            member: id_of(&dealer.get("/me").await.expect(200).json),
            record: id_of(&dealer.get("/audit-records").await.expect(200).json["data"][0]),
            session: id_of(&dealer.get("/me/sessions").await.expect(200).json["data"][0]),
        }
    }

    fn id_for(&self, path: &str) -> Option<String> {
        let (root, _) = path.split_once("/{")?;
        match root {
            "/items" => Some(self.item.clone()),
            "/item-groups" => Some(self.group.clone()),
            "/imports" => Some(self.import.clone()),
            "/import-profiles" => Some(self.import_profile.clone()),
            "/units" => Some(self.unit.clone()),
            "/members" => Some(self.member.clone()),
            "/invitations" => Some(self.invitation.clone()),
            "/me/sessions" => Some(self.session.clone()),
            "/sso-connections" | "/auth/sso" => Some(self.sso_connection.clone()),
            "/branches" => Some(self.branch.clone()),
            "/teams" => Some(self.team.clone()),
            "/roles" => Some(self.role.clone()),
            "/api-keys" => Some(self.key.clone()),
            "/webhook-endpoints" => Some(self.endpoint.clone()),
            "/webhook-deliveries" => Some(self.delivery.clone()),
            "/me/notifications" => Some(self.notification.clone()),
            "/exports" => Some(self.export.clone()),
            "/audit-records" => Some(self.record.clone()),
            "/jobs" => Some(self.job.clone()),
            other => panic!("{other}: say what has an id there"),
        }
    }

    async fn are_untouched(&self, dealer: &Dealer) {
        for (path, version) in [
            (format!("/items/{}", self.item), "\"1\""),
            (format!("/item-groups/{}", self.group), "\"1\""),
            (format!("/sso-connections/{}", self.sso_connection), "\"1\""),
            (format!("/branches/{}", self.branch), "\"1\""),
            (format!("/imports/{}", self.import), "\"1\""),
            (format!("/import-profiles/{}", self.import_profile), "\"1\""),
            (format!("/teams/{}", self.team), "\"1\""),
            (format!("/roles/{}", self.role), "\"1\""),
            (format!("/api-keys/{}", self.key), "\"1\""),
            (format!("/webhook-endpoints/{}", self.endpoint), "\"1\""),
        ] {
            assert_eq!(dealer.get(&path).await.expect(200).header("etag"), version);
        }
        let job = dealer.get(&format!("/jobs/{}", self.job)).await.expect(200);
        assert_eq!(job.json["job"]["state"], "ready");
    }
}

fn id_of(thing: &serde_json::Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

/// What the document says there is, below `/api/v1`.
async fn routes(actor: &Actor) -> Vec<Route> {
    let document = actor.get("/api/openapi.json").await.expect(200).json;
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1").expect("all of it lies there");
        for (method, says) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            found.push(Route {
                method,
                path: path.to_owned(),
                operation_id: says["operationId"].as_str().unwrap().to_owned(),
                is_secured: says["security"]
                    .as_array()
                    .is_some_and(|ways| !ways.is_empty()),
                has_body: says.get("requestBody").is_some(),
            });
        }
    }
    assert!(found.len() >= 20, "{} routes", found.len());
    found
}

/// Calls a route with this id, and otherwise as it would have to be called.
async fn ask(actor: &Actor, route: &Route, id: &str) -> Reply {
    let path = match (route.path.find('{'), route.path.find('}')) {
        // What else is named there is nobody's.
        (Some(from), Some(to)) => format!("{}{id}{}", &route.path[..from], &route.path[to + 1..])
            .replace("{member_id}", "01890000-0000-7000-8000-000000000000"),
        _ => route.path.clone(),
    };
    if path == "/imports" && route.method == Method::POST {
        return actor.send_file("", "sku;name;price\nX;X;1\n").await;
    }
    let request = actor
        .request(route.method.clone(), &path)
        .header("accept", "application/json")
        .header("if-match", "*");
    let request = match route.has_body {
        true => request.json(&body_of(&route.operation_id)),
        false => request,
    };
    actor.send(request).await
}
