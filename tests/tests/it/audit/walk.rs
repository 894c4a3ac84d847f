//! Every operation that writes, really done: one record each, and the version it is based on.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::Reply;

use super::acts::{Act, Sent, Target, World};
use super::records;
use crate::openapi::{Operation, document, operations};

/// Operations whose acts take what only a message, a provider or another dealer has. May only
/// shrink; their own tests look at their records.
const ELSEWHERE: &[&str] = &[
    "accept_invitation",
    "confirm_email",
    "create_sso_connection",
    "give_second_factor",
    "redeem_switch",
    "reset_password",
    "switch_dealer",
    "verify_email",
    "verify_sso_domain",
];

/// Operations that are sent with POST and change nothing. May only shrink.
const ONLY_ASK: &[&str] = &["discover_sso"];

/// Changes that need not say which version they are based on: it ends, and that is all that can
/// happen to it. (Who retires an item may say it.) May only shrink.
const UNVERSIONED: &[&str] = &[
    "add_team_member",
    "end_member_sessions",
    "end_my_session",
    "remove_second_factor",
    "remove_sso_domain",
    "remove_team_member",
    "reset_second_factor",
    "retire_item",
    "revoke_invitation",
];

#[actix_web::test]
async fn every_write_is_put_on_record_exactly_once() {
    let world = World::start().await;
    let (mut secrets, mut missing) = (BTreeSet::new(), BTreeSet::new());

    for operation in writes(&world).await {
        let id = operation_id(&operation);
        let Some(act) = world.of(id).await else {
            missing.insert(id.to_owned());
            continue;
        };
        let reply = act
            .done(&operation, version_for(&operation).as_deref())
            .await;

        assert!(
            reply.status.is_success(),
            "{id}: {} {}",
            reply.status,
            reply.text()
        );
        let told = reply.header("x-request-id");
        let all = records(&world.app, &world.acme).await;
        let of_it: Vec<_> = all.iter().filter(|it| it["request_id"] == told).collect();
        assert_eq!(of_it.len(), 1, "{id}: {of_it:#?}");
        check(id, &act, &reply, of_it[0]);
        gather(&reply.json, &mut secrets);
        if let Sent::Json(body) = &act.sent {
            gather(body, &mut secrets);
        }
    }

    let listed: BTreeSet<_> = ELSEWHERE
        .iter()
        .chain(ONLY_ASK)
        .map(|it| (*it).to_owned())
        .collect();
    assert_eq!(
        missing, listed,
        "left: what no act does; right: what is listed"
    );
    assert!(secrets.len() > 10, "{}", secrets.len());
    let all = Value::from(records(&world.app, &world.acme).await).to_string();
    for secret in secrets {
        assert!(!all.contains(&secret), "a record holds {secret}");
    }
}

#[actix_web::test]
async fn what_only_asks_puts_nothing_on_record() {
    let world = World::start().await;
    let before = records(&world.app, &world.acme).await.len();

    for operation in writes(&world).await {
        if ONLY_ASK.contains(&operation_id(&operation)) {
            crate::openapi::walk::walk(&world.acme, &operation).await;
        }
    }

    assert_eq!(records(&world.app, &world.acme).await.len(), before);
}

#[actix_web::test]
async fn every_change_of_what_has_a_version_says_which_one_it_is_based_on() {
    let world = World::start().await;
    let mut unversioned = BTreeSet::new();
    let mut refused = 0;

    let all = writes(&world).await;
    for operation in &all {
        let id = operation_id(operation);
        if operation.method == "post" || ELSEWHERE.contains(&id) {
            continue;
        }
        if !needs_version(operation) {
            unversioned.insert(id);
            continue;
        }
        let act = world
            .of(id)
            .await
            .unwrap_or_else(|| panic!("{id}: say how it is done"));
        let before = records(&world.app, &world.acme).await.len();

        let blind = act.done(operation, None).await;
        let stale = act.done(operation, Some("\"987654321\"")).await;

        let seen = |reply: &Reply| (reply.status.as_u16(), reply.problem().to_owned());
        assert_eq!(
            seen(&blind),
            (428, "precondition_required".to_owned()),
            "{id}"
        );
        assert_eq!(
            seen(&stale),
            (412, "precondition_failed".to_owned()),
            "{id}"
        );
        assert_eq!(records(&world.app, &world.acme).await.len(), before, "{id}");
        let done = act.done(operation, Some("*")).await;
        assert!(done.status.is_success(), "{id}: {}", done.text());
        refused += 1;
    }

    assert!(refused >= 8, "{refused}");
    assert_eq!(unversioned, UNVERSIONED.iter().copied().collect());
}

/// What is not a look, with what ends all sessions last.
async fn writes(world: &World) -> Vec<Operation> {
    let mut all = operations(&document(&world.acme).await);
    all.retain(|operation| operation.method != "get");
    all.sort_by_key(|operation| {
        let id = operation_id(operation);
        (id == "void_all_tokens", id == "end_my_other_sessions")
    });
    assert!(all.len() >= 14, "{}", all.len());
    all
}

fn operation_id(operation: &Operation) -> &str {
    operation.says["operationId"].as_str().unwrap()
}

fn needs_version(operation: &Operation) -> bool {
    let parameters = operation.says["parameters"].as_array();
    parameters
        .into_iter()
        .flatten()
        .any(|one| one["name"] == "If-Match" && one["required"] == true)
}

fn version_for(operation: &Operation) -> Option<String> {
    let parameters = operation.says["parameters"].as_array();
    let takes = parameters
        .into_iter()
        .flatten()
        .any(|one| one["name"] == "If-Match");
    takes.then(|| "*".to_owned())
}

fn check(id: &str, act: &Act, reply: &Reply, record: &Value) {
    assert_eq!(record["action"], act.action, "{id}");
    assert_eq!(record["actor"], act.actor, "{id}");
    let (kind, thing) = match &act.target {
        Target::Known(kind, thing) => (kind, Some(Value::from(thing.as_str()))),
        Target::Told(kind, field) => (kind, Some(reply.json[*field].clone())),
        Target::All(kind) => (kind, Some(Value::Null)),
        Target::One(kind) => (kind, None),
    };
    assert_eq!(record["target"]["kind"], *kind, "{id}");
    match thing {
        Some(thing) => assert_eq!(record["target"]["id"], thing, "{id}"),
        None => assert!(record["target"]["id"].is_string(), "{id}: {record}"),
    }
    assert!(
        record["at"].is_string() && record["address"].is_string(),
        "{id}: {record}"
    );
}

/// Whatever must never be read in a record: values of fields with such names.
fn gather(value: &Value, secrets: &mut BTreeSet<String>) {
    const NAMES: [&str; 8] = [
        "password",
        "token",
        "secret",
        "otpauth",
        "recovery_codes",
        "current",
        "new",
        "code",
    ];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_secret = NAMES.iter().any(|it| name.contains(it));
                match value {
                    Value::String(text)
                        if text.starts_with("tbx") || is_secret && text.len() >= 10 =>
                    {
                        secrets.insert(text.clone());
                    }
                    Value::Array(all) if is_secret => {
                        let texts = all.iter().filter_map(Value::as_str);
                        secrets.extend(texts.map(ToOwned::to_owned));
                    }
                    other => gather(other, secrets),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| gather(value, secrets)),
        _ => {}
    }
}
