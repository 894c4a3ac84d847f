//! Every route of the operators' API, walked by a stranger and by each role. What they may is listed
//! here route by route, so that it changes only when somebody means it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Actor, Reply};

use super::{HOST, app, operator};
use crate::openapi::{METHODS, Operation, document, operations};

const ROLES: [&str; 3] = ["viewer", "support", "admin"];
const EVERYBODY: &[&str] = &ROLES;
const SUPPORT: &[&str] = &["support", "admin"];
const ADMIN: &[&str] = &["admin"];

/// Which roles may call a route.
const MAY: &[(&str, &[&str])] = &[
    (
        "delete /platform/v1/tenants/{tenant}/domains/{domain}",
        ADMIN,
    ),
    ("delete /platform/v1/jobs/pauses", SUPPORT),
    ("get /platform/v1/jobs", EVERYBODY),
    ("get /platform/v1/jobs/dead", EVERYBODY),
    ("get /platform/v1/lanes", EVERYBODY),
    ("get /platform/v1/me", EVERYBODY),
    ("get /platform/v1/migration-runs", EVERYBODY),
    ("get /platform/v1/migration-runs/{run}", EVERYBODY),
    ("get /platform/v1/migration-runs/{run}/events", EVERYBODY),
    ("get /platform/v1/migration-runs/{run}/tenants", EVERYBODY),
    ("get /platform/v1/nodes", EVERYBODY),
    ("get /platform/v1/plans", EVERYBODY),
    ("get /platform/v1/status", EVERYBODY),
    ("get /platform/v1/tenants", EVERYBODY),
    ("get /platform/v1/tenants/{tenant}", EVERYBODY),
    ("get /platform/v1/tenants/{tenant}/domains", EVERYBODY),
    ("get /platform/v1/tenants/{tenant}/events", EVERYBODY),
    ("get /platform/v1/tenants/{tenant}/exports", EVERYBODY),
    ("post /platform/v1/auth/refresh", EVERYBODY),
    ("post /platform/v1/auth/sign-in", EVERYBODY),
    ("post /platform/v1/auth/sign-out", EVERYBODY),
    ("post /platform/v1/jobs/discard", SUPPORT),
    ("post /platform/v1/jobs/pauses", SUPPORT),
    ("post /platform/v1/jobs/retry", SUPPORT),
    ("post /platform/v1/mail-bounces", SUPPORT),
    ("post /platform/v1/migration-runs", ADMIN),
    ("post /platform/v1/migration-runs/{run}/approve", ADMIN),
    ("post /platform/v1/migration-runs/{run}/cancel", ADMIN),
    ("post /platform/v1/migration-runs/{run}/pause", ADMIN),
    ("post /platform/v1/migration-runs/{run}/resume", ADMIN),
    ("post /platform/v1/migration-runs/{run}/retry", ADMIN),
    ("post /platform/v1/migration-runs/{run}/rollback", ADMIN),
    (
        "post /platform/v1/migration-runs/{run}/tenants/{tenant}/skip",
        ADMIN,
    ),
    ("post /platform/v1/signing-keys/rotate", ADMIN),
    ("post /platform/v1/tenants", ADMIN),
    ("post /platform/v1/tenants/{tenant}/clone", SUPPORT),
    ("post /platform/v1/tenants/{tenant}/close", ADMIN),
    ("post /platform/v1/tenants/{tenant}/domains", ADMIN),
    (
        "post /platform/v1/tenants/{tenant}/domains/{domain}/verify",
        SUPPORT,
    ),
    ("post /platform/v1/tenants/{tenant}/hold", ADMIN),
    ("post /platform/v1/tenants/{tenant}/lane", ADMIN),
    ("post /platform/v1/tenants/{tenant}/owner-invitation", ADMIN),
    ("post /platform/v1/tenants/{tenant}/plan", ADMIN),
    ("post /platform/v1/tenants/{tenant}/release", ADMIN),
    ("post /platform/v1/tenants/{tenant}/rename", ADMIN),
    ("post /platform/v1/tenants/{tenant}/reopen", ADMIN),
    ("post /platform/v1/tenants/{tenant}/resume", SUPPORT),
    ("post /platform/v1/tenants/{tenant}/suspend", SUPPORT),
    ("post /platform/v1/tenants/{tenant}/tags", ADMIN),
];

/// Routes that a stranger may call. May only shrink.
const OPEN_TO_STRANGERS: &[&str] = &[
    "post /platform/v1/auth/refresh",
    "post /platform/v1/auth/sign-in",
];

/// Sends what an operation asks for, about a tenant that isn't there.
async fn walk(who: &Actor, operation: &Operation) -> Reply {
    let path = operation
        .path
        .replace("{run}", "latest")
        .replace("{tenant}", "nobody-is-called-that")
        .replace("{domain}", "shop.nobody.example");
    let method = Method::from_bytes(operation.method.to_uppercase().as_bytes()).unwrap();
    let mut request = who.request(method, &path);
    if operation.says.get("requestBody").is_some() {
        request = request.json(&body_of(operation.says["operationId"].as_str().unwrap()));
    }
    who.send(request).await
}

fn body_of(operation_id: &str) -> Value {
    match operation_id {
        "sign_in_operator" => json!({"email": "nobody@platform.example", "password": "not this"}),
        "refresh_operator" => json!({"refresh_token": "not this one"}),
        "record_mail_bounce" => json!({"address": "nobody@nowhere.example", "kind": "permanent",
            "at": "2026-01-01T00:00:00Z"}),
        "rotate_signing_keys" => json!({"because": "wanted"}),
        "create_tenant" => {
            json!({"slug": "Not A Slug", "name": "x", "owner": {"email": "a@b.example"}})
        }
        "start_migration_run" => json!({"only": "tag=nobody-has-this"}),
        "rollback_migration_run" => json!({}),
        "skip_tenant_of_migration_run" => json!({"reason": "a walk"}),
        "invite_owner" => json!({"email": "owner@new.example"}),
        "clone_tenant" => json!({"slug": "a-copy"}),
        "rename_tenant" => json!({"slug": "another"}),
        "retry_dead_letters" | "discard_dead_letters" => json!({"kind": "nothing.like_that"}),
        "pause_jobs" => json!({"kind": "nothing.like_that", "reason": "a walk"}),
        "tag_tenant" => json!({"add": ["pilot"]}),
        "suspend_tenant" | "close_tenant" | "hold_tenant" => json!({"reason": "a walk"}),
        "change_tenant_plan" => json!({"plan": null}),
        "move_tenant_to_lane" => json!({}),
        "claim_tenant_domain" => json!({"domain": "shop.nobody.example"}),
        other => panic!("say what {other} is sent, so that the walk covers it"),
    }
}

#[actix_web::test]
async fn each_role_may_what_is_listed_and_nothing_else() {
    let app = app().await;
    let mut allowed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut wrong = Vec::new();

    for role in ROLES {
        let who = operator(&app, role).await;
        let mut all = operations(&document(&who).await);
        // Signing out comes last: nothing opens after it.
        all.sort_by_key(|operation| operation.says["operationId"] == "sign_out_operator");
        for operation in all {
            let reply = walk(&who, &operation).await;

            let what = format!("{role}: {} {}", operation.name(), reply.text());
            match (reply.status.as_u16(), reply.problem()) {
                (403, "permission_denied") => {}
                (401, _) if operation.is_secured() => wrong.push(what),
                (403 | 500.., _) => wrong.push(what),
                (_, "not_found" | "method_not_allowed") => wrong.push(what),
                _ => {
                    allowed.entry(operation.name()).or_default().insert(role);
                }
            }
        }
    }

    assert!(wrong.is_empty(), "{wrong:#?}");
    let listed: BTreeMap<_, BTreeSet<_>> = MAY
        .iter()
        .map(|(route, roles)| ((*route).to_owned(), roles.iter().copied().collect()))
        .collect();
    assert_eq!(allowed, listed, "left: what is so; right: what is listed");
}

#[actix_web::test]
async fn strangers_may_what_is_listed_and_nothing_else() {
    let app = app().await;
    let stranger = app.stranger(HOST);
    let mut open = BTreeSet::new();

    for operation in operations(&document(&stranger).await) {
        if walk(&stranger, &operation).await.problem() != "unauthenticated" {
            open.insert(operation.name());
        }
    }

    let listed: BTreeSet<_> = OPEN_TO_STRANGERS.iter().map(|&it| it.to_owned()).collect();
    assert_eq!(open, listed);
}

#[actix_web::test]
async fn the_document_knows_every_route() {
    let app = app().await;

    let described: BTreeSet<_> = operations(&document(&app.stranger(HOST)).await)
        .iter()
        .map(Operation::name)
        .collect();

    assert_eq!(described, routes_in_sources());
}

fn routes_in_sources() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/src/platform");
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            for line in std::fs::read_to_string(path).unwrap().lines() {
                found.extend(METHODS.iter().find_map(|method| {
                    let rest = line.strip_prefix(&format!("#[{method}(\""))?;
                    Some(format!(
                        "{method} /platform/v1{}",
                        rest.strip_suffix("\")]")?
                    ))
                }));
            }
        }
    }
    found
}
