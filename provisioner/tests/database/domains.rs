//! A domain is its tenant's once DNS says so. The DNS server is our own, on loopback.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, Record};
use provisioner::{Dns, DomainError, DomainName};
use tokio::net::UdpSocket;

use crate::scratch;
use crate::toy::{Toy, tenant};

/// A DNS server that knows a few texts, and nothing else.
struct Zone {
    address: SocketAddr,
    texts: Arc<Mutex<HashMap<String, Vec<String>>>>,
}

impl Zone {
    async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let texts = Arc::<Mutex<HashMap<String, Vec<String>>>>::default();
        let known = Arc::clone(&texts);
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

    fn put(&self, name: &str, texts: &[&str]) {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.texts.lock().unwrap().insert(name.to_owned(), texts);
    }

    fn resolver(&self) -> Dns {
        Dns::at(self.address).unwrap()
    }
}

fn answer(question: &Message, known: &HashMap<String, Vec<String>>) -> Message {
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    let query = question.queries[0].clone();
    let name = query.name().to_utf8().trim_end_matches('.').to_lowercase();
    match known.get(&name) {
        None => answer.metadata.response_code = ResponseCode::NXDomain,
        Some(texts) => {
            for text in texts {
                // As long texts come: in pieces.
                let pieces = text
                    .as_bytes()
                    .chunks(40)
                    .map(|piece| String::from_utf8(piece.to_vec()).unwrap())
                    .collect();
                let data = RData::TXT(TXT::new(pieces));
                answer.add_answer(Record::from_rdata(query.name().clone(), 60, data));
            }
        }
    }
    answer.add_query(query);
    answer
}

fn shop() -> DomainName {
    DomainName::parse("shop.acme.example").unwrap()
}

#[tokio::test]
async fn a_domain_is_its_tenants_once_dns_shows_the_record() {
    scratch::ready(|scratch| async move {
        let zone = Zone::start().await;
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.create(tenant("acme")).await.unwrap();
        let claimed = provisioner
            .claim_domain("acme", &shop(), "me")
            .await
            .unwrap();
        assert_eq!(claimed.record_name, "_tubex-challenge.shop.acme.example");
        assert_eq!(claimed.verified_at, None);
        let again = provisioner.claim_domain("acme", &shop(), "me").await;
        assert_eq!(again.unwrap(), claimed, "claiming again says the same");

        let early = provisioner
            .verify_domain("acme", &shop(), &zone.resolver(), "me")
            .await;
        assert!(
            matches!(&early, Err(DomainError::NotProven { found, .. }) if found.is_empty()),
            "{early:?}"
        );
        zone.put(
            &claimed.record_name,
            &["v=spf1 -all", "tubex-verify=guessed"],
        );
        let wrong = provisioner
            .verify_domain("acme", &shop(), &zone.resolver(), "me")
            .await;
        assert!(
            matches!(&wrong, Err(DomainError::NotProven { found, .. }) if found.len() == 2),
            "{wrong:?}"
        );
        zone.put(
            &claimed.record_name,
            &["v=spf1 -all", &claimed.record_value],
        );
        let proven = provisioner
            .verify_domain("acme", &shop(), &zone.resolver(), "me")
            .await
            .unwrap();

        assert!(proven.verified_at.is_some());
        let kinds: Vec<String> = scratch
            .column("SELECT kind FROM platform.tenant_event WHERE kind LIKE 'domain%' ORDER BY at")
            .await;
        assert_eq!(kinds, ["domain_claimed", "domain_verified"]);
    })
    .await;
}

#[tokio::test]
async fn an_idle_claim_keeps_nobody_out_and_a_proven_one_passes_on_with_the_record() {
    scratch::ready(|scratch| async move {
        let zone = Zone::start().await;
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.create(tenant("squatter")).await.unwrap();
        provisioner.create(tenant("owner")).await.unwrap();
        let theirs = provisioner
            .claim_domain("squatter", &shop(), "me")
            .await
            .unwrap();
        let ours = provisioner
            .claim_domain("owner", &shop(), "me")
            .await
            .unwrap();
        assert_ne!(theirs.record_value, ours.record_value);
        let verify = async |who: &str| {
            provisioner
                .verify_domain(who, &shop(), &zone.resolver(), "me")
                .await
        };

        zone.put(&ours.record_name, &[&ours.record_value]);
        assert!(matches!(
            verify("squatter").await,
            Err(DomainError::NotProven { .. })
        ));
        assert!(verify("owner").await.unwrap().verified_at.is_some());

        zone.put(
            &ours.record_name,
            &[&ours.record_value, &theirs.record_value],
        );
        assert!(matches!(
            verify("squatter").await,
            Err(DomainError::Taken(_))
        ));

        zone.put(&ours.record_name, &[&theirs.record_value]);
        assert!(verify("squatter").await.unwrap().verified_at.is_some());
        let proven: Vec<_> = provisioner
            .list_domains(None)
            .await
            .unwrap()
            .into_iter()
            .filter(|entry| entry.verified_at.is_some())
            .map(|entry| entry.tenant)
            .collect();
        assert_eq!(proven, ["squatter"], "a domain is one tenant's alone");
    })
    .await;
}

#[tokio::test]
async fn a_dns_that_does_not_answer_is_no_proof_and_no_refutation() {
    scratch::ready(|scratch| async move {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let nobody = Dns::at(silent.local_addr().unwrap()).unwrap();
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.create(tenant("acme")).await.unwrap();
        provisioner
            .claim_domain("acme", &shop(), "me")
            .await
            .unwrap();

        let asked = provisioner
            .verify_domain("acme", &shop(), &nobody, "me")
            .await;

        assert!(matches!(asked, Err(DomainError::Dns(_))), "{asked:?}");
    })
    .await;
}

#[tokio::test]
async fn a_removed_domain_is_gone_and_what_nobody_claimed_is_said() {
    scratch::ready(|scratch| async move {
        let zone = Zone::start().await;
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.create(tenant("acme")).await.unwrap();
        provisioner
            .claim_domain("acme", &shop(), "me")
            .await
            .unwrap();

        provisioner
            .remove_domain("acme", &shop(), "me")
            .await
            .unwrap();

        assert!(
            provisioner
                .list_domains(Some("acme"))
                .await
                .unwrap()
                .is_empty()
        );
        let verified = provisioner
            .verify_domain("acme", &shop(), &zone.resolver(), "me")
            .await;
        assert!(matches!(verified, Err(DomainError::NotClaimed { .. })));
        let removed = provisioner.remove_domain("acme", &shop(), "me").await;
        assert!(matches!(removed, Err(DomainError::NotClaimed { .. })));
        let strangers = provisioner.claim_domain("nobody", &shop(), "me").await;
        assert!(matches!(strangers, Err(DomainError::Tenant(_))));
    })
    .await;
}

#[tokio::test]
async fn the_command_line_says_what_to_put_into_dns_and_finds_it_there() {
    scratch::ready(|scratch| async move {
        let zone = Zone::start().await;
        let provisioner = scratch.provisioner(Toy::first());
        provisioner.create(tenant("acme")).await.unwrap();
        let tubex = async |words: &[&str]| {
            let mut command = scratch.tubex();
            command.args(words).arg("--json");
            tokio::task::spawn_blocking(move || command.output().unwrap())
                .await
                .unwrap()
        };

        let added = tubex(&["domain", "add", "acme", "Shop.Acme.example."]).await;
        let added: serde_json::Value = serde_json::from_slice(&added.stdout).unwrap();
        let record = &added["record"];
        let resolver = zone.address.to_string();
        let verify = [
            "domain",
            "verify",
            "acme",
            "shop.acme.example",
            "--resolver",
            &resolver,
        ];
        let early = tubex(&verify).await;
        zone.put(
            record["name"].as_str().unwrap(),
            &[record["value"].as_str().unwrap()],
        );
        let proven = tubex(&verify).await;
        let bad = tubex(&["domain", "add", "acme", "10.0.0.1"]).await;

        assert_eq!(early.status.code(), Some(1), "{early:?}");
        assert!(String::from_utf8_lossy(&early.stderr).contains("not_proven"));
        assert_eq!(proven.status.code(), Some(0), "{proven:?}");
        assert_eq!(bad.status.code(), Some(2), "{bad:?}");
    })
    .await;
}
