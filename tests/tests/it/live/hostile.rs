//! Nonsense: in headers and queries, in frames, in floods. Each is refused or ended clearly, and those
//! who follow meanwhile notice nothing. What is sent follows from a seed, which failures name.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::HeaderValue;
use tests::canary::Dice;
use tests::{Actor, EventSocket, EventStream, TestApp, eventually};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::raw::{self, BINARY, CLOSE, Frame, PING, TEXT, UPGRADE};
use super::{ids, new_unit};

const SEED: u64 = 20_260;
const REQUESTS: u64 = 240;
/// So many sockets at once, and so often.
const SOCKETS: u64 = 20;
const ROUNDS: u64 = 8;
/// Nothing that is sent takes the server this long.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a socket may be closed with for nonsense: as one wishes, protocol, kind, text, size.
const CODES: [u16; 5] = [1000, 1002, 1003, 1007, 1009];
const KEYS: &[(&str, &str)] = &[
    ("TUBEX_LIMITS__ADDRESS_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__READ_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__WRITE_PER_MINUTE", "0"),
    ("TUBEX_LIMITS__TENANT_PER_MINUTE", "0"),
    ("TUBEX_LIVE__STREAMS_PER_FOLLOWER", "5000"),
    ("TUBEX_LIVE__STALLED_SECONDS", "1"),
    ("TUBEX_HTTP__UNREAD_SECONDS", "2"),
];

/// Two who follow in peace.
struct Bystanders {
    stream: EventStream,
    socket: EventSocket,
    heard: Vec<i64>,
}

impl Bystanders {
    async fn of(who: &Actor) -> Self {
        Self {
            stream: EventStream::open(who, "/events?topics=items", None).await,
            socket: EventSocket::open(who, "/ws?topics=items").await,
            heard: Vec::new(),
        }
    }

    /// Both hear of a change at once.
    async fn hear(&mut self, who: &Actor, code: &str) {
        new_unit(who, code).await;
        let streamed = self.stream.next().await.expect("the stream goes on");
        let told = self.socket.next().await.expect("the socket goes on");
        assert_eq!(streamed.data["data"]["id"], code);
        assert_eq!(told["data"]["id"], code);
        self.heard.extend(ids(&[streamed]));
    }
}

/// Words that stand where a number or a topic should, and such that nearly fit.
fn word(dice: &mut Dice) -> Vec<u8> {
    const WORDS: [&str; 18] = [
        "",
        "0",
        "1",
        "-1",
        "+5",
        "007",
        "9223372036854775807",
        "9223372036854775808",
        "184467440737095516150",
        "1.5",
        "1e3",
        "NaN",
        "0x10",
        "items",
        "items,items",
        "items,,team",
        "ITEMS",
        "'; DROP SCHEMA shared --",
    ];
    if dice.percent(60) {
        return WORDS[dice.index(WORDS.len())].as_bytes().to_vec();
    }
    let most = if dice.percent(5) { 4000 } else { 24 };
    let length = dice.below(most);
    // Whatever a header may hold.
    let byte = |dice: &mut Dice| match dice.below(3) {
        0 => b'0' + u8::try_from(dice.below(10)).unwrap(),
        1 => b' ' + u8::try_from(dice.below(95)).unwrap(),
        _ => 0x80 | u8::try_from(dice.below(128)).unwrap(),
    };
    (0..length).map(|_| byte(dice)).collect()
}

fn encoded(word: &[u8]) -> String {
    word.iter().map(|byte| format!("%{byte:02X}")).collect()
}

#[actix_web::test]
async fn nonsense_for_a_cursor_or_a_topic_is_refused_and_never_a_failure_of_ours() {
    let app = TestApp::start_with(KEYS).await;
    let acme = app.dealer().await;
    let mut bystanders = Bystanders::of(&acme).await;
    let mut refused = 0;

    for number in 0..REQUESTS {
        let mut dice = Dice::of(SEED, number);
        let (place, kind) = (dice.below(4), dice.below(3));
        let word = word(&mut dice);
        let path = match place {
            0 => "/events".to_owned(),
            1 => format!("/events?after={}", encoded(&word)),
            2 => format!("/events?topics={}", encoded(&word)),
            _ => format!("/events?limit={}", encoded(&word)),
        };
        let accept = ["text/event-stream", "application/json", "*/*"][kind as usize];
        let mut request = acme.request(Method::GET, &path).header("accept", accept);
        if place == 0 {
            request = request.header("last-event-id", HeaderValue::from_bytes(&word).unwrap());
        }
        let reply = request.send().await.expect("an answer");
        let status = reply.status().as_u16();
        let what = format!("seed {SEED}, {number}: {path} {word:?}");
        assert!([200, 400].contains(&status), "{status} at {what}");
        if status == 400 {
            refused += 1;
            let problem: serde_json::Value = reply.json().await.expect("a problem");
            assert_eq!(problem["code"], "query_invalid", "{problem} at {what}");
        }
        if number % 80 == 0 {
            bystanders.hear(&acme, &format!("q{number}")).await;
        }
    }

    assert!(refused > REQUESTS / 4, "{refused} refused");
    bystanders.hear(&acme, "last").await;
}

/// Some frames, most of them wrong in one way or another, that are whole in their length.
fn nonsense(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=dice.below(4) {
        let most = if dice.percent(10) { 9000 } else { 200 };
        let length = dice.index(most);
        let junk: Vec<u8> = (0..length)
            .map(|_| u8::try_from(dice.below(256)).unwrap())
            .collect();
        bytes.extend(match dice.below(12) {
            0 => raw::frame(TEXT, &junk),
            1 => raw::frame(BINARY, &junk),
            2 => raw::frame(PING, &junk[..length.min(125)]),
            3 => raw::frame(PING, &junk),
            // A message in pieces: begun, gone on with, ended, in any order.
            4 => raw::frame(0x01, b"{\"type\":"),
            5 => raw::frame(0x00, b"\"subscribe\","),
            6 => raw::frame(0x80, b"\"topics\":[]}"),
            // Not masked.
            7 => [&[TEXT, 5][..], b"hello"].concat(),
            // Reserved bits and opcodes.
            8 => raw::frame(0x80 | u8::try_from(dice.below(128)).unwrap(), b"odd"),
            // Larger than anything.
            9 => [&[TEXT, 0xff][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat(),
            10 => raw::frame(
                TEXT,
                "{\"type\":\"subscribe\",\"topics\":[\"ü\"]}".as_bytes(),
            ),
            _ => raw::frame(TEXT, &b"[".repeat(length)),
        });
    }
    bytes
}

async fn open(who: &Actor) -> TcpStream {
    let mut socket = raw::ask(who, "/ws?topics=items", UPGRADE).await;
    assert_eq!(raw::status(&mut socket).await, 101);
    socket
}

async fn end_of(mut socket: TcpStream, what: &str) -> Vec<Frame> {
    let reading = raw::frames_to_the_end(&mut socket);
    let read = tokio::time::timeout(PATIENCE, reading).await;
    read.unwrap_or_else(|_| panic!("it never ended: {what}"))
}

#[actix_web::test]
async fn frames_of_nonsense_close_their_socket_with_a_code_and_no_other() {
    let app = TestApp::start_with(KEYS).await;
    let acme = app.dealer().await;
    let mut bystanders = Bystanders::of(&acme).await;

    let talk = async |number| {
        let mut dice = Dice::of(SEED, number);
        let mut socket = open(&acme).await;
        let mut bytes = nonsense(&mut dice);
        bytes.extend(raw::frame(CLOSE, &1000_u16.to_be_bytes()));
        let what = format!("seed {SEED}, {number}");

        // In as many pieces as it likes; it may be closed before the last.
        let pieces = 1 + dice.index(4);
        for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
            let _closed_already = socket.write_all(piece).await;
        }
        let said = end_of(socket, &what).await;

        let codes: Vec<_> = said.iter().filter_map(Frame::close_code).collect();
        assert_eq!(codes.len(), 1, "{said:?} at {what}");
        assert!(CODES.contains(&codes[0]), "{codes:?} at {what}");
    };
    for round in 0..ROUNDS {
        join_all((0..SOCKETS).map(|number| talk(round * SOCKETS + number))).await;
        bystanders.hear(&acme, &format!("f{round}")).await;
    }

    bystanders.hear(&acme, "last").await;
    eventually("only they are left", async || app.state.live.streams() == 2).await;
}

#[actix_web::test]
async fn what_is_wrong_with_a_frame_is_told_by_the_code() {
    let app = TestApp::start_with(KEYS).await;
    let acme = app.dealer().await;
    let pieces = [
        raw::frame(0x01, b"{\"type\":\"subscribe\","),
        raw::frame(PING, b"between"),
        raw::frame(0x80, b"\"topics\":[\"team\"]}"),
    ];
    let large = raw::frame(0x01, &[b' '; 4000]);
    let more = raw::frame(0x00, &[b' '; 4000]);
    for (bytes, code) in [
        (raw::frame(CLOSE, b""), 1000),
        (raw::frame(BINARY, b"\0"), 1003),
        (raw::frame(TEXT, b"\xff\xfe"), 1007),
        (raw::frame(TEXT, &[b' '; 5000]), 1009),
        ([large, more].concat(), 1009),
        ([&[TEXT, 2][..], b"hi"].concat(), 1002),
        (raw::frame(0x80, b"the end of nothing"), 1002),
        (raw::frame(0x83, b"no such opcode"), 1002),
        (raw::frame(PING, &[0; 126]), 1002),
        (
            [&pieces.concat()[..], &raw::frame(CLOSE, b"")].concat(),
            1000,
        ),
    ] {
        let mut socket = open(&acme).await;
        socket.write_all(&bytes).await.unwrap();

        let said = end_of(socket, &format!("{bytes:?}")).await;

        let closed = said.last().and_then(Frame::close_code);
        assert_eq!(closed, Some(code), "{said:?} for {bytes:?}");
        if bytes.starts_with(&pieces[0]) {
            let texts = said.iter().map(|it| String::from_utf8_lossy(&it.payload));
            let texts: Vec<_> = texts.collect();
            assert!(texts.iter().any(|it| *it == "between"), "{texts:?}");
            let subscribed = texts.iter().any(|it| it.contains("subscribed"));
            assert!(subscribed, "{texts:?}");
        }
    }
}

/// Half a frame, and then nothing more: whoever gives no sign of life has gone.
#[actix_web::test]
async fn half_a_frame_is_not_waited_for_for_ever() {
    let heartbeat = ("TUBEX_LIVE__HEARTBEAT_SECONDS", "1");
    let app = TestApp::start_with(&[KEYS, &[heartbeat]].concat()).await;
    let acme = app.dealer().await;
    let mut silent = open(&acme).await;
    let half = &raw::frame(TEXT, &[b' '; 3000])[..1000];
    silent.write_all(half).await.unwrap();
    let mut hung_up = open(&acme).await;
    hung_up.write_all(half).await.unwrap();
    hung_up.shutdown().await.unwrap();

    end_of(hung_up, "one that hung up").await;
    end_of(silent, "one that fell silent").await;

    eventually("nobody is left", async || app.state.live.streams() == 0).await;
}

#[actix_web::test]
async fn a_flood_of_pings_whose_answers_nobody_reads_ends_and_disturbs_nobody() {
    let app = TestApp::start_with(KEYS).await;
    let acme = app.dealer().await;
    let mut bystanders = Bystanders::of(&acme).await;
    let mut flooding = open(&acme).await;
    let flood = actix_web::rt::spawn(async move {
        let pings = raw::frame(PING, &[b'p'; 125]).repeat(200);
        // Until it is closed.
        while flooding.write_all(&pings).await.is_ok() {}
    });

    for number in 0..5 {
        bystanders.hear(&acme, &format!("p{number}")).await;
    }

    let ended = tokio::time::timeout(PATIENCE, flood).await;
    ended.expect("nobody takes pings for ever").unwrap();
    eventually("it is given up", async || app.state.live.streams() == 2).await;
    bystanders.hear(&acme, "last").await;
    assert_eq!(bystanders.heard.len(), 6);
}
