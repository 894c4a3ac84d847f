//! TLS without a proxy in front, where that is wanted.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Http;

/// What to speak TLS with; nothing where the configuration names no certificate. Which versions of
/// HTTP are spoken is for the server to add.
///
/// # Errors
///
/// When a file can't be read, or certificate and key don't belong together.
pub fn acceptor(config: &Http) -> Result<Option<ServerConfig>, anyhow::Error> {
    let (Some(certificate), Some(key)) = (&config.tls_certificate_file, &config.tls_key_file)
    else {
        return Ok(None);
    };
    let chain = chain(certificate).context("http.tls_certificate_file")?;
    let key = PrivateKeyDer::from_pem_file(key).context("http.tls_key_file")?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("http.tls_certificate_file and http.tls_key_file")?;
    Ok(Some(config))
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, anyhow::Error> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
    anyhow::ensure!(!chain.is_empty(), "the file holds no certificate");
    Ok(chain)
}
