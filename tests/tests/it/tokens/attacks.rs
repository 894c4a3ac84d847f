//! Tokens that were made, changed or borrowed by somebody else open nothing.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tests::{Dealer, Scratch, TestApp, tubex};

use super::{encoded, jwks, part};

/// A key of somebody else's: PKCS #8, Ed25519.
const THEIR_KEY: &str = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
const THEIR_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

#[track_caller]
fn assert_unknown(reply: &tests::Reply, what: &str) {
    let seen = (reply.status.as_u16(), reply.problem());
    assert_eq!(seen, (401, "unauthenticated"), "{what}: {}", reply.text());
}

async fn assert_all_refused(acme: &Dealer, tokens: impl IntoIterator<Item = String>) {
    let mut count = 0;
    for token in tokens {
        assert_unknown(&acme.with_token(&token).get("/me").await, &token);
        count += 1;
    }
    assert!(count > 0);
}

#[actix_web::test]
async fn our_public_key_is_no_secret_to_sign_with() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let token = acme.token.clone().unwrap();
    let (head, claims) = (part(&token, 0), part(&token, 1));
    let key = jwks(&acme).await.expect(200).json["keys"][0].clone();
    let x = key["x"].as_str().unwrap();
    let raw = URL_SAFE_NO_PAD.decode(x).unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&raw)
    );

    let mut forged = Vec::new();
    for secret in [
        raw.as_slice(),
        x.as_bytes(),
        pem.as_bytes(),
        key.to_string().as_bytes(),
        b"",
    ] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let mut header = Header::new(algorithm);
            header.typ = Some("at+jwt".to_owned());
            header.kid = head["kid"].as_str().map(ToOwned::to_owned);
            let signed = encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap();
            // The same with the header of a good token.
            let (_, rest) = signed.split_once('.').unwrap();
            forged.push(format!("{}.{rest}", encoded(&head)));
            forged.push(signed);
        }
    }

    assert_eq!(head["alg"], "EdDSA");
    assert_all_refused(&acme, forged).await;
    acme.get("/me").await.expect(200);
}

#[actix_web::test]
async fn no_algorithm_no_kind_and_no_key_of_a_tokens_own_choice_is_taken() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let token = acme.token.clone().unwrap();
    let kid = part(&token, 0)["kid"].clone();
    let claims = part(&token, 1);
    let signature = token.rsplit('.').next().unwrap();
    let theirs = EncodingKey::from_ed_der(&STANDARD.decode(THEIR_KEY).unwrap());
    let sign = |head: &Value| {
        let signed = format!("{}.{}", encoded(head), encoded(&claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &theirs, Algorithm::EdDSA);
        format!("{signed}.{}", signature.unwrap())
    };
    let with = |more: Value| {
        let mut head = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid});
        head.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        head
    };

    let mut heads: Vec<_> = [
        "none", "None", "NONE", "nOnE", "HS256", "RS256", "ES256", "",
    ]
    .map(|alg| with(json!({ "alg": alg })))
    .into();
    heads.extend(["JWT", "jwt", "rt+jwt", "logout+jwt", ""].map(|typ| with(json!({ "typ": typ }))));
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": THEIR_PUBLIC, "kid": kid});
    heads.extend([
        with(json!({ "jwk": jwk })),
        with(json!({ "jku": "https://evil.example/jwks.json" })),
        with(json!({ "x5u": "https://evil.example/cert.pem" })),
        with(json!({ "x5c": [THEIR_KEY] })),
        with(json!({ "crit": ["b64"], "b64": false })),
        with(json!({ "zip": "DEF" })),
        with(json!({})),
        json!({"alg": "EdDSA", "typ": "at+jwt"}),
        json!([]),
    ]);
    let forged = heads.iter().flat_map(|head| {
        let unsigned = format!("{}.{}", encoded(head), encoded(&claims));
        [
            sign(head),
            format!("{unsigned}."),
            format!("{unsigned}.{signature}"),
        ]
    });

    // The very header of ours with its signature is no forgery.
    let forged = forged.filter(|it| *it != token);
    assert_all_refused(&acme, forged).await;
}

#[actix_web::test]
async fn a_name_of_a_key_leads_nowhere_but_to_our_keys() {
    let app = TestApp::start().await;
    let acme = app.dealer().await;
    let token = acme.token.clone().unwrap();
    let (claims, signature) = (part(&token, 1), token.rsplit('.').next().unwrap());
    let huge = "k".repeat(8_000);

    let kids = [
        json!("../../../../dev/null"),
        json!("/etc/passwd"),
        json!("' UNION SELECT 'x' --"),
        json!("x'; DROP TABLE platform.signing_key; --"),
        json!("http://evil.example/key"),
        json!("\u{0}"),
        json!(""),
        json!(null),
        json!(7),
        json!(["a"]),
        json!({"$ne": ""}),
        json!(&huge[..1000]),
        json!(huge),
    ];
    let forged = kids.map(|kid| {
        let head = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid});
        format!("{}.{}.{signature}", encoded(&head), encoded(&claims))
    });

    assert_all_refused(&acme, forged).await;
    acme.get("/me").await.expect(200);
}

#[actix_web::test]
async fn claims_are_as_they_were_signed_or_nothing() {
    let app = TestApp::start().await;
    let (acme, bolt) = (app.dealer().await, app.dealer().await);
    let viewer = app.member(&acme, "viewer").await;
    let token = viewer.token.clone().unwrap();
    let owners = acme.token.clone().unwrap();
    let (claims, signature) = (part(&token, 1), token.rsplit('.').next().unwrap());
    let head = token.split('.').next().unwrap();
    let bolts = part(bolt.token.as_ref().unwrap(), 1);

    let mut changed: Vec<Value> = Vec::new();
    for (name, value) in [
        ("sub", part(&owners, 1)["sub"].clone()),
        ("sid", part(&owners, 1)["sid"].clone()),
        ("tid", bolts["tid"].clone()),
        ("tv", json!(1)),
        ("ttv", json!(1)),
        ("exp", json!(4_102_444_800_i64)),
        ("aud", json!("tubex:platform-api")),
        ("iss", json!("evil")),
    ] {
        let mut one = claims.clone();
        one[name] = value;
        changed.push(one);
        let mut without = claims.clone();
        without.as_object_mut().unwrap().remove(name);
        changed.push(without);
    }
    let forged = changed
        .iter()
        .map(|claims| format!("{head}.{}.{signature}", encoded(claims)));
    assert_all_refused(&acme, forged).await;

    // A neighbour's own token is good, and not here.
    let refused = bolt.at("acme.localhost").get("/me").await;
    assert_eq!(
        (refused.status.as_u16(), refused.problem()),
        (403, "tenant_mismatch")
    );
    app.recorded("tenant_mismatch", &acme, 1).await;
}

#[actix_web::test]
async fn an_operators_token_opens_no_dealer_though_the_key_is_the_same() {
    let scratch = Scratch::with_dealers().await;
    let url = scratch.owner_url();
    let app = TestApp::start_on(scratch, &[("TUBEX_PLATFORM__DATABASE_URL", &url)]).await;
    let acme = app.dealer().await;
    let add = [
        "operator",
        "add",
        "a@platform.example",
        "--name",
        "A",
        "--role",
        "admin",
    ];
    let password = "a fine password for operators";
    let added = tokio::task::spawn_blocking(move || {
        tubex(&url, &add, &[("TUBEX_OPERATOR_PASSWORD", password)])
    });
    assert!(added.await.unwrap().status.success());
    let admin = app.stranger("admin.localhost");
    let proof = json!({"email": "a@platform.example", "password": password});
    let signed_in = admin
        .post("/platform/v1/auth/sign-in", proof)
        .await
        .expect(200);
    let token = signed_in.json["access_token"].as_str().unwrap();

    admin
        .with_token(token)
        .get("/platform/v1/me")
        .await
        .expect(200);
    assert_eq!(
        part(token, 0)["kid"],
        part(acme.token.as_ref().unwrap(), 0)["kid"]
    );
    assert_unknown(&acme.with_token(token).get("/me").await, "at the dealer's");
    let dealers = admin.with_token(acme.token.as_ref().unwrap());
    assert_unknown(&dealers.get("/platform/v1/me").await, "at the platform's");
}
