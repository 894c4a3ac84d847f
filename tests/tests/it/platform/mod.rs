//! Operators and their API: who gets in, who may what, and what stands in the history afterwards.

mod door;
mod presence;
mod roles;
mod runs;
mod sessions;
mod tenants;

use serde_json::{Value, json};
use tests::{Actor, Reply, Scratch, TestApp, tubex};

/// The password of every operator here.
const PASSWORD: &str = "a fine password for operators";
/// Where operators' requests go.
const HOST: &str = "admin.localhost";

/// A server that operators may use.
pub(crate) async fn app() -> TestApp {
    app_with(&[]).await
}

async fn app_with(keys: &[(&str, &str)]) -> TestApp {
    let scratch = Scratch::with_dealers().await;
    let url = scratch.owner_url();
    let all = [&[("TUBEX_PLATFORM__DATABASE_URL", url.as_str())], keys].concat();
    TestApp::start_on(scratch, &all).await
}

/// The address of an operator with this role.
fn address(role: &str) -> String {
    format!("{role}@platform.example")
}

/// Runs `tubex` on the app's database and reads its JSON.
async fn command(app: &TestApp, arguments: &[&str]) -> (Option<i32>, Value) {
    let url = app.database.owner_url();
    let arguments: Vec<String> = arguments.iter().map(|&it| it.to_owned()).collect();
    let done = tokio::task::spawn_blocking(move || {
        let mut all: Vec<&str> = arguments.iter().map(String::as_str).collect();
        all.push("--json");
        tubex(&url, &all, &[("TUBEX_OPERATOR_PASSWORD", PASSWORD)])
    });
    let output = done.await.unwrap();
    let text = if output.status.success() {
        &output.stdout
    } else {
        &output.stderr
    };
    (
        output.status.code(),
        serde_json::from_slice(text).unwrap_or_default(),
    )
}

/// Adds an operator with this role.
async fn add_operator(app: &TestApp, role: &str) -> Value {
    let email = address(role);
    let arguments = ["operator", "add", &email, "--name", role, "--role", role];
    let (code, added) = command(app, &arguments).await;
    assert_eq!(code, Some(0), "{added}");
    added
}

/// An operator with this role, signed in.
pub(crate) async fn operator(app: &TestApp, role: &str) -> Actor {
    add_operator(app, role).await;
    let tokens = Tokens::of(&sign_in(app, &address(role), PASSWORD).await);
    app.stranger(HOST).with_token(&tokens.access)
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> Reply {
    let proof = json!({ "email": email, "password": password });
    let anybody = app.stranger(HOST);
    anybody.post("/platform/v1/auth/sign-in", proof).await
}

async fn refresh(app: &TestApp, token: &str) -> Reply {
    let body = json!({ "refresh_token": token });
    let anybody = app.stranger(HOST);
    anybody.post("/platform/v1/auth/refresh", body).await
}

/// Two tokens of one session.
#[derive(Debug)]
struct Tokens {
    access: String,
    refresh: String,
}

impl Tokens {
    #[track_caller]
    fn of(reply: &Reply) -> Self {
        let token = |name: &str| reply.json[name].as_str().map(ToOwned::to_owned);
        Self {
            access: token("access_token").unwrap_or_else(|| panic!("{}", reply.text())),
            refresh: token("refresh_token").unwrap_or_else(|| panic!("{}", reply.text())),
        }
    }
}

/// How many security events of a kind are on record.
pub async fn recorded(app: &TestApp, kind: &str, times: i64) {
    let mut connection = app.database.connect().await;
    tests::eventually(kind, async || {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM platform.security_event WHERE kind = $1")
            .bind(kind)
            .fetch_one(&mut connection)
            .await
            .unwrap()
            == times
    })
    .await;
}
