//! What scripts build on: exit codes, and the shape of the JSON.

use std::process::Command;

use serde_json::Value;

use crate::scratch;

/// A finished command: its exit code, and what it printed as JSON.
struct Answer {
    code: Option<i32>,
    out: Value,
    error: Value,
}

#[tokio::test]
async fn a_tenant_from_platform_to_page() {
    scratch::empty(|scratch| async move {
        let role = scratch.server_role.as_str();
        let create = |slug| {
            let named = ["tenant", "create", slug, "--name", "Acme", "--json"];
            let mut command = scratch.tubex();
            command
                .args(named)
                .args(["--owner-email", "owner@example.com"]);
            run(command)
        };

        let early = create("acme");
        let platform = run_with(&scratch, &["platform", "migrate", "--server-role", role]);
        let created = create("acme");
        let twice = create("acme");
        let shouted = create("ACME");
        create("zebra");
        let page = run_with(&scratch, &["tenant", "list", "--limit", "1"]);
        let shown = run_with(&scratch, &["tenant", "show", "acme"]);
        let nobody = run_with(&scratch, &["tenant", "show", "nobody"]);
        let fleet = run_with(&scratch, &["migrate"]);

        assert_eq!(
            (early.code, &early.error["error"]["code"]),
            (Some(2), &"no_platform".into())
        );
        assert_eq!(
            (platform.code, &platform.out["fence"]["gaps"]),
            (Some(0), &Value::from([""; 0]))
        );
        assert_eq!(created.code, Some(0), "{}", created.error);
        assert_eq!(created.out["status"], "active");
        assert_eq!(
            created.out["owner_invitation_token"].as_str().map(str::len),
            Some(48)
        );
        assert_eq!(
            (twice.code, &twice.error["error"]["code"]),
            (Some(1), &"slug_taken".into())
        );
        assert_eq!(
            (shouted.code, &shouted.error["error"]["code"]),
            (Some(2), &"usage".into())
        );
        assert_eq!((page.code, &page.out["next"]), (Some(0), &"acme".into()));
        assert_eq!(page.out["data"][0], shown.out);
        let mut keys: Vec<_> = shown.out.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(
            keys,
            [
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
                "tags"
            ]
        );
        assert_eq!(
            (nobody.code, &nobody.error["error"]["code"]),
            (Some(1), &"not_found".into())
        );
        assert_eq!((fleet.code, &fleet.out["there"]), (Some(0), &2.into()));
    })
    .await;
}

#[tokio::test]
async fn lanes_plans_and_nodes_answer_in_json() {
    scratch::ready(|scratch| async move {
        let other = scratch.other_database().await;
        let say = |args: &[&str]| run_with(&scratch, args);
        let create = |more: &[&str]| {
            let base = ["tenant", "create", "acme", "--name", "Acme"];
            say(&[&base[..], &["--owner-email", "o@example.com"], more].concat())
        };

        let node = say(&[
            "node",
            "add",
            "n2",
            "--host",
            scratch.host(),
            "--database",
            &other.name,
        ]);
        let plan = say(&["plan", "set", "big", "--concurrency", "8"]);
        let changed = say(&["plan", "set", "big", "--concurrency", "default"]);
        let absurd = say(&["plan", "set", "big", "--concurrency", "0"]);
        let created = create(&["--plan", "big", "--node", "n2"]);
        let lane = say(&["lane", "add", "--node", "n2", "--width", "1000"]);
        let login = lane.out["login"].as_str().unwrap().to_owned();
        let narrow = say(&["lane", "set", &login, "--width", "2", "--capacity", "9"]);
        let moved = say(&["lane", "move", "acme"]);
        let low = say(&["lane", "retire", "lane_0000000000000000"]);
        let lanes = say(&["lane", "list"]);
        let nodes = say(&["node", "list"]);
        let suspended = say(&["tenant", "suspend", "acme", "--reason", "unpaid"]);
        let twice = say(&["tenant", "suspend", "acme", "--reason", "unpaid"]);
        let resumed = say(&["tenant", "resume", "acme"]);
        let free = say(&["tenant", "plan", "acme", "none"]);
        let retired = say(&["lane", "retire", &login]);
        let fleet = say(&["migrate"]);
        let role = scratch.server_role.as_str();
        let platform = say(&["platform", "migrate", "--server-role", role]);

        assert_eq!(node.code, Some(0), "{}", node.error);
        assert_eq!(
            (&plan.out["concurrency"], &changed.out["concurrency"]),
            (&8.into(), &Value::Null)
        );
        assert_eq!(
            (absurd.code, &absurd.error["error"]["code"]),
            (Some(2), &"usage".into())
        );
        assert_eq!(
            (&created.out["plan"], &created.out["node"]),
            (&"big".into(), &"n2".into())
        );
        assert!(
            lane.out["warning"]
                .as_str()
                .unwrap()
                .contains("max_connections")
        );
        assert_eq!(
            (&narrow.out["width"], &narrow.out["capacity"]),
            (&2.into(), &9.into())
        );
        assert_eq!(moved.out["to"], login);
        assert_eq!(
            (low.code, &low.error["error"]["code"]),
            (Some(1), &"lane_not_found".into())
        );
        assert_eq!(lanes.out["data"].as_array().unwrap().len(), 3);
        assert_eq!(lanes.out["data"][2]["tenants"], 1);
        assert_eq!(nodes.out["data"][1]["database"], other.name);
        assert_eq!(suspended.out["status"], "suspended");
        assert_eq!(
            (twice.code, &twice.error["error"]["code"]),
            (Some(1), &"wrong_status".into())
        );
        assert_eq!(
            (&resumed.out["status"], &free.out["plan"]),
            (&"active".into(), &Value::Null)
        );
        assert_eq!(retired.out["moved"][0]["slug"], "acme");
        assert_eq!((fleet.code, &fleet.out["there"]), (Some(0), &1.into()));
        assert_eq!(platform.code, Some(0), "{}", platform.error);
        assert_eq!(platform.out["nodes"][0]["error"], Value::Null);
        for words in [
            &["lane", "list"][..],
            &["plan", "list"],
            &["node", "list"],
            &["tenant", "show", "acme"],
        ] {
            let output = scratch.tubex().args(words).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(
                output.status.success() && text.lines().count() > 1,
                "{text}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_life_in_json_and_what_needs_a_yes() {
    scratch::ready(|scratch| async move {
        let home = tempfile::TempDir::new().unwrap();
        let folder = home.path().join("one").to_str().unwrap().to_owned();
        let kept = home.path().to_str().unwrap().to_owned();
        let say = |args: &[&str]| run_with(&scratch, &[&["tenant"], args].concat());
        let create = ["create", "acme", "--name", "Acme"];
        say(&[&create[..], &["--owner-email", "o@example.com"]].concat());

        let tagged = say(&["tag", "acme", "+pilot", "+eu", "-trial"]);
        let wrong = say(&["tag", "acme", "pilot"]);
        let found = say(&["list", "--tag", "pilot"]);
        let none = say(&["list", "--tag", "trial"]);
        let exported = say(&["export", "acme", &folder]);
        let twice = say(&["export", "acme", &folder]);
        let imported = say(&["import", &folder, "--slug", "copy"]);
        let unasked = say(&["clone", "acme", "two"]);
        let cloned = say(&["clone", "acme", "two", "--anonymise"]);
        let renamed = say(&["rename", "two", "three"]);
        let closing = say(&["close", "acme", "--reason", "left"]);
        let held = say(&["hold", "acme", "--reason", "lawsuit"]);
        let archive = ["archive", "acme", "--to", &kept];
        let unsure = say(&archive);
        let refused = say(&[&archive[..], &["--yes"]].concat());
        let released = say(&["release", "acme"]);
        let archived = say(&[&archive[..], &["--yes"]].concat());
        let exports = say(&["exports", "acme"]);
        let early = say(&["purge", "acme", "--yes"]);
        let half = say(&["forget", "three", "--yes"]);

        let code = |answer: &Answer| {
            let code = answer.error["error"]["code"].as_str().unwrap_or_default();
            (answer.code, code.to_owned())
        };
        assert_eq!(tagged.out["tags"], serde_json::json!(["eu", "pilot"]));
        assert_eq!(code(&wrong), (Some(2), "usage".to_owned()));
        assert_eq!(found.out["data"][0]["slug"], "acme");
        assert_eq!(none.out["data"], serde_json::json!([]));
        assert_eq!(exported.code, Some(0), "{}", exported.error);
        assert_eq!(code(&twice), (Some(1), "folder_exists".to_owned()));
        assert_eq!(imported.out["rows"], exported.out["rows"]);
        assert_eq!(code(&unasked), (Some(2), "not_confirmed".to_owned()));
        assert_eq!(cloned.out["status"], "active", "{}", cloned.error);
        assert_eq!(renamed.out["slug"], "three");
        assert_eq!(closing.out["status"], "closing");
        assert_eq!(held.out["legal_hold"], "lawsuit");
        assert_eq!(code(&unsure), (Some(2), "not_confirmed".to_owned()));
        assert_eq!(code(&refused), (Some(1), "legal_hold".to_owned()));
        assert_eq!(released.out["legal_hold"], Value::Null);
        assert_eq!(archived.out["status"], "archived", "{}", archived.error);
        assert_eq!(exports.out["data"][0]["id"], archived.out["export"]["id"]);
        assert_eq!(code(&early), (Some(1), "keep_until".to_owned()));
        assert_eq!(code(&half), (Some(1), "wrong_status".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_refused_login_does_not_show_the_password() {
    scratch::empty(|scratch| async move {
        let mut command = scratch.tubex();
        // Nothing listens on port 1.
        let url = "postgres://someone:hunter2hunter2@127.0.0.1:1/nowhere";
        command
            .args(["tenant", "list", "--json"])
            .env("TUBEX_DATABASE__URL", url);

        let answer = run(command);

        assert_eq!(
            (answer.code, &answer.error["error"]["code"]),
            (Some(2), &"no_connection".into())
        );
        assert!(
            !answer.error.to_string().contains("hunter2"),
            "{}",
            answer.error
        );
    })
    .await;
}

#[tokio::test]
async fn the_owners_password_can_come_through_standard_input() {
    use std::io::Write as _;
    use std::process::Stdio;

    scratch::ready(|scratch| async move {
        let mut command = scratch.tubex();
        command
            .args(["tenant", "create", "acme", "--name", "Acme", "--json"])
            .args([
                "--owner-email",
                "owner@example.com",
                "--owner-password-stdin",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());

        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"a good long one\n")
            .unwrap();
        let output = child.wait_with_output().unwrap();

        assert!(output.status.success());
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(shown.get("owner_invitation_token"), None);
    })
    .await;
}

fn run_with(scratch: &scratch::Scratch, args: &[&str]) -> Answer {
    let mut command = scratch.tubex();
    command.args(args).arg("--json");
    run(command)
}

fn run(mut command: Command) -> Answer {
    let output = command.output().unwrap();
    let read = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or_default();
    Answer {
        code: output.status.code(),
        out: read(&output.stdout),
        error: read(&output.stderr),
    }
}

#[tokio::test]
async fn a_tenant_is_made_with_a_claim_to_its_own_domain() {
    scratch::ready(|scratch| async move {
        let made = run_with(
            &scratch,
            &[
                "tenant",
                "create",
                "acme",
                "--name",
                "Acme",
                "--owner-email",
                "owner@acme.example",
                "--custom-domain",
                "shop.acme.example",
            ],
        );

        assert_eq!(made.code, Some(0));
        assert_eq!(made.out["custom_domain"]["domain"], "shop.acme.example");
        let claims = "SELECT FROM platform.tenant_domain WHERE verified_at IS NULL";
        assert_eq!(scratch.count(claims).await, 1);
    })
    .await;
}
