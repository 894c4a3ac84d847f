//! A mail server of our own, which says what it is told to say.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tests::eventually;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a mail server makes of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken.
    Take,
    /// It has come at a bad time, said once all of it was seen.
    Later,
    /// The address takes no mail.
    Never,
    /// It has come at a bad time, said before any of it was seen.
    NotNow,
    /// Whoever sends must sign in.
    NotYou,
    /// It is more than is taken, said once all of it was seen.
    TooMuch,
    /// All of it is seen, and nothing is said.
    Silence,
}

/// A message that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub to: String,
    pub text: String,
    pub is_taken: bool,
}

/// A mail server.
#[derive(Debug)]
pub struct Sink {
    url: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    verdicts: VecDeque<Verdict>,
    seen: Vec<Seen>,
    told: usize,
}

impl Sink {
    /// One that has a verdict for each message that comes, and takes all that come after.
    pub async fn start(verdicts: &[Verdict]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared {
            verdicts: verdicts.iter().copied().collect(),
            ..Shared::default()
        }));
        let sees = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, sees.clone()));
            }
        });
        Self { url, shared }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// All messages of which it has seen the whole, oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().unwrap().seen.clone()
    }

    /// Those that it took.
    pub fn taken(&self) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|one| one.is_taken);
        seen
    }

    /// The next one that it took.
    pub async fn next(&self) -> Seen {
        let place = {
            let mut shared = self.shared.lock().unwrap();
            shared.told += 1;
            shared.told
        };
        eventually("a message is taken", async || self.taken().len() >= place).await;
        self.taken()[place - 1].clone()
    }
}

impl Seen {
    /// What tells it from others.
    pub fn id(&self) -> String {
        let lines = self.text.lines();
        let id = lines.filter_map(|line| line.strip_prefix("Message-ID: "));
        let ids: Vec<_> = id.collect();
        assert_eq!(ids.len(), 1, "{}", self.text);
        ids[0].to_owned()
    }
}

/// As RFC 5321 has it, as far as these messages need it.
async fn converse(stream: TcpStream, shared: Arc<Mutex<Shared>>) -> Option<()> {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let (mut to, mut message, mut is_data) = (String::new(), String::new(), false);
    let mut verdict = Verdict::Take;
    writing.write_all(b"220 mail.example\r\n").await.ok()?;
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = if is_data {
            if line != "." {
                message += &line;
                message.push('\n');
                continue;
            }
            is_data = false;
            shared.lock().unwrap().seen.push(Seen {
                to: to.clone(),
                text: std::mem::take(&mut message),
                is_taken: verdict == Verdict::Take,
            });
            match verdict {
                Verdict::Later => "451 come again",
                Verdict::TooMuch => "552 5.3.4 too much",
                Verdict::Silence => continue,
                _ => "250 taken",
            }
        } else {
            match line.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => "250 mail.example",
                "MAIL" => {
                    let next = shared.lock().unwrap().verdicts.pop_front();
                    verdict = next.unwrap_or(Verdict::Take);
                    match verdict {
                        Verdict::NotYou => "530 sign in first",
                        Verdict::NotNow => "450 not now",
                        _ => "250 fine",
                    }
                }
                "RCPT" if verdict == Verdict::Never => "550 5.1.1 nobody here",
                "RCPT" => {
                    let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                    to = address.to_owned();
                    "250 fine"
                }
                "DATA" => {
                    is_data = true;
                    "354 go on"
                }
                "QUIT" => "221 bye",
                _ => "250 fine",
            }
        };
        let answer = format!("{answer}\r\n");
        writing.write_all(answer.as_bytes()).await.ok()?;
    }
    Some(())
}
