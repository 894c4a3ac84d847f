//! The real program, its memory watched while it reads large files.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use tests::{Actor, Dealer, Scratch, TestApp, server_binary};

use super::counts;

/// A server in a process of its own; it goes when it is dropped.
struct Running {
    child: Child,
    base: String,
}

impl Running {
    /// Starts it and waits until it is ready.
    async fn start(database: &Scratch) -> Self {
        let mut child = Command::new(server_binary())
            .arg("api")
            .env("TUBEX_HTTP__LISTEN", "127.0.0.1:0")
            .env("TUBEX_HTTP__WORKERS", "1")
            .env("TUBEX_DATABASE__URL", database.server_url())
            .env("TUBEX_DATABASE__SECRET", database.secret())
            .env("TUBEX_STORAGE__DIRECTORY", database.storage())
            .env("TUBEX_JOBS__INSIDE", "true")
            .env(
                "TUBEX_AUTH__TOKEN_SECRET",
                "a token secret for tests, long enough",
            )
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server is built by `make test` before the tests run");
        let mut log = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let address = log
            .by_ref()
            .find_map(|line| {
                let event: Value = serde_json::from_str(&line).ok()?;
                let address = event.pointer("/fields/address").or(event.get("address"))?;
                Some(address.as_str()?.to_owned())
            })
            .expect("it says where it listens");
        // Somebody has to read on, or the server stops at a full pipe.
        std::thread::spawn(move || log.for_each(drop));
        let running = Self {
            child,
            base: format!("http://{address}"),
        };
        let (anybody, patience) = (
            running.actor("localhost"),
            Instant::now() + Duration::from_secs(30),
        );
        while !anybody.get("/readyz").await.status.is_success() {
            assert!(Instant::now() < patience, "it did not become ready");
        }
        running
    }

    fn actor(&self, host: &str) -> Actor {
        Actor::stranger(Client::new(), &self.base, host)
    }

    /// The owner of a dealer, signed in here.
    async fn owner(&self, dealer: &Dealer) -> Actor {
        let stranger = self.actor(&dealer.host);
        let reply = stranger
            .sign_in(&dealer.email, &dealer.password)
            .await
            .expect(200);
        stranger.with_token(reply.json["access_token"].as_str().unwrap())
    }

    /// The most memory it ever had, KiB.
    fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Rows of about 150 bytes, with everything that a row can have but a barcode.
fn file_of(rows: usize) -> String {
    let mut file = String::from("sku;name;description;unit;price;group\n");
    for n in 0..rows {
        file.push_str(&format!(
            "ART-{n:08};Facing brick {n} in normal format, red, smooth;Frost-resistant clay brick \
             of the series {}, about 48 per square metre;pcs;{},{:02};Group {}\n",
            n % 977,
            n % 900 + 1,
            n % 100,
            n % 40,
        ));
    }
    file
}

#[actix_web::test]
async fn memory_stays_constant_whatever_the_size_of_the_file() {
    let app = TestApp::start().await;
    let dealer = app.dealer().await;
    let server = Running::start(&app.database).await;
    let owner = server.owner(&dealer).await;
    let (small, large) = (file_of(SMALL), file_of(LARGE));

    let first = owner.import("", small).await.expect(200);
    let after_small = server.peak_kib();
    let second = owner.import("", large).await.expect(200);
    let after_large = server.peak_kib();

    assert_eq!(counts(&first.json), [SMALL as u64, 0, 0, 0, 0]);
    assert_eq!(
        counts(&second.json),
        [(LARGE - SMALL) as u64, 0, SMALL as u64, 0, 0]
    );
    assert!(after_large < 150 * 1024, "{after_large} KiB");
    let growth = after_large - after_small;
    assert!(growth < 5 * 1024, "{after_small} KiB grew by {growth} KiB");
}

/// About 1.7 MB.
const SMALL: usize = 10_000;
/// About 10 MB: 60 MB take minutes without optimisation, and six times shows a slope as well.
/// Were the file itself kept, memory would grow by 9 MB.
const LARGE: usize = 60_000;
