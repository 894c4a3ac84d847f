//! A DNS server that knows a few texts, and nothing else.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, Record};
use tokio::net::UdpSocket;

/// Texts by the name they stand at.
type Texts = Arc<Mutex<HashMap<String, String>>>;

pub(super) struct Zone {
    pub(super) address: SocketAddr,
    texts: Texts,
}

impl Zone {
    pub(super) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let texts = Texts::default();
        let known = texts.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let question = Message::from_vec(&buffer[..length]).unwrap();
                let answer = answer(&question, &known.lock().unwrap());
                let _ = socket.send_to(&answer.to_vec().unwrap(), from).await;
            }
        });
        Self { address, texts }
    }

    /// Publishes what a claimed domain is to show.
    pub(super) fn show(&self, claim: &serde_json::Value) {
        let text = |name: &str| claim[name].as_str().unwrap().to_owned();
        let mut texts = self.texts.lock().unwrap();
        texts.insert(text("record_name"), text("record_value"));
    }
}

fn answer(question: &Message, known: &HashMap<String, String>) -> Message {
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    let query = question.queries[0].clone();
    let name = query.name().to_utf8().trim_end_matches('.').to_lowercase();
    match known.get(&name) {
        None => answer.metadata.response_code = ResponseCode::NXDomain,
        Some(text) => {
            let data = RData::TXT(TXT::new(vec![text.clone()]));
            answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
        }
    }
    answer.add_query(query);
    answer
}
