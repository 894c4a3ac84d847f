//! Whom a request is for: by host, by header, and who is told what when it is for nobody.

mod closing;
mod freshness;
mod hostile;
mod hosts;
mod spares;
mod unknown;

use tests::TestApp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer as it came over the wire.
#[derive(Debug, PartialEq, Eq)]
struct Raw {
    status: u16,
    body: String,
}

/// Sends a request as it stands: no client library would send most of ours.
async fn raw(app: &TestApp, request: &str) -> Raw {
    let address = app.base().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    Raw {
        status: status.expect("a status"),
        body: body.to_owned(),
    }
}

/// Gives a dealer a domain of its own.
async fn add_domain(app: &TestApp, slug: &str, domain: &str, verified_at: &str) {
    app.sql(&format!(
        "INSERT INTO platform.tenant_domain (id, tenant_id, domain, verified_at)
         SELECT gen_random_uuid(), id, '{domain}', {verified_at}
         FROM platform.tenant WHERE slug = '{slug}'"
    ))
    .await;
}
