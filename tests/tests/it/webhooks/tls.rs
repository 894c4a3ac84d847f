//! A receiver that speaks TLS, with a certificate of an authority that is ours to trust, or not.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tests::TestApp;

use super::{KEYS, Receiver, attempts_are, endpoint, id_of, number, once_it_is};

/// Runs `openssl` in a folder.
fn openssl(folder: &Path, arguments: &str) {
    let made = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl is installed");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
}

/// An authority in `ca.pem`, and what a receiver with a certificate of it speaks TLS with.
fn certified(folder: &Path) -> ServerConfig {
    let key = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1";
    openssl(
        folder,
        &format!("req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"),
    );
    openssl(
        folder,
        &format!(
            "req -x509 {key} -days 2 -subj /CN=receiver -CA ca.pem -CAkey ca.key \
             -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
             -keyout receiver.key -out receiver.pem"
        ),
    );
    let chain = CertificateDer::from_pem_file(folder.join("receiver.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("receiver.key")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap()
}

#[actix_web::test]
async fn a_receiver_whose_authority_is_trusted_is_sent_over_tls_and_another_is_sent_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start_speaking(Some(certified(folder.path()))).await;
    let url = receiver.url("/hook").replace("http:", "https:");
    let authority = folder.path().join("ca.pem");
    let trusting = ("TUBEX_WEBHOOKS__CA_FILE", authority.to_str().unwrap());
    let safely = ("TUBEX_WEBHOOKS__ALLOW_HTTP", "false");

    for (keys, is_trusted) in [
        ([KEYS.as_slice(), &[safely, trusting]].concat(), true),
        ([KEYS.as_slice(), &[safely]].concat(), false),
    ] {
        let app = TestApp::start_with(&keys).await;
        let dealer = app.dealer().await;
        let made = endpoint(&dealer, &url, &["item.created"]).await;

        dealer.item("BRK-1", json!({})).await;

        if is_trusted {
            let delivered = once_it_is(&dealer, id_of(&made), "delivered").await;
            assert_eq!(delivered["attempts"][0]["status"], 204);
        } else {
            attempts_are(&app, &dealer, 1).await;
            let words = "SELECT count(*) FROM {schema}.webhook_attempt
                 WHERE status IS NULL AND error = 'no_tls'";
            assert_eq!(number(&app, &dealer, words).await, 1);
        }
    }

    assert_eq!(receiver.got("/hook").len(), 1, "once, to who trusts it");
}
