//! A server with a certificate speaks TLS itself, HTTP/1.1 and HTTP/2, and nothing in the clear.

use std::path::Path;
use std::process::Command;

use reqwest::{Certificate, Client, Version};
use server::config::Config;
use tests::TestApp;

struct Files {
    _folder: tempfile::TempDir,
    certificate: String,
    key: String,
    root: Certificate,
}

/// A certificate that vouches for itself and for nobody else.
const REQUEST: &str = "[req]
distinguished_name = name
x509_extensions = says
prompt = no
[name]
CN = a test
[says]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:acme.localhost
";

fn made() -> Files {
    let folder = tempfile::tempdir().unwrap();
    let path = |file: &str| folder.path().join(file).to_str().unwrap().to_owned();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let request = path("request.cnf");
    std::fs::write(&request, REQUEST).unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "2", "-config", &request])
        .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .expect("openssl is installed");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
    Files {
        root: Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap(),
        certificate,
        key,
        _folder: folder,
    }
}

#[actix_web::test]
async fn with_a_certificate_it_speaks_tls_in_both_versions_of_http() {
    let files = made();
    let keys = [
        (
            "TUBEX_HTTP__TLS_CERTIFICATE_FILE",
            files.certificate.as_str(),
        ),
        ("TUBEX_HTTP__TLS_KEY_FILE", &files.key),
        ("TUBEX_HTTP__PUBLIC_SCHEME", "https"),
    ];
    let database = tests::Scratch::with_dealers().await;
    let app = TestApp::start_unready(database, &keys).await;
    let port: u16 = app.base().rsplit(':').next().unwrap().parse().unwrap();
    let client = || {
        Client::builder()
            .tls_certs_only([files.root.clone()])
            .resolve("acme.localhost", ([127, 0, 0, 1], port).into())
    };
    let url = format!("https://acme.localhost:{port}/");
    let (new, old) = (
        client().build().unwrap(),
        client().http1_only().build().unwrap(),
    );
    tests::eventually("the dealer is served", async || {
        new.get(&url).send().await.unwrap().status() == 200
    })
    .await;

    for (client, version) in [(&new, Version::HTTP_2), (&old, Version::HTTP_11)] {
        let reply = client.get(&url).send().await.unwrap();
        assert_eq!((reply.status().as_u16(), reply.version()), (200, version));
        let told = reply.headers().get("strict-transport-security");
        assert!(told.is_some());
        assert!(reply.text().await.unwrap().contains("Acme"));
    }
    let in_the_clear = Client::new().get(format!("http://127.0.0.1:{port}/livez"));
    assert!(in_the_clear.send().await.is_err());
    let stranger = Client::new().get(&url);
    assert!(
        stranger.send().await.is_err(),
        "nobody vouches for the certificate"
    );
}

#[test]
fn a_certificate_without_its_key_and_files_that_hold_none_are_refused_at_the_start() {
    let files = made();
    let other = made();
    let empty = tempfile::NamedTempFile::new().unwrap();
    let empty = empty.path().to_str().unwrap();

    let alone = config(&files.certificate, "").unwrap_err();
    assert!(alone.to_string().contains("together"), "{alone}");
    assert!(alone.to_string().starts_with("http:"), "{alone}");
    for (certificate, key) in [
        (files.certificate.as_str(), empty),
        (empty, files.key.as_str()),
        (files.certificate.as_str(), other.key.as_str()),
        ("/nowhere/certificate.pem", files.key.as_str()),
    ] {
        let config = config(certificate, key).unwrap();
        let error = server::http::acceptor(&config.http).unwrap_err();
        assert!(format!("{error:#}").contains("http.tls_"), "{error:#}");
    }
    assert!(Path::new(&files.key).exists());
    let fine = config(&files.certificate, &files.key).unwrap();
    assert!(server::http::acceptor(&fine.http).unwrap().is_some());
}

fn config(certificate: &str, key: &str) -> Result<Config, server::config::ConfigError> {
    let keys = [
        ("TUBEX_HTTP__TLS_CERTIFICATE_FILE", certificate),
        ("TUBEX_HTTP__TLS_KEY_FILE", key),
        ("TUBEX_DATABASE__URL", "postgres://nobody@localhost/none"),
        (
            "TUBEX_DATABASE__SECRET",
            "a secret that is long enough for this",
        ),
        (
            "TUBEX_AUTH__TOKEN_SECRET",
            "a secret that is long enough for this",
        ),
    ];
    Config::from_environment(keys.map(|(key, value)| (key.to_owned(), value.to_owned())))
}
