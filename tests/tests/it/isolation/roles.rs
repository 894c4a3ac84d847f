//! Every route of the document, walked by a member of each role and by a stranger. What they may is
//! listed here route by route, so that it changes only when somebody means it; a list that has grown
//! or holds an entry that is no longer true fails alike.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tests::TestApp;

use crate::openapi::walk::walk;
use crate::openapi::{METHODS, Operation, document, operations};

/// All roles but the owner's, who may do everything.
const LESSER: [&str; 9] = [
    "admin",
    "branch_manager",
    "buyer",
    "sales",
    "counter",
    "warehouse",
    "driver",
    "accounts",
    "viewer",
];

/// Those who keep the catalogue.
const KEEPERS: &[&str] = &["admin", "branch_manager", "buyer"];
/// Those who look after people.
const MANAGERS: &[&str] = &["admin", "branch_manager"];
/// Those who say how people sign in.
const ADMINS: &[&str] = &["admin"];
/// Everybody who has signed in.
const MEMBERS: &[&str] = &LESSER;

/// Which roles may call a route. A route that is not here may be called by the owner alone.
const MAY: &[(&str, &[&str])] = &[
    ("put /api/v1/settings/cors", ADMINS),
    ("get /api/v1/settings/cors", MANAGERS),
    ("put /api/v1/settings/correspondence", ADMINS),
    ("get /api/v1/settings/correspondence", MANAGERS),
    ("get /api/v1/me/notification-preferences", MEMBERS),
    ("put /api/v1/me/notification-preferences", MEMBERS),
    ("get /api/v1/me/notifications", MEMBERS),
    ("get /api/v1/me/notifications/unread", MEMBERS),
    ("post /api/v1/me/notifications/read-all", MEMBERS),
    ("post /api/v1/me/notifications/{id}/read", MEMBERS),
    ("delete /api/v1/api-keys/{id}", ADMINS),
    ("delete /api/v1/branches/{id}", ADMINS),
    ("delete /api/v1/import-profiles/{id}", KEEPERS),
    ("delete /api/v1/invitations/{id}", &["admin"]),
    ("delete /api/v1/item-groups/{id}", KEEPERS),
    ("delete /api/v1/items/{id}", KEEPERS),
    ("delete /api/v1/me/second-factor", MEMBERS),
    ("delete /api/v1/me/sessions/{id}", MEMBERS),
    ("delete /api/v1/members/{id}/second-factor", ADMINS),
    ("delete /api/v1/members/{id}/sessions", MANAGERS),
    ("delete /api/v1/roles/{id}", ADMINS),
    ("delete /api/v1/sso-connections/{id}", ADMINS),
    (
        "delete /api/v1/sso-connections/{id}/domains/{domain}",
        ADMINS,
    ),
    ("delete /api/v1/teams/{id}", ADMINS),
    ("delete /api/v1/teams/{id}/members/{member_id}", ADMINS),
    ("delete /api/v1/units/{code}", KEEPERS),
    ("get /api/v1/api-keys", ADMINS),
    ("get /api/v1/api-keys/{id}", ADMINS),
    ("get /api/v1/api-keys/{id}/usage", ADMINS),
    ("get /api/v1/auth/csrf", MEMBERS),
    ("get /api/v1/auth/sso/callback", MEMBERS),
    ("get /api/v1/auth/sso/{id}/start", MEMBERS),
    ("get /api/v1/audit-records", MANAGERS),
    ("get /api/v1/audit-records/export", ADMINS),
    ("get /api/v1/audit-records/{id}", MANAGERS),
    ("get /api/v1/branches", MEMBERS),
    ("get /api/v1/branches/{id}", MEMBERS),
    ("get /api/v1/event-types", MEMBERS),
    ("get /api/v1/events", MEMBERS),
    ("get /api/v1/exports", KEEPERS),
    ("get /api/v1/exports/{id}", KEEPERS),
    ("get /api/v1/exports/{id}/file", KEEPERS),
    ("get /api/v1/import-profiles", KEEPERS),
    ("get /api/v1/import-profiles/{id}", KEEPERS),
    ("get /api/v1/imports", KEEPERS),
    ("get /api/v1/imports/{id}", KEEPERS),
    ("get /api/v1/imports/{id}/rejected.csv", KEEPERS),
    ("get /api/v1/imports/{id}/rows", KEEPERS),
    ("get /api/v1/invitations", &["admin"]),
    ("get /api/v1/item-groups", MEMBERS),
    ("get /api/v1/item-groups/{id}", MEMBERS),
    ("get /api/v1/items", MEMBERS),
    ("get /api/v1/items/{id}", MEMBERS),
    ("get /api/v1/jobs", KEEPERS),
    ("get /api/v1/jobs/{id}", KEEPERS),
    ("get /api/v1/me", MEMBERS),
    ("get /api/v1/me/dealers", MEMBERS),
    ("get /api/v1/me/second-factor", MEMBERS),
    ("get /api/v1/me/sessions", MEMBERS),
    ("get /api/v1/members", MEMBERS),
    ("get /api/v1/members/{id}", MEMBERS),
    ("get /api/v1/members/{id}/sessions", MANAGERS),
    ("get /api/v1/permissions", MANAGERS),
    ("get /api/v1/permissions/explain", MEMBERS),
    ("get /api/v1/permissions/report", MANAGERS),
    ("get /api/v1/roles", MANAGERS),
    ("get /api/v1/roles/built-in", MANAGERS),
    ("get /api/v1/roles/{id}", MANAGERS),
    (
        "get /api/v1/settings/security",
        &["admin", "branch_manager"],
    ),
    ("get /api/v1/sso-connections", ADMINS),
    ("get /api/v1/sso-connections/{id}", ADMINS),
    ("get /api/v1/teams", MEMBERS),
    ("get /api/v1/teams/{id}", MEMBERS),
    ("get /api/v1/teams/{id}/members", MEMBERS),
    ("get /api/v1/units", MEMBERS),
    ("get /api/v1/units/{code}", MEMBERS),
    ("get /api/v1/ws", MEMBERS),
    ("patch /api/v1/api-keys/{id}", ADMINS),
    ("patch /api/v1/branches/{id}", ADMINS),
    ("patch /api/v1/import-profiles/{id}", KEEPERS),
    ("patch /api/v1/item-groups/{id}", KEEPERS),
    ("patch /api/v1/items/{id}", KEEPERS),
    ("patch /api/v1/members/{id}", MANAGERS),
    ("patch /api/v1/roles/{id}", ADMINS),
    ("patch /api/v1/sso-connections/{id}", ADMINS),
    ("patch /api/v1/teams/{id}", ADMINS),
    ("patch /api/v1/units/{code}", KEEPERS),
    ("post /api/v1/api-keys", ADMINS),
    ("post /api/v1/api-keys/{id}/rotate", ADMINS),
    ("post /api/v1/auth/accept-invitation", MEMBERS),
    ("post /api/v1/auth/confirm-email", MEMBERS),
    ("post /api/v1/auth/forgot-password", MEMBERS),
    ("post /api/v1/auth/refresh", MEMBERS),
    ("post /api/v1/auth/reset-password", MEMBERS),
    ("post /api/v1/auth/second-factor", MEMBERS),
    ("post /api/v1/auth/sign-in", MEMBERS),
    ("post /api/v1/auth/sign-out", MEMBERS),
    ("post /api/v1/auth/sso/discover", MEMBERS),
    ("post /api/v1/auth/step-up", MEMBERS),
    ("post /api/v1/auth/switch", MEMBERS),
    ("post /api/v1/auth/switch/redeem", MEMBERS),
    ("post /api/v1/auth/verify-email", MEMBERS),
    ("post /api/v1/branches", ADMINS),
    ("post /api/v1/exports", KEEPERS),
    ("post /api/v1/import-profiles", KEEPERS),
    ("post /api/v1/imports", KEEPERS),
    ("post /api/v1/imports/{id}/apply", KEEPERS),
    ("post /api/v1/imports/{id}/cancel", KEEPERS),
    ("post /api/v1/imports/{id}/undo", KEEPERS),
    ("post /api/v1/invitations", &["admin"]),
    ("post /api/v1/invitations/{id}/resend", &["admin"]),
    ("post /api/v1/item-groups", KEEPERS),
    ("post /api/v1/items", KEEPERS),
    ("post /api/v1/items/{id}/restore", KEEPERS),
    ("post /api/v1/jobs/discard", ADMINS),
    ("post /api/v1/jobs/retry", ADMINS),
    ("post /api/v1/jobs/{id}/discard", ADMINS),
    ("post /api/v1/jobs/{id}/retry", ADMINS),
    ("post /api/v1/me/email", MEMBERS),
    ("post /api/v1/me/password", MEMBERS),
    ("post /api/v1/me/second-factor/recovery-codes", MEMBERS),
    ("post /api/v1/me/second-factor/totp", MEMBERS),
    ("post /api/v1/me/second-factor/totp/confirm", MEMBERS),
    ("post /api/v1/me/sessions/end-others", MEMBERS),
    ("post /api/v1/me/verify-email", MEMBERS),
    ("post /api/v1/members/{id}/deactivate", MANAGERS),
    ("post /api/v1/members/{id}/reactivate", MANAGERS),
    ("post /api/v1/roles", ADMINS),
    ("post /api/v1/security/void-all-tokens", &["admin"]),
    ("post /api/v1/sso-connections", ADMINS),
    ("post /api/v1/sso-connections/{id}/domains", ADMINS),
    (
        "post /api/v1/sso-connections/{id}/domains/{domain}/verify",
        ADMINS,
    ),
    ("post /api/v1/teams", ADMINS),
    ("post /api/v1/units", KEEPERS),
    ("delete /api/v1/webhook-endpoints/{id}", ADMINS),
    ("get /api/v1/webhook-deliveries", ADMINS),
    ("get /api/v1/webhook-deliveries/{id}", ADMINS),
    ("get /api/v1/webhook-endpoints", ADMINS),
    ("get /api/v1/webhook-endpoints/{id}", ADMINS),
    ("patch /api/v1/webhook-endpoints/{id}", ADMINS),
    ("post /api/v1/webhook-deliveries/{id}/replay", ADMINS),
    ("post /api/v1/webhook-endpoints", ADMINS),
    ("post /api/v1/webhook-endpoints/{id}/replay", ADMINS),
    ("post /api/v1/webhook-endpoints/{id}/rotate-secret", ADMINS),
    ("post /api/v1/webhook-endpoints/{id}/test", ADMINS),
    ("put /api/v1/settings/security", ADMINS),
    ("put /api/v1/teams/{id}/members/{member_id}", ADMINS),
];

/// Routes that a stranger may call. May only shrink.
const OPEN_TO_STRANGERS: &[&str] = &[
    "get /api/v1/auth/sso/callback",
    "get /api/v1/auth/sso/{id}/start",
    "post /api/v1/auth/accept-invitation",
    "post /api/v1/auth/confirm-email",
    "post /api/v1/auth/forgot-password",
    "post /api/v1/auth/refresh",
    "post /api/v1/auth/reset-password",
    "post /api/v1/auth/second-factor",
    "post /api/v1/auth/sign-in",
    "post /api/v1/auth/sso/discover",
    "post /api/v1/auth/switch/redeem",
    "post /api/v1/auth/verify-email",
];

/// Routes that ask for no permission, only for somebody who has signed in. May only shrink.
const WITHOUT_PERMISSION: &[&str] = &[
    "get /api/v1/me/notification-preferences",
    "get /api/v1/me/notifications",
    "get /api/v1/me/notifications/unread",
    "post /api/v1/me/notifications/read-all",
    "post /api/v1/me/notifications/{id}/read",
    "put /api/v1/me/notification-preferences",
    "delete /api/v1/me/second-factor",
    "delete /api/v1/me/sessions/{id}",
    "get /api/v1/auth/csrf",
    "get /api/v1/me",
    "get /api/v1/me/dealers",
    "get /api/v1/me/second-factor",
    "get /api/v1/me/sessions",
    "get /api/v1/permissions/explain",
    "post /api/v1/auth/sign-out",
    "post /api/v1/auth/step-up",
    "post /api/v1/auth/switch",
    "post /api/v1/me/email",
    "post /api/v1/me/password",
    "post /api/v1/me/second-factor/recovery-codes",
    "post /api/v1/me/second-factor/totp",
    "post /api/v1/me/second-factor/totp/confirm",
    "post /api/v1/me/sessions/end-others",
    "post /api/v1/me/verify-email",
];

/// What is mounted beside the document: pages for people and answers for machines within. May only
/// shrink.
const BESIDE_THE_DOCUMENT: &[&str] = &[
    "/",
    "/.well-known/jwks.json",
    "/api/docs",
    "/api/openapi.json",
    // Only where a developer asks for it, which the tests of messages look at.
    "/dev/mail",
    "/dev/mail/pages.css",
    "/dev/mail/{id}",
    "/dev/mail/{id}/html",
    "/livez",
    // At the internal port only, which the tests of metrics look at.
    "/metrics",
    "/problems{tail:(/.*)?}",
    "/readyz",
    "/account/accept-invitation",
    "/account/confirm-email",
    "/account/reset-password",
    "/account/verify-email",
    "/assets/account.js",
    "/assets/pages.css",
];

#[actix_web::test]
async fn each_role_may_what_is_listed_and_nothing_else() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let mut allowed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut wrong = Vec::new();

    for role in LESSER {
        let member = app.member(&dealer, role).await;
        for operation in in_order(operations(&document(&dealer).await)) {
            let reply = walk(&member, &operation).await;

            let what = format!("{role}: {} {}", operation.name(), reply.text());
            match (reply.status.as_u16(), reply.problem()) {
                (403, "permission_denied") => {}
                // Wrong passwords and tokens are what the walk sends there.
                (401, problem) if operation.is_secured() => wrong.push(format!("{what} {problem}")),
                (403 | 500.., _) => wrong.push(what),
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
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let stranger = dealer.signed_out();
    let mut open = BTreeSet::new();

    for operation in operations(&document(&dealer).await) {
        let reply = walk(&stranger, &operation).await;
        if reply.problem() != "unauthenticated" {
            open.insert(operation.name());
        }
    }

    assert_eq!(open, listed(OPEN_TO_STRANGERS));
}

/// A handler's signature says whom it wants: a `Member<P>` holds permission `P`.
#[test]
fn routes_without_permission_are_listed() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src");
    let mut without = BTreeSet::new();

    for source in sources(&server.join("tenant")) {
        let mut routes = Vec::new();
        for part in source.split("\n#[").skip(1) {
            let Some((method, path)) = METHODS.iter().find_map(|method| {
                let rest = part.strip_prefix(&format!("{method}(\""))?;
                Some((method, rest.split('"').next()?))
            }) else {
                continue;
            };
            let signature = part.split("->").next().unwrap_or_default();
            assert!(signature.contains("async fn"), "{method} {path}: {part}");
            routes.push((
                format!("{method} /api/v1{path}"),
                signature.contains("Member<"),
            ));
        }
        let ask_nobody = routes.into_iter().filter(|(_, asks)| !asks);
        without.extend(ask_nobody.map(|(route, _)| route));
    }

    let listed: BTreeSet<_> = &listed(WITHOUT_PERMISSION) | &listed(OPEN_TO_STRANGERS);
    assert_eq!(without, listed);
}

/// Routes of the domains are compared with the document elsewhere; these are all the others.
#[test]
fn what_is_mounted_beside_the_document_is_listed() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src");
    let folders = ["tenant", "platform"].map(|folder| server.join(folder));
    let domains: BTreeSet<_> = folders.iter().flat_map(|folder| sources(folder)).collect();
    let beside = sources(&server).filter(|source| !domains.contains(source));
    let found: BTreeSet<_> = beside.flat_map(|source| routes_in(&source)).collect();

    assert_eq!(found, listed(BESIDE_THE_DOCUMENT));
}

/// The text of every source below a folder.
fn sources(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found.into_iter()
}

fn routes_in(source: &str) -> Vec<String> {
    let attributes = ["get", "post", "put", "patch", "delete", "route"];
    // Tests make routes of their own.
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().map(str::trim);
    let mut found = Vec::new();
    for line in lines {
        let path = attributes.iter().find_map(|name| {
            let rest = line.strip_prefix(&format!("#[{name}(\""))?;
            rest.split('"').next()
        });
        let path = path.or_else(|| line.split_once(".route(\"")?.1.split('"').next());
        found.extend(path.map(ToOwned::to_owned));
    }
    found
}

fn listed(routes: &[&str]) -> BTreeSet<String> {
    routes.iter().map(|route| (*route).to_owned()).collect()
}

/// Signing out comes last: nothing opens after it.
fn in_order(mut all: Vec<Operation>) -> Vec<Operation> {
    all.sort_by_key(|operation| operation.says["operationId"] == "sign_out");
    all
}
