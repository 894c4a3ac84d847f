//! A real OpenID provider, people who sign in at it without a browser, and the lies it can be made
//! to tell.

use reqwest::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};
use uuid::Uuid;

use crate::local;

/// More steps than that nobody is sent through.
const STEPS: usize = 10;

/// A running provider; stopped when dropped.
#[derive(Debug)]
pub struct OidcProvider {
    instance: local::OidcProvider,
    client: Client,
}

/// What a provider calls whoever lets people sign in with it.
#[derive(Debug, Clone)]
pub struct OidcClient {
    /// Its id.
    pub id: String,
    /// Its secret, sent as `client_secret_basic`.
    pub secret: String,
}

/// What becomes of keys that are followed by new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKeys {
    /// They are still published: what they signed is good.
    Kept,
    /// They are published no more.
    Gone,
}

/// With what an ID token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedBy {
    /// The provider's newest key.
    Own,
    /// A key that nobody published, under the name of the newest one.
    Stranger,
    /// Nothing, and the algorithm is `none`.
    Nobody,
    /// A MAC whose secret is the public key.
    PublicKey,
}

impl OidcProvider {
    /// Starts one that knows nobody.
    ///
    /// # Panics
    ///
    /// When it can't be had or does not start.
    pub async fn start() -> Self {
        let instance = tokio::task::spawn_blocking(local::OidcProvider::start)
            .await
            .expect("the thread that starts it ends")
            .expect("the OpenID provider starts; run `make test`, which fetches it");
        let client = Client::builder().redirect(Policy::none()).build();
        Self {
            instance,
            client: client.expect("a client without wishes"),
        }
    }

    /// Its issuer, such as `http://127.0.0.1:4000`; discovery works from there.
    pub fn issuer(&self) -> &str {
        self.instance.issuer()
    }

    /// Makes a client that people may be sent back to at this address. It has to use PKCE.
    pub async fn client(&self, redirect_uri: &str) -> OidcClient {
        let client = OidcClient {
            id: format!("client-{}", Uuid::new_v4().simple()),
            secret: Uuid::new_v4().simple().to_string().repeat(2),
        };
        let body = json!({
            "client_id": client.id,
            "client_secret": client.secret,
            "redirect_uris": [redirect_uri],
        });
        self.control("clients", body).await;
        client
    }

    /// Makes somebody who can sign in, with claims beside their address, such as
    /// `{"email_verified": false, "name": "Ada"}`. Their address is verified unless these say no.
    /// With the `sub` of somebody it changes that person's claims.
    pub async fn user(&self, email: &str, claims: Value) {
        let mut user = json!({ "email": email });
        let claims = claims.as_object().expect("claims are an object").clone();
        user.as_object_mut().expect("made above").extend(claims);
        self.control("users", user).await;
    }

    /// Signs with a new key from now on.
    pub async fn rotate_keys(&self, old: OldKeys) {
        let keep = old == OldKeys::Kept;
        self.control("rotate-keys", json!({ "keep": keep })).await;
    }

    /// Puts other claims into all ID tokens from now on, such as `{"iss": "https://evil.example",
    /// "nonce": null}` (null leaves a claim out), and signs them in another way. `{}` and
    /// [`SignedBy::Own`] is the truth.
    pub async fn lie(&self, claims: Value, by: SignedBy) {
        let by = match by {
            SignedBy::Own => "own",
            SignedBy::Stranger => "stranger",
            SignedBy::Nobody => "none",
            SignedBy::PublicKey => "public_key",
        };
        self.control("lies", json!({ "claims": claims, "signed_by": by }))
            .await;
    }

    /// How often a path was asked for, such as `/jwks`, `/token` or
    /// `/.well-known/openid-configuration`.
    pub async fn asked(&self, path: &str) -> u64 {
        let asked = self.control("asked", json!({})).await;
        asked[path].as_u64().unwrap_or(0)
    }

    /// Goes where an application sends somebody to sign in, says who they are, and returns the
    /// address that the provider then sends them to: the application's, with `code` and `state`,
    /// or with `error` when nobody has this address. It is not visited.
    ///
    /// # Panics
    ///
    /// When the provider refuses the application itself.
    pub async fn log_in(&self, authorization_url: &str, email: &str) -> Url {
        let mut browser = Browser::default();
        let mut at = Url::parse(authorization_url).expect("an address");
        for _ in 0..STEPS {
            let is_form = at.path().starts_with("/interaction/");
            let request = if is_form {
                self.say_who(&at, email)
            } else {
                self.client.get(at.clone())
            };
            let next = browser.follow(request, &at).await;
            if next.origin() != at.origin() || next.query_pairs().any(|(key, _)| key == "state") {
                return next;
            }
            at = next;
        }
        panic!("{authorization_url} leads round in circles");
    }

    /// Fills in the form of the provider.
    fn say_who(&self, form: &Url, email: &str) -> RequestBuilder {
        let answer = form_urlencoded::Serializer::new(String::new())
            .append_pair("login", email)
            .finish();
        self.client
            .post(form.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(answer)
    }

    async fn control(&self, what: &str, body: Value) -> Value {
        let url = format!("{}/control/{what}", self.issuer());
        let reply = self.client.post(url).json(&body).send().await;
        let reply = reply.expect("the OpenID provider answers");
        assert!(reply.status().is_success(), "{what}: {reply:?}");
        reply
            .json()
            .await
            .expect("the OpenID provider answers JSON")
    }
}

/// What a browser remembers on its way.
#[derive(Default)]
struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// Where an answer leads.
    async fn follow(&mut self, request: RequestBuilder, at: &Url) -> Url {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let reply = request.header("cookie", cookies.join("; ")).send().await;
        let reply = reply.expect("the OpenID provider answers");
        self.remember(&reply);
        let Some(location) = reply.headers().get(LOCATION) else {
            let status = reply.status();
            panic!("{at}: {status} {}", reply.text().await.unwrap_or_default());
        };
        let location = location.to_str().expect("an address is ASCII");
        at.join(location).expect("an address")
    }

    fn remember(&mut self, reply: &Response) {
        for cookie in reply.headers().get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("our cookies are ASCII");
            let pair = text.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}
