//! Names that lead inside, at once or the second time they are looked up.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode};
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use serde_json::json;
use tests::TestApp;
use tokio::net::UdpSocket;

use super::{KEYS, Receiver, attempts_are, endpoint, number};

/// Allowed in these tests, in place of the internet.
const OUTSIDE: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Not allowed, although something listens there.
const INSIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A DNS server that gives one answer after another, and the last one from then on.
struct Fickle {
    address: SocketAddr,
    answers: Arc<Mutex<Vec<Ipv4Addr>>>,
}

impl Fickle {
    async fn start(answers: &[Ipv4Addr]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let answers = Arc::new(Mutex::new(answers.to_vec()));
        let left = answers.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let question = Message::from_vec(&buffer[..length]).unwrap();
                let answer = answer(&question, &left);
                let _ = socket.send_to(&answer.to_vec().unwrap(), from).await;
            }
        });
        Self { address, answers }
    }

    fn left(&self) -> usize {
        self.answers.lock().unwrap().len()
    }
}

fn answer(question: &Message, left: &Mutex<Vec<Ipv4Addr>>) -> Message {
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    let query = question.queries[0].clone();
    if query.query_type() == RecordType::A {
        let mut left = left.lock().unwrap();
        let address = match left.len() {
            1 => left[0],
            _ => left.remove(0),
        };
        let data = RData::A(A(address));
        answer.add_answer(Record::from_rdata(query.name().clone(), 0, data));
    }
    answer.add_query(query);
    answer
}

async fn app_with(dns: &Fickle) -> TestApp {
    let server = dns.address.to_string();
    let keys = [
        KEYS.as_slice(),
        &[("TUBEX_WEBHOOKS__DNS_SERVER", server.as_str())],
    ]
    .concat();
    TestApp::start_with(&keys).await
}

#[actix_web::test]
async fn a_name_that_leads_inside_is_refused_when_it_is_named() {
    let dns = Fickle::start(&[INSIDE]).await;
    let app = app_with(&dns).await;
    let dealer = app.dealer().await;

    let new = json!({"url": "http://there.example:8080/", "event_types": ["*"]});
    let refused = dealer.post("/webhook-endpoints", new).await;

    assert_eq!(refused.problem(), "fields_invalid", "{}", refused.text());
    assert_eq!(refused.json["errors"][0]["code"], "forbidden");
}

#[actix_web::test]
async fn a_name_that_leads_inside_the_second_time_is_not_gone_to() {
    let dns = Fickle::start(&[OUTSIDE, INSIDE]).await;
    let app = app_with(&dns).await;
    let dealer = app.dealer().await;
    // It listens at all addresses of this machine, so nothing but the guard is in the way.
    let receiver = Receiver::start().await;
    let url = format!("http://there.example:{}/hook", receiver.port);
    endpoint(&dealer, &url, &["item.created"]).await;
    assert_eq!(dns.left(), 1, "it was looked up when it was named");

    dealer.item("BRK-1", json!({})).await;
    attempts_are(&app, &dealer, 2).await;

    assert!(receiver.got("/hook").is_empty());
    let words = "SELECT count(*) FROM {schema}.webhook_attempt
         WHERE error = 'forbidden_address' AND status IS NULL";
    assert_eq!(number(&app, &dealer, words).await, 2);
}

#[actix_web::test]
async fn a_name_is_gone_to_at_the_very_address_that_was_judged() {
    // Named; gone to; and whoever looked it up once more would be led inside.
    let dns = Fickle::start(&[OUTSIDE, OUTSIDE, INSIDE]).await;
    let app = app_with(&dns).await;
    let dealer = app.dealer().await;
    let receiver = Receiver::start().await;
    let url = format!("http://there.example:{}/hook", receiver.port);
    endpoint(&dealer, &url, &["item.created"]).await;

    dealer.item("BRK-1", json!({})).await;

    receiver.got_all("/hook", 1).await;
    assert_eq!(dns.left(), 1, "it was looked up once for that");
}
