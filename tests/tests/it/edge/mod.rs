//! What every request passes through: limits, headers, other origins, forms of answers, attacks.

mod attacks;
mod cors;
mod cursors;
mod deprecations;
mod headers;
mod include;
mod limits;
mod redis;
mod representation;
mod shapes;
mod tls;

use tests::{Dealer, Reply, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes as they stand, and reads all that comes back.
async fn raw(app: &TestApp, request: &str) -> String {
    let mut stream = connect(app).await;
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn connect(app: &TestApp) -> TcpStream {
    let address = app.base().trim_start_matches("http://");
    TcpStream::connect(address).await.expect("it listens")
}

fn status_of(answer: &str) -> u16 {
    let word = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    word.unwrap_or_else(|| panic!("no status in {answer:?}"))
}

/// Loads items with SKUs `0000`, `0001`, … and names in the opposite order.
async fn load(dealer: &Dealer, count: usize) {
    let rows = (0..count).map(|n| format!("{n:04},Name {:04},pcs,1.00\n", 9999 - n));
    let file = format!("sku,name,unit,price\n{}", rows.collect::<String>());
    let report = dealer.import("", file).await.expect(200);
    assert_eq!(report.json["created"], count);
}

/// One field of every row.
fn column(reply: &Reply, name: &str) -> Vec<String> {
    let rows = reply.json["data"].as_array().expect("a list");
    let texts = rows.iter().map(|row| row[name].as_str());
    texts.map(|text| text.expect("a text").to_owned()).collect()
}
