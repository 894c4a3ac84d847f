//! Single sign-on, with a real provider that lies when it is told to.

mod attacks;
mod connections;
mod enforced;
mod keys;
mod signing_in;
mod zone;

use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tests::{Actor, Dealer, OidcClient, OidcProvider, Reply, TestApp};
use url::Url;

use self::zone::Zone;

const CALLBACK: &str = "http://acme.localhost/api/v1/auth/sso/callback";
const ADA: &str = "ada@acme.example";

/// A dealer whose people sign in with a provider.
struct World {
    app: TestApp,
    provider: OidcProvider,
    client: OidcClient,
    zone: Zone,
    acme: Dealer,
    connection: String,
    browser: Actor,
}

/// Somebody on their way to the provider.
struct Journey {
    /// Where they are sent.
    to: String,
    /// What their browser keeps, as it sends it back.
    cookie: String,
}

impl World {
    /// With people of `acme.example`, who become viewers.
    async fn start() -> Self {
        Self::start_with(&[], json!({})).await
    }

    /// The same with other keys of the configuration, and other fields of the connection.
    async fn start_with(keys: &[(&str, &str)], fields: Value) -> Self {
        let zone = Zone::start().await;
        let dns = zone.address.to_string();
        let usual = [
            ("TUBEX_SSO__ALLOW_INSECURE_ISSUERS", "true"),
            ("TUBEX_SSO__DNS_SERVER", dns.as_str()),
        ];
        // First, as it takes seconds on a busy machine: the app's connections would lie idle.
        let provider = OidcProvider::start().await;
        let client = provider.client(CALLBACK).await;
        provider.user(ADA, json!({ "name": "Ada" })).await;
        let app = TestApp::start_with(&[&usual[..], keys].concat()).await;
        let acme = app.dealer().await;
        let browser = browser(&app, &acme.host);
        let mut world = Self {
            app,
            provider,
            client,
            zone,
            acme,
            connection: String::new(),
            browser,
        };
        world.connection = world.connect(fields).await;
        let connection = world.connection.clone();
        world.prove(&connection, "acme.example").await;
        world
    }

    /// Makes a connection to the provider.
    async fn connect(&self, fields: Value) -> String {
        let mut body = json!({
            "name": "Head office",
            "issuer": self.provider.issuer(),
            "client_id": self.client.id,
            "client_secret": self.client.secret,
            "default_role": "viewer",
        });
        let fields = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let made = self.acme.post("/sso-connections", body).await.expect(201);
        made.json["id"].as_str().unwrap().to_owned()
    }

    /// Proves a domain by DNS.
    async fn prove(&self, connection: &str, domain: &str) {
        let domains = format!("/sso-connections/{connection}/domains");
        let claim = json!({ "domain": domain });
        let claim = self.acme.post(&domains, claim).await.expect(200);
        self.zone.show(&claim.json);
        let verify = format!("{domains}/{domain}/verify");
        let verified = self.acme.post(&verify, json!({})).await.expect(200);
        assert!(
            verified.json["verified_at"].is_string(),
            "{}",
            verified.text()
        );
    }

    async fn change(&self, change: Value) -> Reply {
        let path = format!("/sso-connections/{}", self.connection);
        let request = self.acme.request(Method::PATCH, &path);
        self.acme
            .send(request.header("if-match", "*").json(&change))
            .await
    }

    /// Begins to sign in.
    async fn leave(&self) -> Journey {
        self.leave_to("").await
    }

    /// The same with a query, such as `?return_to=/orders`.
    async fn leave_to(&self, query: &str) -> Journey {
        let path = format!("/auth/sso/{}/start{query}", self.connection);
        Journey::of(&self.browser.get(&path).await.expect(302))
    }

    /// Signs in at the provider; the answer is the way back.
    async fn at_provider(&self, journey: &Journey, email: &str) -> Url {
        self.provider.log_in(&journey.to, email).await
    }

    /// Comes back.
    async fn back(&self, at: &Url, cookie: &str) -> Reply {
        come_back(&self.browser, at, cookie).await
    }

    /// The whole way.
    async fn sign_in(&self, email: &str) -> Reply {
        let journey = self.leave().await;
        let back = self.at_provider(&journey, email).await;
        self.back(&back, &journey.cookie).await
    }

    /// Who the tokens of an answer are of.
    async fn me(&self, reply: &Reply) -> Value {
        let token = reply.json["access_token"].as_str();
        let token = token.unwrap_or_else(|| panic!("{}", reply.text()));
        let who = self.browser.with_token(token);
        who.get("/me").await.expect(200).json
    }

    async fn count(&self, table: &str, rule: &str) -> i64 {
        let schema = self.app.database.schema_of("acme").await;
        let sql = format!("SELECT count(*) FROM {schema}.{table} WHERE {rule}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut self.app.database.connect().await)
            .await
            .unwrap()
    }
}

impl Journey {
    fn of(reply: &Reply) -> Self {
        let cookie = reply.header("set-cookie");
        Self {
            to: reply.header("location").to_owned(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }
}

/// Somebody who is not led elsewhere without noticing.
fn browser(app: &TestApp, host: &str) -> Actor {
    let client = Client::builder().redirect(Policy::none()).build();
    Actor::stranger(client.unwrap(), app.base(), host)
}

async fn come_back(browser: &Actor, at: &Url, cookie: &str) -> Reply {
    let path = format!("/auth/sso/callback?{}", at.query().unwrap_or_default());
    let request = browser.request(Method::GET, &path);
    let request = match cookie {
        "" => request,
        cookie => request.header("cookie", cookie),
    };
    browser.send(request).await
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// The same address with another value of a parameter, or without it.
fn with_parameter(url: &Url, name: &str, value: Option<&str>) -> Url {
    let others: Vec<_> = url
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    let mut changed = url.clone();
    let mut pairs = changed.query_pairs_mut();
    pairs.clear().extend_pairs(others);
    if let Some(value) = value {
        pairs.append_pair(name, value);
    }
    drop(pairs);
    changed
}

#[track_caller]
fn assert_problem(reply: &Reply, status: u16, code: &str) {
    let seen = (reply.status.as_u16(), reply.problem());
    assert_eq!(seen, (status, code), "{}", reply.text());
}
