//! `tubex`, as scripts use it: exit codes, shapes, words, and no secrets.

mod words;

use std::process::Output;

use serde_json::{Value, json};
use tests::{Scratch, TestApp, tubex};

const PASSWORD: &str = "correct horse battery staple";

/// What a command ended with: its code, its answer, and its complaint, both as JSON if they are.
fn run(url: &str, arguments: &[&str]) -> (Option<i32>, Value, Value) {
    let output = tubex(url, arguments, &[("TUBEX_OWNER_PASSWORD", PASSWORD)]);
    let read = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(Value::Null);
    assert_no_secrets(&output);
    (
        output.status.code(),
        read(&output.stdout),
        read(&output.stderr),
    )
}

fn assert_no_secrets(output: &Output) {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    for secret in [PASSWORD, "a secret for tests", "$argon2", "SCRAM-SHA-256"] {
        assert!(!said.contains(secret), "{said}");
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

const CREATE: [&str; 7] = [
    "tenant",
    "create",
    "delta",
    "--name",
    "Delta",
    "--owner-email",
    "o@delta.example",
];
const TENANT: [&str; 14] = [
    "created_at",
    "id",
    "lane",
    "last_active_at",
    "legal_hold",
    "name",
    "node",
    "plan",
    "schema_name",
    "schema_version",
    "size_bytes",
    "slug",
    "status",
    "tags",
];

#[actix_web::test]
async fn a_platform_is_made_once_and_then_found_complete() {
    let database = Scratch::empty().await;
    let url = database.owner_url();

    let (early, _, complaint) = run(&url, &["tenant", "list", "--json"]);
    let (first_code, first, _) = run(&url, &["platform", "migrate", "--json"]);
    let (second_code, second, _) = run(&url, &["platform", "migrate", "--json"]);
    let (list_code, list, _) = run(&url, &["tenant", "list", "--json"]);

    assert_eq!(
        (early, &complaint["error"]["code"]),
        (Some(2), &json!("no_platform"))
    );
    assert!(
        complaint["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("platform migrate")
    );
    assert_eq!(
        (first_code, second_code, list_code),
        (Some(0), Some(0), Some(0))
    );
    assert_eq!(
        keys(&first),
        [
            "applied",
            "fence",
            "lanes",
            "marks_mended",
            "memberships",
            "nodes",
            "server_role"
        ]
    );
    assert!(first["applied"].as_array().unwrap().len() >= 4);
    assert_eq!(second["applied"], json!([]));
    assert_eq!(
        (&second["lanes"], &second["server_role"]),
        (&first["lanes"], &first["server_role"])
    );
    assert_eq!(second["fence"], json!({"closed": [], "gaps": []}));
    assert_eq!(list, json!({"data": [], "next": null}));
}

#[actix_web::test]
async fn a_dealer_is_created_listed_and_shown() {
    let app = TestApp::start().await;
    let url = app.database.owner_url();

    let (code, mut created, _) = run(&url, &[&CREATE[..], &["--json"]].concat());
    // Said of the creation, not of the tenant.
    let from_spare = created.as_object_mut().unwrap().remove("from_spare");
    let (_, shown, _) = run(&url, &["tenant", "show", "delta", "--json"]);
    let id = created["id"].as_str().unwrap();
    let (_, by_id, _) = run(&url, &["tenant", "show", id, "--json"]);
    let (_, page, _) = run(&url, &["tenant", "list", "--json", "--limit", "2"]);
    let (_, rest, _) = run(&url, &["tenant", "list", "--json", "--after", "bolt"]);

    assert_eq!((code, from_spare), (Some(0), Some(json!(false))));
    assert_eq!(
        keys(&created),
        TENANT,
        "a password that was given is not shown"
    );
    assert_eq!((&shown, &by_id), (&created, &created));
    assert_eq!(
        (&created["status"], &created["slug"]),
        (&json!("active"), &json!("delta"))
    );
    let slugs = |page: &Value| -> Vec<String> {
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["slug"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (slugs(&page), &page["next"]),
        (vec!["acme".to_owned(), "bolt".to_owned()], &json!("bolt"))
    );
    assert_eq!(
        (slugs(&rest), &rest["next"]),
        (vec!["core".to_owned(), "delta".to_owned()], &Value::Null)
    );
    assert_eq!(keys(&page["data"][0]), TENANT);
}

#[actix_web::test]
async fn its_owner_is_invited_where_nobody_chose_a_password_and_the_link_is_shown_once() {
    let app = TestApp::start().await;
    let url = app.database.owner_url();

    let output = tubex(&url, &[&CREATE[..], &["--json"]].concat(), &[]);
    let created: Value = serde_json::from_slice(&output.stdout).unwrap();
    let token = created["owner_invitation_token"].as_str().unwrap();
    let stranger = app.stranger("delta.localhost");
    let shown = tubex(&url, &["tenant", "show", "delta", "--json"], &[]);

    assert!(token.len() >= 40, "{token}");
    assert!(!String::from_utf8_lossy(&shown.stdout).contains(token));
    stranger
        .sign_in("o@delta.example", PASSWORD)
        .await
        .expect(401);
    let acceptance = serde_json::json!({ "token": token, "password": "seldom gravel heron 4" });
    let accepted = stranger.post("/auth/accept-invitation", acceptance.clone());
    accepted.await.expect(200);
    stranger
        .sign_in("o@delta.example", "seldom gravel heron 4")
        .await
        .expect(200);
    let again = stranger.post("/auth/accept-invitation", acceptance);
    again.await.expect(400);
}

#[actix_web::test]
async fn what_can_not_be_made_is_refused_with_a_reason() {
    let app = TestApp::start().await;
    let url = app.database.owner_url();
    let create = |slug: &'static str, more: &[&'static str]| {
        let base = [
            "tenant",
            "create",
            slug,
            "--name",
            "N",
            "--owner-email",
            "o@n.example",
            "--json",
        ];
        run(&url, &[&base[..], more].concat())
    };

    for (code, error, word, (exit, _, complaint)) in [
        (1, "slug_taken", "acme", create("acme", &[])),
        (2, "usage", "lower case", create("ACME", &[])),
        (2, "usage", "", create("a", &[])),
        (2, "usage", "", create("-a", &[])),
        (2, "usage", "", create("a--b", &[])),
        (2, "usage", "", create("a_b", &[])),
        (2, "usage", "", create("bücher", &[])),
        (2, "usage", "", create("www", &[])),
        (2, "usage", "", create("api", &[])),
        (2, "usage", "", create("", &[])),
        (2, "usage", "demo", create("echo", &["--seed", "nonsense"])),
        (2, "usage", "", create("echo", &["--currency", "euro"])),
        (2, "usage", "", create("echo", &["--colour", "red"])),
        (
            2,
            "usage",
            "--owner-email",
            run(&url, &["tenant", "create", "echo", "--json"]),
        ),
        (
            2,
            "usage",
            "",
            run(
                &url,
                &[
                    "tenant",
                    "create",
                    "echo",
                    "--name",
                    " ",
                    "--owner-email",
                    "o@n.example",
                    "--json",
                ],
            ),
        ),
        (
            2,
            "usage",
            "",
            run(
                &url,
                &[
                    "tenant",
                    "create",
                    "echo",
                    "--name",
                    "N",
                    "--owner-email",
                    "nobody",
                    "--json",
                ],
            ),
        ),
        (
            1,
            "not_found",
            "",
            run(&url, &["tenant", "show", "nobody", "--json"]),
        ),
        (
            2,
            "usage",
            "",
            run(&url, &["tenant", "list", "--limit", "0", "--json"]),
        ),
        (
            2,
            "usage",
            "active",
            run(&url, &["tenant", "list", "--status", "lost", "--json"]),
        ),
        (
            2,
            "usage",
            "",
            run(&url, &["tenant", "remove", "acme", "--json"]),
        ),
    ] {
        assert_eq!(
            (exit, &complaint["error"]["code"]),
            (Some(code), &json!(error)),
            "{complaint}"
        );
        let words = complaint["error"].to_string();
        assert!(words.to_lowercase().contains(word), "{words}");
        assert!(
            complaint["error"]["message"]
                .as_str()
                .is_some_and(|text| text.len() > 10),
            "{complaint}"
        );
    }
    let (_, page, _) = run(&url, &["tenant", "list", "--json"]);
    assert_eq!(
        page["data"].as_array().unwrap().len(),
        3,
        "nothing was made on the way"
    );
}

#[actix_web::test]
async fn a_password_that_is_too_short_makes_nothing() {
    let app = TestApp::start().await;
    let url = app.database.owner_url();

    let output = tubex(
        &url,
        &[&CREATE[..], &["--json"]].concat(),
        &[("TUBEX_OWNER_PASSWORD", "short1")],
    );

    let complaint: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), &complaint["error"]["code"]),
        (Some(2), &json!("usage"))
    );
    assert!(!complaint.to_string().contains("short1"));
    assert_eq!(run(&url, &["tenant", "show", "delta", "--json"]).0, Some(1));
}

#[actix_web::test]
async fn a_fleet_at_head_has_nothing_to_do() {
    let app = TestApp::start().await;
    let url = app.database.owner_url();

    let (code, summary, _) = run(&url, &["migrate", "--json"]);
    let keys = keys(&summary);

    assert_eq!(
        (code, keys),
        (Some(0), vec!["ahead", "event", "target_version", "there"])
    );
    assert_eq!(summary["there"], 3);
    assert_eq!(summary["ahead"], 0);
}
