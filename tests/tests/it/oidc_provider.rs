//! The OpenID provider of the harness is a real one, and lies only when it is told to: what tests
//! of single sign-on rest on.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use tests::{OidcClient, OidcProvider, OldKeys, SignedBy};
use url::Url;

const BACK: &str = "http://acme.localhost:1/sso/callback";
/// From RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application as a textbook writes it.
struct Application {
    provider: OidcProvider,
    client: OidcClient,
    discovered: Value,
}

impl Application {
    async fn start() -> Self {
        let provider = OidcProvider::start().await;
        let client = provider.client(BACK).await;
        let discovery = format!("{}/.well-known/openid-configuration", provider.issuer());
        Self {
            discovered: get(&discovery).await,
            provider,
            client,
        }
    }

    fn endpoint(&self, name: &str) -> &str {
        self.discovered[name].as_str().unwrap()
    }

    async fn comes_back(&self, email: &str) -> Url {
        let query = [
            ("client_id", self.client.id.as_str()),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("redirect_uri", BACK),
            ("state", "a state"),
            ("nonce", "a nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let url = Url::parse_with_params(self.endpoint("authorization_endpoint"), query).unwrap();
        self.provider.log_in(url.as_str(), email).await
    }

    async fn id_token(&self, email: &str) -> String {
        let back = self.comes_back(email).await;
        let code = parameter(&back, "code").unwrap();
        let form = Url::parse_with_params(
            "http://localhost",
            [
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", BACK),
                ("code_verifier", VERIFIER),
            ],
        );
        let reply = reqwest::Client::new()
            .post(self.endpoint("token_endpoint"))
            .basic_auth(&self.client.id, Some(&self.client.secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.unwrap().query().unwrap().to_owned())
            .send()
            .await
            .unwrap();
        let answer: Value = reply.json().await.unwrap();
        let token = answer["id_token"].as_str();
        token.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// What a careful application believes of a token.
    async fn believes(&self, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
        let keys: JwkSet = serde_json::from_value(get(self.endpoint("jwks_uri")).await).unwrap();
        let kid = decode_header(token)?.kid.unwrap();
        let unknown = jsonwebtoken::errors::ErrorKind::InvalidSignature;
        let key = keys.find(&kid).ok_or(unknown)?;
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_issuer(&[self.provider.issuer()]);
        rules.set_audience(&[&self.client.id]);
        Ok(decode(token, &DecodingKey::from_jwk(key)?, &rules)?.claims)
    }
}

async fn get(url: &str) -> Value {
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn somebody_signs_in_and_comes_back_with_a_code_that_is_worth_their_claims() {
    let app = Application::start().await;
    let claims = json!({"name": "Ada", "email_verified": false, "groups": ["yard"]});
    app.provider.user("ada@acme.example", claims).await;

    let back = app.comes_back("ada@acme.example").await;
    let token = app.id_token("ada@acme.example").await;

    assert!(back.as_str().starts_with(BACK), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("a state"));
    let claims = app.believes(&token).await.unwrap();
    assert_eq!(claims["email"], "ada@acme.example");
    assert_eq!(claims["email_verified"], false);
    assert_eq!(claims["name"], "Ada");
    assert_eq!(claims["groups"], json!(["yard"]));
    assert_eq!(claims["nonce"], "a nonce");
    assert!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty()));
    assert_eq!(app.provider.asked("/token").await, 1);
}

#[tokio::test]
async fn somebody_whom_the_provider_does_not_know_comes_back_with_an_error() {
    let app = Application::start().await;

    let back = app.comes_back("nobody@acme.example").await;

    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "code"), None);
    assert_eq!(parameter(&back, "state").as_deref(), Some("a state"));
}

#[tokio::test]
async fn somebody_with_a_new_address_is_the_same_person() {
    let app = Application::start().await;
    let who = json!({"sub": "7"});
    app.provider.user("ada@acme.example", who.clone()).await;
    app.provider.user("lovelace@acme.example", who).await;

    let token = app.id_token("lovelace@acme.example").await;

    let claims = app.believes(&token).await.unwrap();
    assert_eq!(
        (&claims["sub"], &claims["email"]),
        (&json!("7"), &json!("lovelace@acme.example"))
    );
    let back = app.comes_back("ada@acme.example").await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn keys_change_with_or_without_the_old_ones() {
    let app = Application::start().await;
    app.provider.user("ada@acme.example", json!({})).await;
    let first = app.id_token("ada@acme.example").await;

    app.provider.rotate_keys(OldKeys::Kept).await;
    let second = app.id_token("ada@acme.example").await;

    assert_ne!(
        decode_header(&first).unwrap().kid,
        decode_header(&second).unwrap().kid
    );
    assert!(app.believes(&first).await.is_ok());
    assert!(app.believes(&second).await.is_ok());

    app.provider.rotate_keys(OldKeys::Gone).await;
    let third = app.id_token("ada@acme.example").await;

    assert!(app.believes(&first).await.is_err());
    assert!(app.believes(&third).await.is_ok());
}

#[tokio::test]
async fn lies_are_told_as_ordered_and_then_no_more() {
    let app = Application::start().await;
    app.provider.user("ada@acme.example", json!({})).await;
    let lies = [
        (json!({"iss": "https://evil.example"}), SignedBy::Own),
        (json!({"aud": "somebody-else"}), SignedBy::Own),
        (json!({"exp": 1}), SignedBy::Own),
        (json!({}), SignedBy::Stranger),
        (json!({}), SignedBy::Nobody),
        (json!({}), SignedBy::PublicKey),
    ];

    for (claims, by) in lies {
        app.provider.lie(claims.clone(), by).await;
        let token = app.id_token("ada@acme.example").await;
        assert!(app.believes(&token).await.is_err(), "{claims} {by:?}");
    }

    // Of these only an application that looks at them learns: the token itself is good.
    app.provider
        .lie(
            json!({"nonce": null, "email_verified": false}),
            SignedBy::Own,
        )
        .await;
    let token = app.id_token("ada@acme.example").await;
    let claims = app.believes(&token).await.unwrap();
    assert_eq!(claims.get("nonce"), None);
    assert_eq!(claims["email_verified"], false);

    app.provider.lie(json!({}), SignedBy::Own).await;
    let token = app.id_token("ada@acme.example").await;
    assert_eq!(app.believes(&token).await.unwrap()["nonce"], "a nonce");
}
